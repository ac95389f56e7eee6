/** What the pieces of a node take up on the disk, as the disk says. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Bytes of all files in the folder of pieces. */
export function piecesOnDisk(piecesDir: string): number {
  return readdirSync(piecesDir, { recursive: true, encoding: 'utf8' }).reduce((total, name) => {
    const found = statSync(join(piecesDir, name), { throwIfNoEntry: false });
    return total + (found?.isFile() ? found.blocks * 512 : 0);
  }, 0);
}

/** Looks every few milliseconds. `peak` ends that. */
export function watchDisk(piecesDir: string): { peak(): number } {
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, piecesOnDisk(piecesDir));
  }, 5);
  onTestFinished(() => clearInterval(timer));
  return {
    peak: () => {
      clearInterval(timer);
      return peakBytes;
    },
  };
}
