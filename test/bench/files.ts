/** Files that a bench moves. */
import { once } from 'node:events';
import { closeSync, createWriteStream, openSync, rmSync, writeSync } from 'node:fs';

export const MIB = 1_048_576;

/** Bytes that do not compress and are not all the same, written without holding them. */
export async function writeNoise(path: string, mib: number): Promise<void> {
  const out = createWriteStream(path);
  const words = new Uint32Array(MIB / 4);
  let state = 0x9e3779b9;
  for (let i = 0; i < mib; i++) {
    for (let w = 0; w < words.length; w++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[w] = state;
    }
    if (!out.write(Buffer.from(new Uint8Array(words.buffer)))) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

/**
 * Writes a file of this size and removes it, so that the pages the receiver's file will lie in are backed by real memory.
 * A virtual machine may have given free memory back to its host; getting it again costs 2 ms for each MiB, as much as a
 * third of what is measured here, and no side of the comparison is to blame for it.
 */
export function touchMemory(path: string, mib: number): void {
  const fd = openSync(path, 'w');
  const block = new Uint8Array(MIB).fill(1);
  for (let i = 0; i < mib; i++) writeSync(fd, block);
  closeSync(fd);
  rmSync(path);
}
