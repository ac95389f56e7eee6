import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Replaces a file whole: after a crash at any moment it holds either the old bytes or the new ones, on the disk.
 * @throws the file system's error; the old file is then as it was.
 */
export async function writeFileAtomic(path: string, content: string, mode: number): Promise<void> {
  // A name of its own: behind a long one there would be no room for an ending.
  const temporary = join(dirname(path), `.ace-node-${randomBytes(12).toString('hex')}.tmp`);
  try {
    await writeAndSync(temporary, content, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeAndSync(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rename itself durable. Windows has no such call for folders and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
