/**
 * A viewer whose clock is wrong: ahead, behind, from the start or in mid-stream. Before it was held against its shard's,
 * a player got a head and then nothing, for ever, and what a clock 40 days ahead had begun blocked that provider for good.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { uptime } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { PayerService } from '../../main/channel/payer.ts';
import { describeStatus } from '../../main/cli/status.ts';
import { contentHandler } from '../../main/players/handler.ts';
import { createLog } from '../../main/process/log.ts';
import { SharingService } from '../../main/service/sharing.ts';
import { snapshotOf } from '../../main/service/snapshot.ts';
import { AceError } from '../../shared/errors.ts';
import { Devnet, MIB, paidUnits, type TestPeer } from '../helpers/devnet.ts';
import { NO_AUTO_TOP_UP } from '../helpers/spending.ts';
import { waitFor } from '../helpers/wait.ts';

const DAY_MS = 24 * 3_600_000;
/** More than is fetched ahead of a reader. */
const UNITS = 24;

/** A peer whose wall clock is so far ahead; nobody else's is wrong. */
async function turnedPeer(net: Devnet, name: string, startsAheadMs = 0) {
  let aheadMs = startsAheadMs;
  const clocks = { wallMs: () => Date.now() + aheadMs, uptimeMs: () => uptime() * 1_000 };
  const peer = await net.peer(name, undefined, undefined, undefined, { clocks });
  return {
    peer,
    turn: (ms: number) => {
      aheadMs = ms;
    },
  };
}

/** What a player gets. */
async function play(peer: TestPeer, contentId: string): Promise<{ status: number; text: string }> {
  const importUpload = () => Promise.reject(new Error('nothing is uploaded'));
  const server = createServer(
    contentHandler({ peer, token: () => '', importUpload, log: createLog(null) }),
  ).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/content/${contentId}`);
  return { status: response.status, text: response.status === 200 ? '' : await response.text() };
}

function statusOf(peer: TestPeer): string {
  const sharing = new SharingService(peer.store, () => Date.now());
  const place = { version: '0', dataDir: peer.dir, ownDevnet: false, startedAtMs: 0, pagesUrl: null };
  return describeStatus(
    snapshotOf(peer, { ...place, sharing, autoTopUp: { view: () => NO_AUTO_TOP_UP } }),
    true,
  );
}

const openings = (peer: TestPeer) =>
  peer.store.payerChannels.all().filter(({ state }) => state.status === 'opening').length;

it('a player is told at once, and all goes on by itself when the clock is right', {
  tags: 'long',
  timeout: 60_000,
}, async () => {
  const net = await Devnet.start();
  onTestFinished(() => net.stop());
  const provider = await net.peer('provider');
  const wrong = [
    ['30 days ahead', 30 * DAY_MS, /about 30 days ahead of the network/],
    ['3 days behind', -3 * DAY_MS, /about 3 days behind the network/],
    ['1970', -Date.now(), /about [\d,]+ days behind the network/],
  ] as const;
  const expectTold = async ([name, aheadMs, words]: (typeof wrong)[number]) => {
    const { contentId } = await net.content(provider, 2 * MIB, `${name}.bin`);
    const { peer, turn } = await turnedPeer(net, name, aheadMs);
    const { status, text } = await play(peer, contentId);
    expect([name, status]).toEqual([name, 503]);
    expect(text).toMatch(words);
    const transfer = await peer.library.transfer(contentId);
    transfer.download();
    await waitFor(`${name}: says why it waits`, () => transfer.reason?.code === 'OwnClockWrong');
    expect(transfer.state).toBe('paused');
    expect(statusOf(peer)).toMatch(/^CLOCK WRONG +The clock of this computer is about/m);
    expect(openings(peer)).toBe(0);
    turn(0);
    await waitFor(`${name}: done`, () => transfer.state === 'done');
    expect(statusOf(peer)).not.toContain('CLOCK WRONG');
    expect((await play(peer, contentId)).status).toBe(200);
    await peer.stop();
  };
  await Promise.all(wrong.map(expectTold));

  // In mid-stream, and by less than stops anything.
  const { contentId } = await net.content(provider, UNITS * MIB);
  const { peer, turn } = await turnedPeer(net, 'mid-stream');
  const before = paidUnits(provider);
  const transfer = await peer.library.transfer(contentId);
  transfer.addReader(0);
  await waitFor('some pieces', () => transfer.paidUnits >= 2);
  turn(400 * DAY_MS);
  transfer.download();
  await waitFor('says why it waits', () => transfer.reason?.code === 'OwnClockWrong');
  expect(statusOf(peer)).toMatch(/CLOCK WRONG .*400 days/);
  expect(peer.store.payerChannels.all().map(({ state }) => state.status)).not.toContain('expired');
  turn(3_600_000);
  await waitFor('done, an hour off', () => transfer.state === 'done');
  await waitFor('an hour is said', () =>
    /CLOCK WRONG .*60 minutes ahead.*: set it right$/m.test(statusOf(peer)),
  );
  await waitFor('paid once each', () => paidUnits(provider) - before === UNITS);
});

it('an opening that a wrong clock made is forgotten, and made anew', { timeout: 60_000 }, async () => {
  const net = await Devnet.start();
  onTestFinished(() => net.stop());
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 2 * MIB);
  const { peer } = await turnedPeer(net, 'viewer');
  const transfer = await peer.library.transfer(contentId);
  // As a node of before left it.
  const wrong = new PayerService({
    ...{ store: peer.store, settings: peer.settings, account: peer.account.address, device: peer.device },
    leases: {
      shard: 0,
      leasableUnits: async () => 8,
      lease: () => Promise.reject(new AceError('RequestTimeout', '')),
    },
    nowMs: () => Date.now() + 40 * DAY_MS,
  });
  const payee = { account: provider.account.address, device: provider.device.publicKey };
  await expect(wrong.channelTo(payee, 8)).rejects.toThrow();
  expect(openings(peer)).toBe(1);
  transfer.download();
  await waitFor('done', () => transfer.state === 'done');
  expect(openings(peer)).toBe(0);
});
