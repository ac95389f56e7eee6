/**
 * The users' own files that were imported by reference. One that is another file now, or gone, is noticed before any
 * byte of it is served: the content is marked, its user told by name, and it comes back by itself with the very file.
 */
import { EventEmitter } from 'node:events';
import { AceError } from '../../shared/errors.ts';
import type { ContentTrouble } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { stampOf } from './file-stamp.ts';

/** No file has this stamp. */
const WRONG_BYTES = 'wrong bytes';

interface ReferencedFile {
  readonly path: string;
  readonly stamp: string;
}

export interface ReferencedFileEvents {
  /** Once for each change; `error` is `null` when the file is as it was again. */
  trouble: [contentId: string, error: AceError | null];
}

export class ReferencedFiles extends EventEmitter<ReferencedFileEvents> {
  readonly #store: NodeStore;
  /** By content id; `null` for contents whose bytes the piece store has. */
  readonly #known = new Map<string, ReferencedFile | null>();

  constructor(store: NodeStore) {
    super();
    this.#store = store;
  }

  /** The user's file of a content, `null` when there is none. */
  pathOf(contentId: string): string | null {
    return this.#file(contentId)?.path ?? null;
  }

  /** Its row has changed. */
  forget(contentId: string): void {
    this.#known.delete(contentId);
  }

  /** Asks the disk. @throws AceError `ContentChanged`, `FileMissing` when the file is not the one that was imported */
  async check(contentId: string): Promise<void> {
    const source = this.#file(contentId);
    if (!source) return;
    const found = await stampOf(source.path);
    const trouble = found === source.stamp ? null : found === null ? 'missing' : 'changed';
    const row = this.#store.contents.file(contentId);
    // Deleted, or imported anew meanwhile: what was found is about another file.
    if (!row || row.fileStamp !== source.stamp) return;
    const error = trouble && troubleError(row.name, source.path, trouble);
    if (row.trouble !== trouble) {
      this.#store.commit(() => this.#store.contents.setTrouble(contentId, trouble));
      this.emit('trouble', contentId, error);
    }
    if (error) throw error;
  }

  /** A byte of it is wrong although it looks as it did: it is never taken for the file it was. Call it inside a commit. */
  isWrong(contentId: string): void {
    this.#store.contents.setStamp(contentId, WRONG_BYTES);
    this.forget(contentId);
  }

  /** Asks the disk about all of them. */
  async checkAll(): Promise<void> {
    for (const contentId of this.#store.contents.referenced()) {
      await this.check(contentId).catch((error: unknown) => {
        if (!(error instanceof AceError)) throw error; // an AceError was told already
      });
    }
  }

  #file(contentId: string): ReferencedFile | null {
    const known = this.#known.get(contentId);
    if (known !== undefined) return known;
    const row = this.#store.contents.file(contentId);
    const source =
      row && row.sourcePath !== null && row.fileStamp !== null
        ? { path: row.sourcePath, stamp: row.fileStamp }
        : null;
    this.#known.set(contentId, source);
    return source;
  }
}

/** What the user is told of a content that is not served. */
export function troubleError(name: string, path: string, trouble: ContentTrouble): AceError {
  return trouble === 'missing'
    ? new AceError(
        'FileMissing',
        `"${name}" is not shared now: ${path} is gone. Put it back, or delete the content`,
      )
    : new AceError(
        'ContentChanged',
        `"${name}" is not shared now: ${path} was changed after its import. Import it again to share what it is now`,
      );
}
