/** The open files of the piece store: one handle per content. Reading never makes a file. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './file-stamp.ts';

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  readonly writable: boolean;
}

export class PieceFiles {
  readonly #dir: string;
  /** Path of a user's own file, `null` for contents whose file is here. */
  readonly #sourceOf: (contentId: string) => string | null;
  readonly #open = new Map<string, OpenFile>();

  constructor(dir: string, sourceOf: (contentId: string) => string | null) {
    this.#dir = dir;
    this.#sourceOf = sourceOf;
  }

  /** Where this store keeps, or would keep, a content's bytes. */
  path(contentId: string): string {
    return join(this.#dir, `${contentId}.pieces`);
  }

  /** `null` when there is no file. */
  async toRead(contentId: string): Promise<FileHandle | null> {
    const known = this.#open.get(contentId);
    if (known) return known.handle;
    const source = this.#sourceOf(contentId);
    try {
      return await this.#keep(contentId, source ?? this.path(contentId), source === null ? 'r+' : 'r');
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** The store's own file, made when there is none. */
  async toWrite(contentId: string): Promise<FileHandle> {
    const known = this.#open.get(contentId);
    if (known?.writable) return known.handle;
    await this.close(contentId);
    const path = this.path(contentId);
    return this.#keep(contentId, path, 'r+').catch((error: unknown) => {
      if (!isMissing(error)) throw error;
      return this.#keep(contentId, path, 'w+');
    });
  }

  isOpen(contentId: string): boolean {
    return this.#open.has(contentId);
  }

  /** Content ids. */
  all(): string[] {
    return [...this.#open.keys()];
  }

  async close(contentId: string): Promise<void> {
    const file = this.#open.get(contentId);
    this.#open.delete(contentId);
    await (await file?.handle.catch(() => undefined))?.close();
  }

  /** Removes the store's own file of a content; a user's file stays. */
  async remove(contentId: string): Promise<void> {
    await this.close(contentId);
    await rm(this.path(contentId), { force: true });
  }

  #keep(contentId: string, path: string, flags: 'r' | 'r+' | 'w+'): Promise<FileHandle> {
    const known = this.#open.get(contentId);
    if (known) return known.handle;
    const handle = open(path, flags, 0o600);
    const file = { handle, writable: flags !== 'r' };
    this.#open.set(contentId, file);
    handle.catch(() => {
      if (this.#open.get(contentId) === file) this.#open.delete(contentId);
    });
    return handle;
  }
}
