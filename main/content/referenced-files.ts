/**
 * The users' own files that were imported by reference. One that is another file now, or gone, is noticed before any
 * byte of it is served: the content is marked, its user told by name, and it comes back by itself with the very bytes.
 *
 * A stamp that differs proves nothing: a copy that took a file's place, `touch`, a restored backup and a disk that was
 * plugged in again all leave the bytes as they were. Where the size is the same, the file is hashed once more.
 */
import { EventEmitter } from 'node:events';
import { AceError } from '../../shared/errors.ts';
import type { ContentTrouble } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { sizeInStamp, stampOf } from './file-stamp.ts';
import { stampOfSame } from './same-file.ts';
import { readTransportFile } from './transport-file.ts';

/** No file has this stamp. */
const WRONG_BYTES = 'wrong bytes';

interface ReferencedFile {
  readonly path: string;
  readonly stamp: string;
}

export interface ReferencedFileEvents {
  /** Once for each change; `error` is `null` when the file is as it was again. */
  trouble: [contentId: string, error: AceError | null];
  /** Another file is in the place of the one that was read, with the same bytes. */
  replaced: [contentId: string];
}

export class ReferencedFiles extends EventEmitter<ReferencedFileEvents> {
  readonly #store: NodeStore;
  /** By content id; `null` for contents whose bytes the piece store has. */
  readonly #known = new Map<string, ReferencedFile | null>();
  /** Files that are hashed right now, by content id. */
  readonly #hashing = new Map<string, Promise<string | null>>();
  /** By content id: the stamp of a file that was hashed, and is another one. */
  readonly #others = new Map<string, string>();
  /** Hashes the files of `checkAll` one after another. */
  #doubts: Promise<void> = Promise.resolve();

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
    this.#others.delete(contentId);
  }

  /** Asks the disk. @throws AceError `ContentChanged`, `FileMissing` when the file is not the one that was imported */
  async check(contentId: string): Promise<void> {
    const file = this.#file(contentId);
    if (!file) return;
    const found = await stampOf(file.path);
    if (found === file.stamp) return this.#report(contentId, file, null);
    if (found === null) return this.#report(contentId, file, 'missing');
    const same = this.#mayBeSame(contentId, found) ? await this.#hashed(contentId, file.path) : null;
    if (same === null) {
      this.#others.set(contentId, found);
      return this.#report(contentId, file, 'changed');
    }
    this.#takeBack(contentId, file, same);
  }

  /** A byte of it is wrong although it looks as it did: it is hashed before it is believed again. Call it inside a commit. */
  isWrong(contentId: string): void {
    this.#store.contents.setStamp(contentId, WRONG_BYTES);
    this.forget(contentId);
  }

  /** Asks the disk about all of them. What has to be hashed is hashed afterwards: `settled` waits for it. */
  async checkAll(): Promise<void> {
    const doubtful: string[] = [];
    for (const contentId of this.#store.contents.referenced()) {
      const file = this.#file(contentId);
      const found = file && (await stampOf(file.path));
      if (file && found !== null && found !== file.stamp && this.#mayBeSame(contentId, found))
        doubtful.push(contentId);
      else await this.#checkQuietly(contentId);
    }
    if (doubtful.length === 0) return;
    this.#doubts = this.#doubts.then(async () => {
      for (const contentId of doubtful) await this.#checkQuietly(contentId);
    });
    this.#doubts.catch(() => undefined); // a caller that waits for it gets the error
  }

  /** Resolves when all that `checkAll` found doubtful has been hashed. */
  settled(): Promise<void> {
    return this.#doubts;
  }

  async #checkQuietly(contentId: string): Promise<void> {
    await this.check(contentId).catch((error: unknown) => {
      if (!(error instanceof AceError)) throw error; // an AceError was told already
    });
  }

  /** Of the right size, and not known to be another file. */
  #mayBeSame(contentId: string, found: string): boolean {
    if (this.#others.get(contentId) === found) return false;
    return this.#store.contents.file(contentId)?.sizeBytes === sizeInStamp(found);
  }

  /** The stamp of the file when its bytes are those of the content; it is read once for all who ask meanwhile. */
  #hashed(contentId: string, path: string): Promise<string | null> {
    const known = this.#hashing.get(contentId);
    if (known) return known;
    const row = this.#store.contents.get(contentId);
    if (!row) return Promise.resolve(null);
    const hashing = stampOfSame(path, readTransportFile(contentId, row.transport))
      .catch(() => null) // it cannot be read: it cannot be served either
      .finally(() => this.#hashing.delete(contentId));
    this.#hashing.set(contentId, hashing);
    return hashing;
  }

  #takeBack(contentId: string, file: ReferencedFile, stamp: string): void {
    const row = this.#store.contents.file(contentId);
    if (!row || row.sourcePath !== file.path || row.fileStamp === stamp) return;
    this.#store.commit(() => {
      this.#store.contents.setStamp(contentId, stamp);
      this.#store.contents.setTrouble(contentId, null);
    });
    this.forget(contentId);
    this.emit('replaced', contentId);
    if (row.trouble !== null) this.emit('trouble', contentId, null);
  }

  /** @throws AceError what the trouble is */
  #report(contentId: string, file: ReferencedFile, trouble: ContentTrouble | null): void {
    const row = this.#store.contents.file(contentId);
    // Deleted, or imported anew meanwhile: what was found is about another file.
    if (!row || row.fileStamp !== file.stamp) return;
    const error = trouble && troubleError(row.name, file.path, trouble);
    if (row.trouble !== trouble) {
      this.#store.commit(() => this.#store.contents.setTrouble(contentId, trouble));
      this.emit('trouble', contentId, error);
    }
    if (error) throw error;
  }

  #file(contentId: string): ReferencedFile | null {
    const known = this.#known.get(contentId);
    if (known !== undefined) return known;
    const row = this.#store.contents.file(contentId);
    const file =
      row && row.sourcePath !== null && row.fileStamp !== null
        ? { path: row.sourcePath, stamp: row.fileStamp }
        : null;
    this.#known.set(contentId, file);
    return file;
  }
}

/** What the user is told of a content that is not served. */
function troubleError(name: string, path: string, trouble: ContentTrouble): AceError {
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
