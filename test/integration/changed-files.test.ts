/** Files of pieces that somebody changes, cuts or removes while the node runs: players get what is right, or nothing. */
import {
  appendFileSync,
  cpSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchWhole, joinedNode, MIB } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';
import { bodyOf, PlayingNode } from '../helpers/playing-node.ts';

const UNITS = 6;

const playing = new PlayingNode('first.bin', MIB);

/** A content that the node has fetched whole. */
async function fetched(seed: string) {
  const path = await makeFile(join(playing.net.dir, `${seed}.bin`), UNITS * MIB, seed);
  const { contentId } = await playing.provider.import({ path });
  await fetchWhole(playing.node.peer, contentId);
  const file = join(joinedNode(playing.net).dataDir, 'pieces', `${contentId}.pieces`);
  return { contentId, bytes: readFileSync(path), file };
}

const played = async (contentId: string, range?: string) =>
  bodyOf(
    await fetch(playing.at(`/content/${contentId}`), { headers: range ? { range: `bytes=${range}` } : {} }),
  );

const received = async (contentId: string) =>
  (await playing.node.peer.library.transfer(contentId)).receivedBytes;

/** Pieces in which the two differ. */
function wrongPieces(some: Buffer, right: Buffer): number[] {
  expect(some.byteLength).toBe(right.byteLength);
  return Array.from({ length: UNITS }, (_, i) => i).filter(
    (i) => !some.subarray(i * MIB, (i + 1) * MIB).equals(right.subarray(i * MIB, (i + 1) * MIB)),
  );
}

async function zeroed(file: string, start: number, end: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(end - start), 0, end - start, start);
  await handle.close();
}

describe('a fetched content whose file is changed while the node runs', () => {
  it('is played right: what is wrong in it is fetched again, and nothing else', async () => {
    const { contentId, bytes, file } = await fetched('zeros');
    await zeroed(file, 2 * MIB + 500, 2 * MIB + 600);
    await zeroed(file, 4 * MIB, 5 * MIB);
    expect(wrongPieces(await played(contentId), bytes)).toEqual([]);
    expect(await received(contentId)).toBe((UNITS + 2) * MIB);
    expect(wrongPieces(readFileSync(file), bytes)).toEqual([]);
    expect(wrongPieces(await played(contentId), bytes)).toEqual([]);
    expect(await received(contentId)).toBe((UNITS + 2) * MIB);
  });

  it('is played right where only a part of a piece is asked for', async () => {
    const { contentId, bytes, file } = await fetched('part');
    await zeroed(file, MIB + 10, MIB + 20);
    const part = await played(contentId, `${MIB + 15}-${MIB + 99}`);
    expect(part.equals(bytes.subarray(MIB + 15, MIB + 100))).toBe(true);
    expect(await received(contentId)).toBe((UNITS + 1) * MIB);
  });

  it('is played right when it was cut', async () => {
    const { contentId, bytes, file } = await fetched('cut');
    truncateSync(file, 3 * MIB + 10);
    expect(wrongPieces(await played(contentId), bytes)).toEqual([]);
    expect(await received(contentId)).toBe((2 * UNITS - 3) * MIB);
  });

  it('is played right when it was removed, and has no holes afterwards', async () => {
    const { contentId, bytes, file } = await fetched('gone');
    await playing.node.peer.pieces.rest(contentId);
    rmSync(file);
    const last = await played(contentId, `${5 * MIB}-`);
    expect(last.equals(bytes.subarray(5 * MIB))).toBe(true);
    expect(wrongPieces(await played(contentId), bytes)).toEqual([]);
    expect(wrongPieces(readFileSync(file), bytes)).toEqual([]);
    expect(await received(contentId)).toBe(2 * UNITS * MIB);
  });
});

