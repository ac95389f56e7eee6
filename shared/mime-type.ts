/** What a file is: its name says so, and its first bytes where the name does not. */
import { fileTypeFromBuffer } from 'file-type';
import mime from 'mime';

const UNKNOWN = 'application/octet-stream';
/** Enough for every kind that is told by its first bytes; nothing behind them is read, however the file lies. */
export const HEAD_BYTES = 65_536;

/**
 * @param names of the content, best first: an upload's own path says nothing
 * @param head reads the first bytes, `HEAD_BYTES` of them
 */
export async function mimeTypeBy(names: readonly string[], head: () => Promise<Uint8Array>): Promise<string> {
  for (const name of names) {
    const type = mime.getType(name);
    if (type !== null) return type;
  }
  return typeByBytes(await head());
}

export function isMediaType(mimeType: string): boolean {
  return /^(video|audio)\//.test(mimeType);
}

async function typeByBytes(bytes: Uint8Array): Promise<string> {
  try {
    // "video/mp4; codecs=…" of some kinds: a transport file has the type alone.
    return (await fileTypeFromBuffer(bytes))?.mime.split(';')[0] ?? UNKNOWN;
  } catch {
    return UNKNOWN; // made to confuse the reader: its bytes say nothing
  }
}
