/**
 * The open files of the piece store: one handle per content. Reading never makes a file.
 *
 * Many may read and write a file at once; closing, cutting, removing or replacing it waits for them and keeps others
 * out. So no handle is closed while it is used, and nothing is written into a file that is no longer the content's.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { KeyedRwLock } from '../util/keyed-rw-lock.ts';
import { isMissing } from './file-stamp.ts';

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  readonly writable: boolean;
}

export interface PieceFilesContext {
  readonly dir: string;
  /** Path of a user's own file, `null` for contents whose file is here. */
  readonly referencedPathOf: (contentId: string) => string | null;
  /** There is no file, and one is about to be made: whatever should lie in it is lost. */
  readonly onNone: (contentId: string) => void;
}

export class PieceFiles {
  readonly #context: PieceFilesContext;
  readonly #open = new Map<string, OpenFile>();
  readonly #locks = new KeyedRwLock();

  constructor(context: PieceFilesContext) {
    this.#context = context;
  }

  /** Where this store keeps, or would keep, a content's bytes. */
  path(contentId: string): string {
    return join(this.#context.dir, `${contentId}.pieces`);
  }

  isOpen(contentId: string): boolean {
    return this.#open.has(contentId);
  }

  /** Content ids. */
  all(): string[] {
    return [...this.#open.keys()];
  }

  /** `null` when there is no file. `work` must not ask for the same content's file again. */
  read<T>(contentId: string, work: (file: FileHandle) => Promise<T>): Promise<T | null> {
    return this.#locks.shared(contentId, async () => {
      const file = await this.#toRead(contentId);
      return file && work(file);
    });
  }

  /** With the store's own file, made when there is none. `work` as in `read`. */
  async write<T>(contentId: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
    for (;;) {
      // A user's own file, which is not read from any more.
      if (this.#open.get(contentId)?.writable === false) await this.close(contentId);
      const done = await this.#locks.shared(contentId, async () => {
        const file = await this.#toWrite(contentId);
        return file && { result: await work(file) };
      });
      if (done) return done.result;
    }
  }

  close(contentId: string): Promise<void> {
    return this.alone(contentId, async () => undefined);
  }

  /** Closes the file; it is neither used nor opened until `work` is done. */
  alone<T>(contentId: string, work: (path: string) => Promise<T>): Promise<T> {
    return this.#locks.exclusive(contentId, async () => {
      const file = this.#open.get(contentId);
      this.#open.delete(contentId);
      await (await file?.handle.catch(() => undefined))?.close();
      return work(this.path(contentId));
    });
  }

  /** Removes the store's own file of a content, after `before`; a user's file stays. */
  remove(contentId: string, before: () => void = () => undefined): Promise<void> {
    return this.alone(contentId, async (path) => {
      before();
      await rm(path, { force: true });
    });
  }

  async #toRead(contentId: string): Promise<FileHandle | null> {
    const known = this.#open.get(contentId);
    const referencedPath = this.#context.referencedPathOf(contentId);
    const opening = () =>
      referencedPath === null
        ? this.#keep(contentId, open(this.path(contentId), 'r+'), true)
        : this.#keep(contentId, open(referencedPath, 'r'), false);
    try {
      return await (known?.handle ?? opening());
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** `null` when what is open may only be read. */
  async #toWrite(contentId: string): Promise<FileHandle | null> {
    for (let known = this.#open.get(contentId); known; known = this.#open.get(contentId)) {
      if (!known.writable) return null;
      try {
        return await known.handle;
      } catch (error) {
        // Somebody wanted to read what is not there: it is made.
        if (!isMissing(error)) throw error;
      }
    }
    return this.#keep(contentId, this.#made(contentId), true);
  }

  async #made(contentId: string): Promise<FileHandle> {
    const path = this.path(contentId);
    try {
      return await open(path, 'r+');
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#context.onNone(contentId);
      return open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    }
  }

  #keep(contentId: string, handle: Promise<FileHandle>, writable: boolean): Promise<FileHandle> {
    const file = { handle, writable };
    this.#open.set(contentId, file);
    handle.catch(() => {
      if (this.#open.get(contentId) === file) this.#open.delete(contentId);
    });
    return handle;
  }
}

/** @throws AceError `StoreFailed` when the disk takes only a part */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  const { bytesWritten } = await file.write(bytes, 0, bytes.byteLength, position);
  if (bytesWritten !== bytes.byteLength) {
    throw new AceError('StoreFailed', 'The disk is full', { reaction: 'pause-channel' });
  }
}
