/**
 * Pieces in files of their own, for contents that do not fit whole below the limit of the disk: each can go alone,
 * wherever in the content it is. `CONTENT.loose/INDEX` has a piece's bytes, all of them: it is written beside its name.
 *
 * Which files are here, how large they are and when each was used is kept in memory, least recently used first. A file
 * without a row in the books is of no worth: what a kill left of that kind is removed at the start.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir, open, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './file-stamp.ts';

const LOOSE = '.loose';
const BLOCK_BYTES = 4_096;

interface LooseFile {
  /** On the disk. */
  readonly bytes: number;
  readonly usedAtMs: number;
}

export class LoosePieces {
  readonly #dir: string;
  readonly #nowMs: () => number;
  /** By content, then by piece, least recently used first. */
  readonly #files = new Map<string, Map<number, LooseFile>>();
  #writes = 0;

  /** @param isBooked whether the books have this piece; what they do not have is removed */
  constructor(
    dir: string,
    nowMs: () => number,
    isBooked: (contentId: string, pieceIndex: number) => boolean,
  ) {
    this.#dir = dir;
    this.#nowMs = nowMs;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(dir)) {
      if (name.endsWith(LOOSE)) this.#load(name.slice(0, -LOOSE.length), isBooked);
    }
  }

  has(contentId: string, pieceIndex: number): boolean {
    return this.#files.get(contentId)?.has(pieceIndex) ?? false;
  }

  /** Whether any piece of the content is here. */
  holds(contentId: string): boolean {
    return (this.#files.get(contentId)?.size ?? 0) > 0;
  }

  /** Bytes that the content's loose pieces take up on the disk. */
  bytes(contentId: string): number {
    let sum = 0;
    for (const { bytes } of this.#files.get(contentId)?.values() ?? []) sum += bytes;
    return sum;
  }

  /** Its pieces here, least recently used first, with the time of that. */
  byUse(contentId: string): [pieceIndex: number, usedAtMs: number][] {
    return [...(this.#files.get(contentId) ?? [])].map(([index, { usedAtMs }]) => [index, usedAtMs]);
  }

  /** A piece's path, for those who say what is wrong with it. */
  path(contentId: string, pieceIndex: number): string {
    return join(this.#folder(contentId), String(pieceIndex));
  }

  /** As much of `target` as the piece has; nothing when it is not here. */
  async read(contentId: string, pieceIndex: number, target: Uint8Array): Promise<Uint8Array> {
    const file = await open(this.path(contentId, pieceIndex)).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (!file) return target.subarray(0, 0);
    try {
      const { bytesRead } = await file.read(target, 0, target.byteLength, 0);
      this.#use(contentId, pieceIndex);
      return target.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  /** The answer is how many bytes more the disk holds now. */
  async write(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<number> {
    await mkdir(this.#folder(contentId), { recursive: true, mode: 0o700 });
    const path = this.path(contentId, pieceIndex);
    const temporary = `${path}.${this.#writes++}`;
    try {
      await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600 });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    const files = this.#files.get(contentId) ?? new Map<number, LooseFile>();
    this.#files.set(contentId, files);
    const before = files.get(pieceIndex)?.bytes ?? 0;
    const now = inBlocks(bytes.byteLength);
    files.delete(pieceIndex);
    files.set(pieceIndex, { bytes: now, usedAtMs: this.#nowMs() });
    return now - before;
  }

  /** Whether a piece of this length could be written now. @throws what the disk says */
  async probe(contentId: string, lengthBytes: number): Promise<void> {
    await mkdir(this.#folder(contentId), { recursive: true, mode: 0o700 });
    const temporary = join(this.#folder(contentId), `probe.${this.#writes++}`);
    try {
      await writeFile(temporary, new Uint8Array(lengthBytes), { flag: 'wx' });
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async remove(contentId: string, pieces: readonly number[]): Promise<void> {
    const files = this.#files.get(contentId);
    if (!files) return;
    for (const pieceIndex of pieces) {
      if (!files.delete(pieceIndex)) continue;
      await unlink(this.path(contentId, pieceIndex)).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
    // The folder stays: a piece may be being written into it.
  }

  async removeAll(contentId: string): Promise<void> {
    if (this.#files.delete(contentId)) await rm(this.#folder(contentId), { recursive: true, force: true });
  }

  /** Makes these pieces outlast a power cut. Those that are not here any more need not. */
  async flush(contentId: string, pieces: readonly number[]): Promise<void> {
    const here = pieces.filter((pieceIndex) => this.has(contentId, pieceIndex));
    if (here.length === 0) return;
    for (const pieceIndex of here) await flushed(this.path(contentId, pieceIndex), 'r+');
    // Windows opens no folder, and needs none flushed.
    if (process.platform !== 'win32') await flushed(this.#folder(contentId), 'r');
  }

  /** What tells that all of them are as they were left; `null` when there are none. */
  async stamp(contentId: string): Promise<string | null> {
    const files = this.#files.get(contentId);
    if (!files || files.size === 0) return null;
    const hash = createHash('sha256');
    for (const pieceIndex of [...files.keys()].sort((a, b) => a - b)) {
      const found = await stat(this.path(contentId, pieceIndex), { bigint: true }).catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      });
      hash.update(`${pieceIndex}:${found?.size}:${found?.mtimeNs}:${found?.ino}\n`);
    }
    return `${files.size}:${hash.digest('hex')}`;
  }

  #load(contentId: string, isBooked: (contentId: string, pieceIndex: number) => boolean): void {
    const folder = this.#folder(contentId);
    const found: [number, LooseFile][] = [];
    for (const name of readdirSync(folder)) {
      const pieceIndex = /^\d+$/.test(name) ? Number(name) : null;
      if (pieceIndex === null || !isBooked(contentId, pieceIndex))
        rmSync(join(folder, name), { recursive: true });
      else {
        const { size, mtimeMs } = statSync(join(folder, name));
        found.push([pieceIndex, { bytes: inBlocks(size), usedAtMs: mtimeMs }]);
      }
    }
    if (found.length === 0) rmSync(folder, { recursive: true });
    else this.#files.set(contentId, new Map(found.sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs)));
  }

  #use(contentId: string, pieceIndex: number): void {
    const files = this.#files.get(contentId);
    const file = files?.get(pieceIndex);
    if (!files || !file) return; // dropped meanwhile
    files.delete(pieceIndex);
    files.set(pieceIndex, { ...file, usedAtMs: this.#nowMs() });
  }

  #folder(contentId: string): string {
    return join(this.#dir, `${contentId}${LOOSE}`);
  }
}

function inBlocks(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
}

async function flushed(path: string, flags: 'r' | 'r+'): Promise<void> {
  const file = await open(path, flags).catch((error: unknown) => {
    if (isMissing(error)) return null; // dropped meanwhile
    throw error;
  });
  try {
    await file?.sync();
  } finally {
    await file?.close();
  }
}
