/** What a file on the disk is. */
import { open } from 'node:fs/promises';
import { HEAD_BYTES, mimeTypeBy } from '../../shared/mime-type.ts';

/** @param names of the content, best first: an upload's own path says nothing */
export function mimeTypeOf(path: string, ...names: readonly string[]): Promise<string> {
  return mimeTypeBy(names, () => firstBytes(path));
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
