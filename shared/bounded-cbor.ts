/**
 * How much decoding CBOR from strangers makes. Each byte of it may be a list, a map or a key of one, and an object costs a
 * hundred times its byte: 2 MiB of them took 270 MB, or held up everything for more than a second. So the items are
 * counted first, which makes nothing.
 */

/** Items of a signed record, a question or a message between peers: the longest lists there have some hundreds. */
export const MAX_RECORD_ITEMS = 4_096;
/** Items of a request to a shard: the longest announces 2,000 contents. */
export const MAX_REQUEST_ITEMS = 16_384;
/** Items of an answer of a shard or of the chain, which may be hostile: the longest, 500 rows of a statement, has 70,000. */
export const MAX_ANSWER_ITEMS = 131_072;

/** Whether the bytes hold no more items than `max`, each key, list and map counted as one. What is malformed is left to the decoder. */
export function hasAtMostItems(bytes: Uint8Array, max: number): boolean {
  let at = 0;
  for (let items = 0; at < bytes.byteLength; items++) {
    if (items === max) return false;
    const head = bytes[at] as number;
    const kind = head >> 5;
    const info = head & 31;
    const argumentBytes = info < 24 || info > 27 ? 0 : 1 << (info - 24);
    at += 1;
    // Text and bytes are passed over; of all others the contents are items of their own.
    let contentBytes = 0;
    if (kind === 2 || kind === 3) {
      contentBytes = info;
      if (argumentBytes > 0) {
        contentBytes = 0;
        for (let i = 0; i < argumentBytes; i++) contentBytes = contentBytes * 256 + (bytes[at + i] ?? 0);
      }
    }
    at += argumentBytes + contentBytes;
  }
  return true;
}
