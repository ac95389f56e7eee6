/** What tells that a file is still the one that was left: its size, its time of change, and which file it is. */
import { stat } from 'node:fs/promises';

/** `size:mtimeNs:inode`; `null` when there is no such file. Other failures are thrown as they come. */
export async function stampOf(path: string): Promise<string | null> {
  try {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    return `${size}:${mtimeNs}:${ino}`;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function sizeInStamp(stamp: string): number {
  return Number(stamp.split(':')[0]);
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
