/**
 * The desktop app killed at each step of its closing, while it watches a title and serves another: as a system does that gives it
 * no more time. What it owes and what it has earned is in its books, and the next start settles both.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openNodeStore } from '../../main/db/node/store.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import { BOUNDED_WAYS, CLOSING_STEPS, endTold, OTHER_WAYS, quitKilledAt } from '../helpers/closing-steps.ts';
import { type Devnet, MIB, paidUnits, revealedUnits, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { DoubleApp, endAll, giveWallet, temporaryHome } from '../helpers/electron-double/app.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { waitFor } from '../helpers/wait.ts';

const UNITS = 24;
/** In the middle of both. */
const KILLED_AT_BYTES = 6 * MIB;
/** Slow enough for a test to see the middle. */
const RATE_BYTES_PER_SECOND = 8 * MIB;

afterEach(endAll);

/** An app that watches a title of `provider` and serves one to `viewer`, both under way. */
async function busyApp(net: Devnet) {
  const provider = await net.peer('provider');
  const viewer = await net.peer('viewer');
  const watched = await net.content(provider, UNITS * MIB, 'watched.bin');
  const home = temporaryHome();
  await giveWallet(home);
  const start = () => new DoubleApp({ home, joinMultiaddr: net.validator.multiaddr }).up();
  const app = await start();
  const file = await makeFile(join(net.dir, 'served.bin'), UNITS * MIB, 'served');
  const { output: served } = await app.call<{ output: ContentView }>('importFile', { path: file });
  await app.call('setSettings', {
    downloadBytesPerSecond: RATE_BYTES_PER_SECOND,
    uploadBytesPerSecond: RATE_BYTES_PER_SECOND,
  });
  const watch = (one: DoubleApp) => play(one, watched.contentId);
  await watch(app);
  const serving = await viewer.library.transfer(served.contentId);
  serving.download();
  await waitFor(
    'both are under way',
    async () =>
      serving.haveBytes >= KILLED_AT_BYTES && (await haveBytes(app, watched.contentId)) >= KILLED_AT_BYTES,
    60_000,
  );
  return { provider, viewer, watched, served, serving, app, start, watch, dataDir: join(home, 'data') };
}

async function play(app: DoubleApp, contentId: string): Promise<void> {
  await waitFor('it is found', async () => {
    const answer = await app.call<{ error?: { code: string } }>('play', { contentId, download: true });
    return answer.error === undefined;
  });
}

async function haveBytes(app: DoubleApp, contentId: string): Promise<number> {
  const { output } = await app.call<{ output: readonly ContentView[] }>('contents');
  return output.find((one) => one.contentId === contentId)?.haveBytes ?? 0;
}

/** What a process that was killed has left: never less than what others know of. */
function expectBooksKept(dataDir: string, provider: TestPeer, viewer: TestPeer, contentId: string): void {
  const store = openNodeStore(join(dataDir, 'node.db'));
  try {
    const have = store.contents.pieces.of(contentId);
    const states = store.payerChannels.all().map(({ state }) => state);
    const sum = (pick: (state: (typeof states)[number]) => number) =>
      states.reduce((total, state) => total + pick(state), 0);
    // Owed: booked together, a verified piece and its payment; and nobody has a tick that these books do not know.
    expect(sum((s) => s.verifiedBytes)).toBe(have.length * MIB);
    expect(sum((s) => s.revealedUnits)).toBeGreaterThanOrEqual(paidUnits(provider));
    // Earned: what the viewer has revealed, but for the ticks that were on their way, which the next greeting brings.
    const earned = store.payeeChannels.paidUnits();
    expect(earned).toBeLessThanOrEqual(revealedUnits(viewer));
    expect(earned).toBeGreaterThan(0);
    for (const { state } of store.payeeChannels.all())
      expect(Math.ceil(state.servedBytes / MIB) - state.paidUnits).toBeLessThanOrEqual(8);
  } finally {
    store.close();
  }
}

describe('the desktop app, asked to quit while it watches and serves', () => {
  // What loses nothing by the one loses nothing by the others.
  it.each<readonly [string, string | undefined]>([['quitting', undefined], ...OTHER_WAYS])(
    'takes by %s the steps at which it is killed below, in this order',
    async (how, way) => {
      const { app } = await busyApp(await useDevnet());
      await app.run(endTold(CLOSING_STEPS, way)).catch(() => undefined);
      await waitFor('it has taken the last one', () => app.stderr.includes('step: just before it ends'));
      const told = [...new Set([...app.stderr.matchAll(/^step: (.*)$/gm)].map(([, name]) => name ?? ''))];
      // Who is asked by a call writes on until it is heard: commits are counted from when they ask.
      const ofWay = (names: string[]) =>
        way === undefined ? names : names.filter((name) => !/its commit/.test(name));
      const taken = ofWay(told);
      const all = ofWay(CLOSING_STEPS.map(({ name }) => name));
      // A system waits for so long: on a busy machine it cuts some off, and the order stays.
      const due = BOUNDED_WAYS.has(how) ? all.filter((name) => taken.includes(name)) : all;
      expect(taken).toEqual(due);
      expect(taken).toContain(all[0]);
    },
  );

  it.each(CLOSING_STEPS.map((step) => [step.name, step] as const))(
    'and killed %s, has lost nothing that it owes or earned',
    async (_name, step) => {
      const net = await useDevnet();
      const busy = await busyApp(net);
      const { provider, viewer, watched, serving, app, dataDir } = busy;
      await app.run(quitKilledAt(step)).catch(() => undefined);
      expect(await app.ended, app.stderr).toBeNull();
      expect(app.child.signalCode).toBe('SIGKILL');
      expectBooksKept(dataDir, provider, viewer, watched.contentId);

      const again = await busy.start();
      await busy.watch(again);
      serving.download();
      await waitFor(
        'both have ended',
        async () =>
          serving.state === 'done' && (await haveBytes(again, watched.contentId)) === watched.sizeBytes,
        90_000,
      );
      await viewer.library.stopTransfer(busy.served.contentId);
      await again.run('electron.app.quit()').catch(() => undefined);
      expect(await again.ended, again.stderr).toBe(0);
      expect(existsSync(join(dataDir, 'control.json'))).toBe(false);

      const store = openNodeStore(join(dataDir, 'node.db'));
      try {
        // A unit that was sent and never came is paid once more, at most.
        expect(store.payerChannels.revealedUnits()).toBeLessThanOrEqual(UNITS + 1);
        expect(store.payerChannels.revealedUnits()).toBe(paidUnits(provider));
        expect(store.payeeChannels.paidUnits()).toBe(revealedUnits(viewer));
        expect(store.payeeChannels.paidUnits()).toBeGreaterThanOrEqual(UNITS);
      } finally {
        store.close();
      }
      expect(await sha256OfFile(join(dataDir, 'pieces', `${watched.contentId}.pieces`))).toBe(
        await sha256OfFile(join(provider.dir, 'pieces', `${watched.contentId}.pieces`)),
      );
      await provider.claims.now();
      await provider.shardClient.call('settle', {});
      await net.expectConserved();
    },
    240_000,
  );
});
