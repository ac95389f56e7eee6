/** What a file is: its name says so, and its first bytes where the name does not. */
import { open } from 'node:fs/promises';
import { fileTypeFromBuffer } from 'file-type';
import mime from 'mime';

const UNKNOWN = 'application/octet-stream';
/** Enough for every kind that is told by its first bytes; nothing behind them is read, however the file lies. */
const HEAD_BYTES = 65_536;

/** @param names of the content, best first: an upload's own path says nothing */
export async function mimeTypeOf(path: string, ...names: readonly string[]): Promise<string> {
  for (const name of names) {
    const type = mime.getType(name);
    if (type !== null) return type;
  }
  return (await typeByBytes(path)) ?? UNKNOWN;
}

async function typeByBytes(path: string): Promise<string | null> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const found = await fileTypeFromBuffer(buffer.subarray(0, bytesRead));
    // "video/mp4; codecs=…" of some kinds: a transport file has the type alone.
    return found?.mime.split(';')[0] ?? null;
  } catch {
    return null; // made to confuse the reader: its bytes say nothing
  } finally {
    await file.close();
  }
}