describe('a user’s own file with a byte changed in it that looks as it did', () => {
  it('is not played any more, and said to be another file', async () => {
    const path = await makeFile(join(playing.net.dir, 'own.bin'), 2 * MIB, 'own');
    const { peer } = playing.node;
    const { contentId } = await peer.import({ path, byReference: true });
    // As whoever swaps disks under a node may have it: size, time and file are the same.
    const { mtimeMs } = statSync(path);
    utimesSync(path, new Date(mtimeMs), new Date(mtimeMs));
    await peer.import({ path, byReference: true });
    await zeroed(path, MIB + 100, MIB + 200);
    utimesSync(path, new Date(mtimeMs), new Date(mtimeMs));
    const first = await played(contentId, `0-${MIB - 1}`);
    expect(first.equals(readFileSync(path).subarray(0, MIB))).toBe(true);
    expect(peer.store.contents.get(contentId)?.trouble).toBeNull();
    const refused = await played(contentId, `${MIB}-`).then(
      () => false,
      () => true,
    );
    expect(refused).toBe(true);
    expect(peer.store.contents.get(contentId)?.trouble).toBe('changed');
  });
});

describe('a user’s own file that looks changed and has the same bytes', () => {
  const referenced = () => playing.node.peer.pieces.referenced;
  const trouble = (contentId: string) => playing.node.peer.store.contents.get(contentId)?.trouble;

  async function imported(name: string) {
    const path = await makeFile(join(playing.net.dir, name), 2 * MIB + 7, name);
    const { contentId } = await playing.node.peer.import({ path, byReference: true });
    return { path, contentId, bytes: readFileSync(path) };
  }

  it.each([
    ['was touched', (path: string) => utimesSync(path, new Date(1_000), new Date(1_000))],
    [
      'was put there by a copy',
      (path: string) => {
        cpSync(path, `${path}.new`, { preserveTimestamps: true });
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'was away for a while, on another disk',
      (path: string) => {
        cpSync(path, `${path}.away`);
        rmSync(path);
        cpSync(`${path}.away`, path);
      },
    ],
  ])('that %s is taken back without a word, also where it is played at once', async (what, act) => {
    const { path, contentId, bytes } = await imported(`${what}.bin`);
    const told: string[] = [];
    referenced().on('trouble', (id) => told.push(id));
    act(path);
    expect((await played(contentId)).equals(bytes)).toBe(true);
    expect([trouble(contentId), told]).toEqual([null, []]);
  });

  it('is taken back by the next look at all files, and after it was missed', async () => {
    const { path, contentId, bytes } = await imported('missed.bin');
    cpSync(path, `${path}.away`);
    rmSync(path);
    await referenced().checkAll();
    expect(trouble(contentId)).toBe('missing');
    cpSync(`${path}.away`, path);
    await referenced().checkAll();
    await referenced().settled();
    expect(trouble(contentId)).toBeNull();
    expect((await played(contentId)).equals(bytes)).toBe(true);
  });

  it('is another file with other bytes in it, until those are right again', async () => {
    const { path, contentId, bytes } = await imported('one byte.bin');
    await zeroed(path, MIB + 100, MIB + 108);
    await referenced().checkAll();
    await referenced().settled();
    expect(trouble(contentId)).toBe('changed');
    expect((await fetch(playing.at(`/content/${contentId}`))).status).toBe(409);
    writeFileSync(path, bytes);
    expect((await played(contentId)).equals(bytes)).toBe(true);
    expect(trouble(contentId)).toBeNull();
  });
});

describe('a user’s own file that was played before and is another one now', () => {
  it('is refused by name before anything of it is promised', async () => {
    const path = await makeFile(join(playing.net.dir, 'edited.bin'), MIB, 'edited');
    const { contentId } = await playing.node.peer.import({ path, byReference: true });
    expect((await played(contentId)).equals(readFileSync(path))).toBe(true);
    appendFileSync(path, 'x');
    for (const range of ['bytes=0-9', 'bytes=-5']) {
      const refused = await fetch(playing.at(`/content/${contentId}`), { headers: { range } });
      expect(refused.status).toBe(409);
      expect(await refused.text()).toContain('edited.bin was changed after its import');
    }
    expect((await fetch(playing.at(`/content/${contentId}`), { method: 'HEAD' })).status).toBe(409);
    const opened = await fetch(playing.at(`/ace/getstream?content_id=${contentId}&format=json`));
    expect(await opened.json()).toEqual({
      response: null,
      error: expect.stringContaining('was changed after its import'),
    });
    rmSync(path);
    const gone = await fetch(playing.at(`/content/${contentId}`));
    expect(gone.status).toBe(404);
    expect(await gone.text()).toContain('edited.bin is gone');
  });
});
