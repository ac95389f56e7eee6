import { fromHex, toHex } from '../../../shared/hex.ts';

/** An account's key in the chain's tables: the 20 bytes of its address. */
export function accountKey(address: string): Uint8Array {
  return fromHex(address.slice(2));
}

export function addressOfKey(key: Uint8Array): string {
  return `0x${toHex(key)}`;
}
