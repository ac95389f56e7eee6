/** Bytes as text: lower-case hex without a prefix. `fromHex` throws on anything else, so check what others sent before. */
export { bytesToHex as toHex, hexToBytes as fromHex } from '@noble/hashes/utils.js';
