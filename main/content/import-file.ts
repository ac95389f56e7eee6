/**
 * Imports a file: one pass that hashes, and copies where it is asked to, then signs. Memory does not grow with its size.
 * By reference the user's own file is served, as long as it is the one that was read (`referenced-files.ts`).
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { AccessTerms } from '../../shared/economy/access-terms.ts';
import { PIECE_BYTES, pieceCount } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { ContentRow } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { storeError } from '../db/open.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { stampOf } from './file-stamp.ts';
import { durationApart } from './media-thread.ts';
import { mimeTypeOf } from './mime-type.ts';
import type { PieceStore } from './piece-store.ts';
import {
  chunkHashesOf,
  isContentName,
  MAX_CONTENT_BYTES,
  makeTransportFile,
  pieceHash,
} from './transport-file.ts';

export interface ImportOptions {
  readonly path: string;
  /** Shown to others; the file's own name when left out. */
  readonly name?: string;
  /** Serve the file where it lies; otherwise it is copied into the piece store, and pinned there. */
  readonly byReference?: boolean;
  /** What access to it costs; left out: nothing. */
  readonly access?: AccessTerms;
  readonly onProgress?: (doneBytes: number, sizeBytes: number) => void;
}

/**
 * Makes a file a content of this node. The same file again gives the same content, where it lies now.
 * @throws AceError `InvalidInput`, `FileMissing`, `FileUnreadable`, `ContentEmpty`, `ContentTooLarge`, `CacheFull`,
 *   `StoreFailed`
 */
export async function importFile(
  store: NodeStore,
  pieces: PieceStore,
  device: DeviceIdentity,
  nowMs: () => number,
  options: ImportOptions,
): Promise<ContentRow> {
  const path = resolve(options.path);
  const { name = basename(path).replaceAll('\\', '_'), byReference = false, onProgress, access } = options;
  if (!isContentName(name)) {
    throw new AceError(
      'InvalidInput',
      `"${name}" cannot be the name of a content: it is too long or has a path in it`,
      { details: { field: 'name', reason: 'name' } },
    );
  }
  const sizeBytes = await checkedSize(path);
  const release = byReference ? () => {} : await pieces.cache.reserveImport(name, sizeBytes);
  const temporary = byReference ? null : pieces.wholeFiles.temporaryPath();
  try {
    const stampBefore = await stampOf(path);
    const pieceHashes = await readAndHash(path, temporary, sizeBytes, onProgress);
    const mimeType = await mimeTypeOf(path, name, path);
    const durationMs = await durationApart(path, mimeType);
    if (stampBefore === null || (await stampOf(path)) !== stampBefore) throw changed(path);
    const { contentId, bytes } = makeTransportFile(
      { name, kind: 'vod', mimeType, sizeBytes, durationMs, pieceHashes, ...(access && { access }) },
      device,
    );
    // The bytes are in place before anyone is told of the content.
    const file = temporary
      ? await pieces.wholeFiles.adopt(contentId, temporary)
      : { path, stamp: stampBefore };
    store.commit(() => {
      store.contents.insert({
        contentId,
        transport: bytes,
        name,
        mimeType,
        sizeBytes,
        durationMs,
        origin: 'imported',
        addedAtMs: nowMs(),
        sold: access !== undefined,
      });
      store.contents.setOrigin(contentId, 'imported');
      store.contents.setFile(contentId, file);
      // There may be no other copy of what was copied.
      if (!byReference) store.contents.setPinned(contentId, true);
      for (let i = 0; i < pieceHashes.length; i++) store.contents.pieces.add(contentId, i, true);
    });
    await pieces.fileChanged(contentId);
    const row = store.contents.get(contentId);
    if (!row) throw new AceError('Internal', 'The imported content is gone');
    return row;
  } catch (error) {
    throw storeError(error, path);
  } finally {
    release();
    if (temporary) await rm(temporary, { force: true });
  }
}

async function checkedSize(path: string): Promise<number> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new AceError('FileMissing', missingText(path), { cause });
    throw new AceError('FileUnreadable', `${path} cannot be read`, { cause });
  });
  if (info.isDirectory()) {
    throw new AceError('FileUnreadable', `${path} is a folder`, { details: { reason: 'folder' } });
  }
  if (!info.isFile()) throw new AceError('FileUnreadable', `${path} is not a file`);
  if (info.size === 0) throw new AceError('ContentEmpty', `${path} is empty: there is nothing to share`);
  if (info.size > MAX_CONTENT_BYTES) throw new AceError('ContentTooLarge', `${path} is larger than 64 GB`);
  return info.size;
}

/** Node has put U+FFFD where a name's bytes are no UTF-8, and so looked for another file than was meant. */
function missingText(path: string): string {
  const why = path.includes('\uFFFD') ? ': its name is not valid UTF-8, rename it first' : '';
  return `There is no file ${path}${why}`;
}

/** The pieces' hashes. `target` gets a flushed copy, where there is one. */
async function readAndHash(
  path: string,
  target: string | null,
  sizeBytes: number,
  onProgress: ImportOptions['onProgress'],
): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = [];
  const input = createReadStream(path, { highWaterMark: PIECE_BYTES });
  const output =
    target === null ? null : createWriteStream(target, { flags: 'wx', mode: 0o600, flush: true });
  let doneBytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  const take = (piece: Buffer) => hashes.push(pieceHash(chunkHashesOf(piece)));
  try {
    for await (const data of input as AsyncIterable<Buffer>) {
      doneBytes += data.byteLength;
      if (doneBytes > sizeBytes) throw new AceError('FileUnreadable', `${path} grew while it was read`);
      rest = rest.byteLength === 0 ? data : Buffer.concat([rest, data]);
      for (; rest.byteLength >= PIECE_BYTES; rest = rest.subarray(PIECE_BYTES))
        take(rest.subarray(0, PIECE_BYTES));
      if (output && !output.write(data)) await once(output, 'drain');
      onProgress?.(doneBytes, sizeBytes);
    }
    if (rest.byteLength > 0) take(rest);
    if (doneBytes !== sizeBytes || hashes.length !== pieceCount(sizeBytes)) throw changed(path);
    output?.end();
    if (output) await once(output, 'close');
    return hashes;
  } catch (error) {
    input.destroy();
    output?.destroy();
    if (error instanceof AceError || (error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    throw new AceError('FileUnreadable', `${path} cannot be read`, { cause: error });
  }
}

function changed(path: string): AceError {
  return new AceError('FileUnreadable', `${path} changed while it was read`);
}
