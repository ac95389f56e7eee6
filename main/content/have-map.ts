/** Which pieces of a content a peer has, as it crosses the wire: a bit for each, lowest first; nothing for all of them. */

/** @param indices pieces that are there, any order */
export function encodeHaveMap(indices: Iterable<number>, pieceCount: number): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(pieceCount / 8));
  let count = 0;
  for (const index of indices) {
    const byte = index >> 3;
    const bit = 1 << (index & 7);
    if (index >= pieceCount || ((bitmap[byte] ?? 0) & bit) !== 0) continue;
    bitmap[byte] = (bitmap[byte] ?? 0) | bit;
    count += 1;
  }
  return count === pieceCount ? new Uint8Array(0) : bitmap;
}

/** Whether a bitmap can be one of a content of so many pieces. */
export function isHaveMap(bitmap: Uint8Array, pieceCount: number): boolean {
  return bitmap.byteLength === 0 || bitmap.byteLength === Math.ceil(pieceCount / 8);
}

export function mapHas(bitmap: Uint8Array, index: number): boolean {
  return bitmap.byteLength === 0 || ((bitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}
