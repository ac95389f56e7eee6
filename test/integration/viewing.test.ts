/** What a viewing adds to the network's totals, which set the price of traffic: the bytes viewed and the time it took. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { playCommand } from '../../main/cli/play.ts';
import { type NodeConfig, type RunningNode, startNode } from '../../main/node/node.ts';
import { MIN_WATCH_MS_PER_UNIT } from '../../shared/economy/price.ts';
import { Devnet, joinedNode, MIB, type TestPeer } from '../helpers/devnet.ts';
import { makeFile, makeMedia, sha256OfFile } from '../helpers/files.ts';
import { waitFor } from '../helpers/wait.ts';

let net: Devnet;
let provider: TestPeer;
let config: NodeConfig;
let node: RunningNode;
let before: { videoUnits: bigint; watchMs: bigint };

beforeAll(async () => {
  net = await Devnet.start();
  provider = await net.peer('provider');
  config = joinedNode(net);
  mkdirSync(join(net.dir, 'files'));
  node = await startNode(config);
  // Viewing counts when funds pay it.
  await net.topUp(node.peer.account.address, 1_000_000_000n);
});

afterAll(async () => {
  await node?.stop();
  await net?.stop();
});

beforeEach(async () => {
  before = await totals();
});

const pathOf = (name: string) => join(net.dir, 'files', name);

async function totals(): Promise<{ videoUnits: bigint; watchMs: bigint }> {
  const { videoUnits, watchMs } = (await net.validator.chain.market()).totals;
  return { videoUnits, watchMs };
}

/** What was added since the test began, once all that was claimed by now is settled. */
async function added(): Promise<{ videoUnits: number; watchMs: number }> {
  await provider.claims.now();
  // What a batch paid for counts with the next one.
  for (let batch = 0; batch < 2; batch++) await provider.shardClient.call('settle', {});
  const now = await totals();
  return {
    videoUnits: Number(now.videoUnits - before.videoUnits),
    watchMs: Number(now.watchMs - before.watchMs),
  };
}

async function media(name: string, units: number, durationMs: number): Promise<string> {
  return (await provider.import({ path: await makeMedia(pathOf(name), units * MIB, durationMs) })).contentId;
}

/** Takes all of it, as fast as it comes. */
async function readWhole(contentId: string): Promise<void> {
  const { playbackUrl } = await node.service.play({ contentId, download: false });
  const body = await (await fetch(playbackUrl)).arrayBuffer();
  expect(body.byteLength).toBe(node.peer.store.contents.get(contentId)?.sizeBytes);
}

describe('what counts as viewing', () => {
  it('is what a player reads of a video', async () => {
    const contentId = await media('played.wav', 5, 60_000);
    await readWhole(contentId);
    // So many bytes are no viewing in less: the waiting is the watching.
    await delay(5 * MIN_WATCH_MS_PER_UNIT);
    await node.peer.library.stopTransfer(contentId);
    expect((await added()).videoUnits).toBe(5);
  });

  it('is not a download by the command line', async () => {
    const contentId = await media('kept.wav', 5, 60_000);
    const out = join(net.dir, 'kept.wav');
    await playCommand(config, contentId, { out });
    expect(await sha256OfFile(out)).toBe(await sha256OfFile(pathOf('kept.wav')));
    await node.peer.library.stopTransfer(contentId);
    expect(node.peer.store.payerChannels.all().at(-1)?.state).toMatchObject({
      revealedUnits: 5,
      videoBytes: 0,
    });
    expect(await added()).toEqual({ videoUnits: 0, watchMs: 0 });
  });

  it('is not a file without a time of play, whoever reads it', async () => {
    for (const name of ['data.bin', 'noise.mp4']) {
      const { contentId } = await provider.import({ path: await makeFile(pathOf(name), 3 * MIB, name) });
      await readWhole(contentId);
      await node.peer.library.stopTransfer(contentId);
    }
    expect(await added()).toEqual({ videoUnits: 0, watchMs: 0 });
  });
});

describe('watch time', () => {
  // The waits below are the thing measured: somebody watches for so long.
  const PLAYS_MS = 12_000;
  const channelClosed = () => {
    const last = node.peer.store.payerChannels.all().at(-1)?.lastCheckpoint;
    return last?.checkpoint.final === true && last.payeeSignature !== null;
  };

  it('of a video that was read at once is the whole of it, once there was time to watch it', {
    tags: 'long',
  }, async () => {
    const contentId = await media('whole.wav', 6, PLAYS_MS);
    await readWhole(contentId);
    // Its player has all and says nothing more; a second look at the same bytes is no second viewing.
    await readWhole(contentId);
    await waitFor('the channel closed', channelClosed);
    const { videoUnits, watchMs } = await added();
    expect(videoUnits).toBe(6);
    expect(watchMs).toBeGreaterThan(PLAYS_MS - 20);
    expect(watchMs).toBeLessThanOrEqual(PLAYS_MS);
  });

  it('of a video that was stopped is the time until then', async () => {
    const contentId = await media('stopped.wav', 6, PLAYS_MS);
    const fromMs = performance.now();
    await readWhole(contentId);
    const readMs = performance.now();
    await delay(1_500); // the waiting is the watching
    const watchedMs = performance.now() - readMs;
    await node.service.stop({ contentId });
    const allMs = performance.now() - fromMs;
    const { videoUnits, watchMs } = await added();
    expect(videoUnits).toBe(6);
    expect(watchMs).toBeGreaterThanOrEqual(Math.min(watchedMs, PLAYS_MS) - 50);
    expect(watchMs).toBeLessThanOrEqual(allMs);
  });

  it('is no other title’s, and is counted once when the node starts again in between', {
    tags: 'long',
  }, async () => {
    const playsMs = 3_000;
    const contentId = await media('restarted.wav', 6, playsMs);
    const fromMs = performance.now();
    await readWhole(contentId);
    await delay(1_000); // the waiting is the watching, here and below
    await node.stop();
    const firstMs = performance.now() - fromMs;
    node = await startNode(config);
    await readWhole(contentId);
    await delay(playsMs);
    // Nothing of that is reported along with another title.
    const other = await media('other.wav', 2, 60_000);
    const otherFromMs = performance.now();
    await readWhole(other);
    await delay(500);
    await node.service.stop({ contentId: other });
    const otherMs = performance.now() - otherFromMs;
    const { videoUnits, watchMs } = await added();
    expect(videoUnits).toBe(8);
    expect(watchMs).toBeGreaterThanOrEqual(1_450);
    // What was watched again after the start is in neither.
    expect(watchMs).toBeLessThanOrEqual(firstMs + otherMs);
  });
});
