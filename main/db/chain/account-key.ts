/** An account's key in the chain's tables: the 20 bytes of its address. */
export function accountKey(address: string): Uint8Array {
  return Buffer.from(address.slice(2), 'hex');
}

export function addressOfKey(key: Uint8Array): string {
  return `0x${Buffer.from(key).toString('hex')}`;
}
