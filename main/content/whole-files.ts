/** Whole files that become a content's pieces at once: written beside the others under a temporary name, then renamed. */
import { randomUUID } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredFile } from '../db/node/contents.ts';
import { stampOf } from './file-stamp.ts';
import type { PieceCache } from './piece-cache.ts';
import type { PiecePlaces } from './piece-places.ts';
import type { UnsyncedPieces } from './unsynced-pieces.ts';

const TEMPORARY = '.importing';

export interface WholeFilesContext {
  readonly dir: string;
  readonly places: PiecePlaces;
  readonly unsynced: UnsyncedPieces;
  readonly cache: PieceCache;
}

export class WholeFiles {
  readonly #context: WholeFilesContext;

  constructor(context: WholeFilesContext) {
    this.#context = context;
  }

  /** A place to write a file that `adopt` will take. Left-overs are cleared at the next start. */
  temporaryPath(): string {
    return join(this.#context.dir, `${randomUUID()}${TEMPORARY}`);
  }

  /** Takes a whole, flushed file as the content's pieces. The caller books them and this file. */
  async adopt(contentId: string, temporaryPath: string): Promise<StoredFile> {
    const { dir, places, unsynced, cache } = this.#context;
    await places.files.alone(contentId, async (path) => {
      unsynced.dropAll(contentId);
      places.cut(contentId, 0);
      await places.loose.removeAll(contentId);
      await rename(temporaryPath, path);
    });
    const folder = await open(dir);
    try {
      await folder.sync(); // the name is durable before the rows that rely on it
    } finally {
      await folder.close();
    }
    await cache.measure(contentId);
    unsynced.forgetStamp(contentId);
    return { path: null, stamp: (await stampOf(places.files.path(contentId))) ?? '' };
  }
}

export function isTemporary(name: string): boolean {
  return name.endsWith(TEMPORARY);
}
