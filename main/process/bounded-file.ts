/**
 * A file of lines that is bounded in bytes and cannot hurt who writes to it. A line that cannot be written now (no room,
 * a disk that turned read-only) is dropped and counted, nothing waits in memory, and the first line that can be written
 * again comes after one that says how many are missing.
 *
 * Written by hand: pino's SonicBoom throws out of an event when the disk is full, keeps what it could not write, and
 * its flush at exit then never returns; pino-roll and rotating-file-stream write later than they are told, so that the
 * lines before a crash are lost, and end at the first error.
 */
import { closeSync, fchmodSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';

const OWNER_ONLY = 0o600;

export interface BoundedFileOptions {
  readonly path: string;
  /** Then the file becomes `path.1`, in place of the one before: both together never take more than twice this. */
  readonly maxBytes: number;
  /** The line that stands for those that are missing, with its end. */
  readonly missing: (lines: number, cause: unknown) => string;
  /** Lines begin to be dropped. Not called again before one was written. */
  readonly onFailure: (cause: unknown) => void;
}

export class BoundedFile {
  readonly #options: BoundedFileOptions;
  #fd: number | null = null;
  #sizeBytes = 0;
  #missed = 0;
  #cause: unknown = null;

  constructor(options: BoundedFileOptions) {
    this.#options = options;
    try {
      this.#open();
    } catch {
      // The first line tries again, and says it.
    }
  }

  /** `line` with its end. Never throws, and is on its way to the disk when this returns. */
  write(line: string): void {
    const { missing, maxBytes, onFailure } = this.#options;
    try {
      const text = this.#missed === 0 ? line : missing(this.#missed, this.#cause) + line;
      const bytes = Buffer.from(text);
      let fd = this.#open();
      if (this.#sizeBytes > 0 && this.#sizeBytes + bytes.length > maxBytes) fd = this.#turnOver(fd);
      this.#append(fd, bytes);
      this.#missed = 0;
    } catch (error) {
      this.#cause = error;
      this.#missed += 1;
      if (this.#missed === 1) onFailure(error);
    }
  }

  #open(): number {
    if (this.#fd !== null) return this.#fd;
    const fd = openSync(this.#options.path, 'a', OWNER_ONLY);
    this.#fd = fd;
    try {
      // One that was there before may have been open to others.
      fchmodSync(fd, OWNER_ONLY);
    } catch {
      // A disk without modes refuses. The lines matter more, and the start of a node warns of a folder that stays open.
    }
    this.#sizeBytes = fstatSync(fd).size;
    return fd;
  }

  #turnOver(fd: number): number {
    const { path } = this.#options;
    this.#fd = null;
    closeSync(fd);
    try {
      renameSync(path, `${path}.1`);
    } catch (error) {
      // Somebody has taken it away: a new one begins.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return this.#open();
  }

  /** All of it, or nothing of it: half a line would spoil the one that follows. */
  #append(fd: number, bytes: Buffer): void {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
    } catch (error) {
      if (written > 0) ftruncateSync(fd, this.#sizeBytes);
      throw error;
    }
    this.#sizeBytes += written;
  }
}
