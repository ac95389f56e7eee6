/** Contents that are larger than the limit of the disk: played through a window, to their end. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { Devnet, fetchWhole, joinedNode, MIB, revealedUnits, type TestPeer } from '../helpers/devnet.ts';
import { piecesOnDisk, watchDisk } from '../helpers/disk.ts';
import { makeFile } from '../helpers/files.ts';
import { standsStill, waitFor } from '../helpers/wait.ts';

const LIMIT = 16 * MIB;
const UNITS = 32;
const SIZE = UNITS * MIB - 1_000;

let net: Devnet;
let provider: TestPeer;
let node: RunningNode;
let dir: string;

beforeAll(async () => {
  net = await Devnet.start();
  provider = await net.peer('provider');
  const config = joinedNode(net);
  dir = join(config.dataDir, 'pieces');
  node = await startNode(config);
  await node.peer.setLimits({ cacheBytes: LIMIT });
});

afterAll(async () => {
  await node?.stop();
  await net?.stop();
});

async function film(seed: string): Promise<{ contentId: string; bytes: Buffer }> {
  const path = await makeFile(join(net.dir, `${seed}.bin`), SIZE, seed);
  return { contentId: (await provider.import({ path })).contentId, bytes: readFileSync(path) };
}

const url = (contentId: string) => new URL(`/content/${contentId}`, node.http.url);
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function playAll(contentId: string, range = ''): Promise<Buffer> {
  const response = await fetch(url(contentId), { headers: range ? { range: `bytes=${range}` } : {} });
  return Buffer.from(await response.arrayBuffer());
}

describe('a content that is larger than the limit', () => {
  it('is played to its end, whole and right, and never takes up more than the limit', {
    tags: 'long',
  }, async () => {
    const { contentId, bytes } = await film('long');
    const disk = watchDisk(dir);
    expect(hashOf(await playAll(contentId))).toBe(hashOf(bytes));
    expect(disk.peak()).toBeLessThanOrEqual(LIMIT);
    expect(disk.peak()).toBeGreaterThan(LIMIT / 2);
    const transfer = await node.peer.library.transfer(contentId);
    expect(transfer.receivedBytes).toBe(SIZE);
    expect(transfer.reason).toBeNull();
    // Nothing is said to be here that is not.
    const have = node.peer.store.contents.pieces.of(contentId);
    expect(have.length).toBeLessThanOrEqual(16);
    for (const index of have) {
      const piece = await node.peer.pieces.read(contentId, index, SIZE);
      expect(hashOf(piece)).toBe(hashOf(bytes.subarray(index * MIB, (index + 1) * MIB)));
    }
    expect(node.peer.pieces.cache.usedBytes).toBe(piecesOnDisk(dir));
  });

  it('is fetched, and paid, again where a player jumps back to what is gone', { tags: 'long' }, async () => {
    const { contentId, bytes } = await film('back');
    await playAll(contentId);
    const before = revealedUnits(node.peer);
    const transfer = await node.peer.library.transfer(contentId);
    const start = 2 * MIB + 17;
    expect(await playAll(contentId, `${start}-${5 * MIB}`)).toEqual(bytes.subarray(start, 5 * MIB + 1));
    expect(transfer.receivedBytes).toBeGreaterThanOrEqual(SIZE + 4 * MIB);
    await waitFor('it is paid', () => revealedUnits(node.peer) >= before + 3);
  });

  it('is played by two at different places at once', { tags: 'long' }, async () => {
    const { contentId, bytes } = await film('twice');
    const disk = watchDisk(dir);
    const [first, second] = await Promise.all([playAll(contentId), playAll(contentId, `${20 * MIB}-`)]);
    expect(hashOf(first)).toBe(hashOf(bytes));
    expect(hashOf(second)).toBe(hashOf(bytes.subarray(20 * MIB)));
    expect(disk.peak()).toBeLessThanOrEqual(LIMIT);
  });

  it('leaves room for another such content that is played at the same time', { tags: 'long' }, async () => {
    const [one, other] = [await film('one'), await film('other')];
    const disk = watchDisk(dir);
    const played = await Promise.all([playAll(one.contentId), playAll(other.contentId)]);
    expect(played.map(hashOf)).toEqual([hashOf(one.bytes), hashOf(other.bytes)]);
    expect(disk.peak()).toBeLessThanOrEqual(LIMIT);
  });

  it('keeps what a player that waits has before it', { tags: 'long' }, async () => {
    const { contentId, bytes } = await film('waits');
    const waiting = await fetch(url(contentId));
    const reader = waiting.body?.getReader();
    const first = await reader?.read();
    await playAll(contentId, `${20 * MIB}-`);
    await standsStill('what is here', () => node.peer.store.contents.pieces.of(contentId));
    const [at = -1] = (await node.peer.library.transfer(contentId)).readerPieces;
    expect(at).toBeGreaterThanOrEqual(0);
    // Half the window was its own.
    for (let i = at; i < at + 7; i++) expect(node.peer.store.contents.pieces.has(contentId, i)).toBe(true);
    const parts = [Buffer.from(first?.value ?? [])];
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
      parts.push(Buffer.from(next.value));
    expect(hashOf(Buffer.concat(parts))).toBe(hashOf(bytes));
  });

  it('is refused as a download, by name, before a byte of it is paid', async () => {
    const { contentId } = await film('kept');
    const transfer = await node.peer.library.transfer(contentId);
    transfer.download();
    await waitFor('it is paused', () => transfer.state === 'paused');
    expect(transfer.reason?.message).toContain('"kept.bin" (32 MiB) does not fit: the limit is 16 MiB');
    expect(transfer.receivedBytes).toBe(0);
    await node.peer.library.stopTransfer(contentId);
  });

  it('tells others at once what of it is gone', { tags: 'long' }, async () => {
    const { contentId, bytes } = await film('passed on');
    await playAll(contentId, `0-${10 * MIB}`);
    const viewer = await net.peer();
    const transfer = await viewer.library.transfer(contentId);
    await playAll(contentId, `${10 * MIB}-`);
    transfer.download();
    await waitFor('it is whole', () => transfer.state === 'done');
    expect(hashOf(await readWhole(viewer, contentId))).toBe(hashOf(bytes));
    const used = transfer.providers.find(({ peerId }) => peerId === node.peer.host.peerId.toString());
    expect(used).toBeDefined();
  });
});

const readWhole = async (peer: TestPeer, contentId: string) => {
  const pieces = [];
  for (let i = 0; i < UNITS; i++) pieces.push(await peer.pieces.read(contentId, i, SIZE));
  return Buffer.concat(pieces);
};

describe('a content that was kept whole', () => {
  it('is played on through a window when the limit is lowered, from the file that was there', {
    tags: 'long',
  }, async () => {
    await node.peer.setLimits({ cacheBytes: null });
    const { contentId, bytes } = await film('lowered');
    await playAll(contentId, `0-${9 * MIB}`);
    expect(existsSync(join(dir, `${contentId}.pieces`))).toBe(true);
    await node.peer.setLimits({ cacheBytes: LIMIT });
    const disk = watchDisk(dir);
    expect(hashOf(await playAll(contentId))).toBe(hashOf(bytes));
    expect(disk.peak()).toBeLessThanOrEqual(LIMIT);
  });

  it('stays whole while it fits', { tags: 'long' }, async () => {
    const small = await makeFile(join(net.dir, 'small.bin'), 12 * MIB, 'small');
    const { contentId } = await provider.import({ path: small });
    await fetchWhole(node.peer, contentId);
    expect(readFileSync(join(dir, `${contentId}.pieces`)).equals(readFileSync(small))).toBe(true);
  });
});
