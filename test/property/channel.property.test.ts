/**
 * Random lives of channels between a payer, a payee and a shard, on the real services and files, against a model of a
 * few integers: what the wire has truly carried. Messages get lost, repeated, reordered and replayed, and each party is
 * killed, restarted, or set back to an old copy of its books.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { settle } from '../../main/validator/batching.ts';
import { windowUnits } from '../../shared/channel/payee.ts';
import { TRAFFIC_UNIT_BYTES, unitsForBytes } from '../../shared/economy/units.ts';
import { isAceError } from '../../shared/errors.ts';
import type { Truth } from '../helpers/channel-truth.ts';
import {
  CAPACITY_UNITS,
  ChannelWorld,
  PAYER,
  type Side,
  WINDOW_CAP_UNITS,
} from '../helpers/channel-world.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const TIME_LIMIT_MS = 8_000;
const DAY_MS = 24 * 3_600_000;
const NO_CHANNEL = new Uint8Array(32);

type Command = fc.AsyncCommand<Truth, World>;

/** The world, and what it looked like after the step before. */
class World extends ChannelWorld {
  readonly leases = new Map<string, { readonly claimedUnits: number; readonly released: number }>();
  chargedUnits = 0;
}

async function connect(world: World): Promise<void> {
  try {
    await world.connect();
  } catch (error) {
    const codes = ['CreditExhausted', 'LeaseRefused', 'RequestTimeout'];
    if (!isAceError(error) || !codes.includes(error.code)) throw error;
  }
}

/** An honest stretch: everything that is asked for arrives, and is paid. */
async function stream(world: World, pieces: readonly number[], name: string): Promise<void> {
  await connect(world);
  await world.pump();
  for (const [i, bytes] of pieces.entries()) {
    world.request(`${name}/${i}`, bytes);
    await world.pump();
  }
}

/** The payer asks for much and reads nothing: the payee sends as far as its window reaches. */
async function ask(world: World, pieces: readonly number[], name: string): Promise<void> {
  await connect(world);
  await world.pump();
  for (const [i, bytes] of pieces.entries()) world.request(`${name}/${i}`, bytes);
  while (world.toPayee.length > 0) await world.deliverToPayee();
  for (const _ of pieces) world.serve();
}

/** Both sides end what is open between them. The books of a channel that both have signed off are the same. */
async function closeAll(world: World): Promise<void> {
  world.breakUp();
  for (let attempt = 0; attempt < 3; attempt++) {
    await connect(world);
    await world.pump();
    world.finish();
    await world.pump();
  }
  for (const { state, lastCheckpoint } of world.stores.payer.payerChannels.all()) {
    if (!lastCheckpoint?.checkpoint.final || !lastCheckpoint.payeeSignature) continue;
    const theirs = world.stores.payee.payeeChannels.get(state.channelId);
    // An old copy may have forgotten what it signed.
    if (world.truth.rollbacks.payee > 0) continue;
    expect(theirs?.lastCheckpoint).toEqual(lastCheckpoint);
    expect(theirs?.state.paidUnits).toBe(state.revealedUnits);
  }
  if (world.truth.rollbacks.payer + world.truth.rollbacks.payee > 0) return;
  const open = world.stores.payer.payerChannels
    .all()
    .filter(({ state }) => state.status === 'open' || state.status === 'paused');
  expect(open.map(({ state }) => state)).toEqual([]);
}

async function check(world: World): Promise<void> {
  const { shard, stores, truth } = world;
  // The payee: what it served and is not paid for never exceeds its window, over all channels of the payer.
  const { paidUnits, unpaidUnits } = stores.payee.payeeChannels.historyOf({
    payer: PAYER.account.address,
    channelId: NO_CHANNEL,
    debtSinceMs: shard.nowMs - DAY_MS,
  });
  expect(unpaidUnits).toBeLessThanOrEqual(windowUnits(paidUnits, WINDOW_CAP_UNITS));

  let [tickUnits, verifiedUnits, appliedUnits] = [0, 0, 0];
  for (const [key, { channelId, deepestTick, verifiedBytes, sentBytes }] of truth.channels) {
    tickUnits += deepestTick;
    verifiedUnits += unitsForBytes(verifiedBytes);
    const payer = stores.payer.payerChannels.get(channelId);
    const payee = stores.payee.payeeChannels.get(channelId);
    expect(deepestTick).toBeLessThanOrEqual(CAPACITY_UNITS);
    expect(payee?.state.paidUnits ?? 0).toBeLessThanOrEqual(deepestTick);
    if (truth.rollbacks.payer === 0) {
      expect(payer?.state.revealedUnits ?? 0).toBe(deepestTick);
      expect(payer?.state.verifiedBytes ?? 0).toBe(verifiedBytes);
    }
    // Each piece is booked once, however often it was sent, asked for or lost.
    if (truth.rollbacks.payee === 0) expect(payee?.state.servedBytes ?? 0).toBe(sentBytes);

    const lease = shard.store.leases.get(channelId);
    if (!lease) continue;
    const known = world.leases.get(key) ?? { claimedUnits: 0, released: 0 };
    expect(lease.claimedUnits).toBeLessThanOrEqual(deepestTick);
    expect(lease.claimedUnits).toBeGreaterThanOrEqual(known.claimedUnits);
    expect(lease.released).toBeGreaterThanOrEqual(known.released);
    if (known.released === 1) expect(lease.claimedUnits).toBe(known.claimedUnits);
    expect(lease.appliedUnits).toBeLessThanOrEqual(lease.claimedUnits);
    appliedUnits += lease.appliedUnits;
    world.leases.set(key, lease);
    for (const side of [payer, payee]) {
      if (side?.state.status === 'settled') expect(lease.appliedUnits).toBe(lease.claimedUnits);
      if (side?.state.status === 'claimed') expect(lease.released).toBe(1);
    }
  }
  // The payer: at most one unit is revealed for what never came. Old copies forget that it was.
  expect(tickUnits).toBeLessThanOrEqual(verifiedUnits + 1 + truth.rollbacks.payer);
  // The chain charged each applied unit once, and nothing else: the payer has no funds, so all is on credit.
  const { creditUsedUnits } = await shard.chain.account(PAYER.account.address);
  expect(creditUsedUnits).toBe(appliedUnits);
  expect(creditUsedUnits).toBeGreaterThanOrEqual(world.chargedUnits);
  world.chargedUnits = creditUsedUnits;
}

/** One step, and everything that must hold after it. */
function command(name: string, act: (world: World) => void | Promise<void>): Command {
  return {
    check: () => true,
    async run(_truth, world) {
      await act(world);
      await check(world);
    },
    toString: () => name,
  };
}

const pieceBytes = fc.constantFrom(
  TRAFFIC_UNIT_BYTES,
  TRAFFIC_UNIT_BYTES,
  TRAFFIC_UNIT_BYTES,
  400_000,
  1,
  TRAFFIC_UNIT_BYTES - 1,
);
const side = fc.constantFrom<Side>('payer', 'payee');
const wire = (world: World, to: Side): unknown[] => (to === 'payer' ? world.toPayer : world.toPayee);
const at = fc.nat(1_000);

const commands: fc.Arbitrary<Command>[] = [
  fc
    .tuple(fc.array(pieceBytes, { minLength: 1, maxLength: 10 }), fc.nat(5))
    .map(([pieces, name]) => command(`stream(${pieces})`, (world) => stream(world, pieces, `c${name}`))),
  fc
    .tuple(fc.array(pieceBytes, { minLength: 1, maxLength: 10 }), fc.nat(5))
    .map(([pieces, name]) => command(`ask(${pieces})`, (world) => ask(world, pieces, `c${name}`))),
  fc.constant(command('connect', connect)),
  fc
    .tuple(pieceBytes, fc.nat(9))
    .map(([bytes, key]) => command(`request(${key}, ${bytes})`, (world) => world.request(`r${key}`, bytes))),
  fc.constant(
    command('loseNextLease', (world) => {
      world.losesNextLease = true;
    }),
  ),
  fc.constant(command('deliverToPayee', (world) => world.deliverToPayee())),
  fc.constant(command('deliverToPayer', (world) => world.deliverToPayer())),
  fc.constant(command('serve', (world) => world.serve())),
  fc.constant(command('pump', (world) => world.pump())),
  fc.tuple(side, at).map(([to, i]) =>
    command(`lose(to ${to}, ${i})`, (world) => {
      const messages = wire(world, to);
      messages.splice(i % Math.max(1, messages.length), 1);
    }),
  ),
  fc.tuple(side, at).map(([to, i]) =>
    command(`repeat(to ${to}, ${i})`, (world) => {
      const messages = wire(world, to);
      if (messages.length > 0) messages.push(messages[i % messages.length]);
    }),
  ),
  fc.tuple(side, at).map(([to, i]) =>
    command(`reorder(to ${to}, ${i})`, (world) => {
      const messages = wire(world, to);
      messages.unshift(...messages.splice(i % Math.max(1, messages.length), 1));
    }),
  ),
  at.map((i) =>
    command(`replay(${i})`, (world) => {
      const old = world.said[i % Math.max(1, world.said.length)];
      if (old) world.toPayee.push(old);
    }),
  ),
  fc.constant(command('break', (world) => world.breakUp())),
  side.map((who) => command(`restart(${who})`, (world) => world.restart(who))),
  fc.constant(command('restartShard', (world) => world.restartShard())),
  side.map((who) => command(`copy(${who})`, (world) => world.copy(who))),
  side.map((who) => command(`restore(${who})`, (world) => world.restore(who))),
  fc.constant(
    command('checkpoint', (world) => {
      world.shard.nowMs += 31_000;
      world.checkpoint();
    }),
  ),
  fc.constant(command('close', closeAll)),
  side.map((who) => command(`claim(${who})`, (world) => world.claim(who))),
  at.map((i) =>
    command(`claimAgain(${i})`, (world) => {
      const old = world.claimed[i % Math.max(1, world.claimed.length)];
      try {
        if (old) world.shard.takeClaim(old);
      } catch (error) {
        if (!isAceError(error, 'ClaimInvalid')) throw error;
      }
    }),
  ),
  fc.constantFrom(3_600_001, 12 * 3_600_000).map((ms) =>
    command(`wait(${ms})`, (world) => {
      world.shard.nowMs += ms;
      world.payer.expire();
      world.payee.expire();
    }),
  ),
  fc.constant(command('settle', async (world) => void (await settle(world.shard.context)))),
  fc.constant(command('tell', (world) => world.tell())),
];

it('no order of messages, losses, restarts and claims costs anybody more than promised', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (steps) => {
      const dir = mkdtempSync(join(tmpdir(), 'ace-test-'));
      const world = new World(dir);
      try {
        await fc.asyncModelRun(() => ({ model: world.truth, real: world }), steps);
      } finally {
        await world.close();
        rmSync(dir, { recursive: true });
      }
    }),
    { numRuns: 100, interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: false },
  );
});

it('every state is reached, and left, by what really happens', async () => {
  const dir = tempDir();
  const world = new World(dir);
  onTestFinished(() => world.close());
  const { stores } = world;
  const statuses = () => [
    stores.payer.payerChannels.all().at(-1)?.state.status,
    stores.payee.payeeChannels.all().at(-1)?.state.status,
  ];
  const unit = TRAFFIC_UNIT_BYTES;

  world.losesNextLease = true;
  await connect(world);
  expect(statuses()).toEqual(['opening', undefined]);
  await connect(world);
  await world.pump();
  expect(statuses()).toEqual(['open', 'open']);
  await ask(world, [unit, unit], 'a');
  expect(statuses()).toEqual(['open', 'paused']);
  await world.pump();
  expect(statuses()).toEqual(['open', 'open']);
  world.finish();
  await world.pump();
  expect(statuses()).toEqual(['closing', 'closing']);
  await world.claim('payee');
  expect(statuses()).toEqual(['closing', 'claimed']);
  await world.claim('payer');
  expect(statuses()).toEqual(['claimed', 'claimed']);
  await settle(world.shard.context);
  world.tell();
  expect(statuses()).toEqual(['settled', 'settled']);

  world.shard.nowMs += 1;
  await stream(world, [unit], 'b');
  world.breakUp();
  world.shard.nowMs += 12 * 3_600_000;
  await world.claim('payee');
  await world.claim('payer');
  expect(statuses()).toEqual(['expired', 'expired']);
  world.shard.nowMs += 3_600_001;
  await settle(world.shard.context);
  world.tell();
  expect(statuses()).toEqual(['settled', 'settled']);

  await stream(world, [unit], 'c');
  // As if the shard's clock were far ahead.
  world.shard.store.leases.releaseExpired(world.shard.nowMs + DAY_MS);
  await world.claim('payee');
  expect(statuses()).toEqual(['open', 'disputed']);
  world.request('c/1', unit);
  await world.pump();
  expect(statuses()).toEqual(['disputed', 'disputed']);
  await check(world);
});

it('a payer whose last tick was lost leaves a channel that the payee has ended', async () => {
  const world = new World(tempDir());
  onTestFinished(() => world.close());
  await stream(world, [TRAFFIC_UNIT_BYTES], 'a');
  await world.claim('payee');
  world.shard.store.leases.releaseExpired(world.shard.nowMs + DAY_MS);
  await stream(world, [TRAFFIC_UNIT_BYTES], 'b');
  await ask(world, [TRAFFIC_UNIT_BYTES], 'c');
  world.deliverToPayer();
  world.breakUp();
  await world.claim('payee');
  await connect(world);
  await world.pump();
  world.request('d', TRAFFIC_UNIT_BYTES);
  await world.pump();
  const [channel] = world.stores.payer.payerChannels.all();
  expect(channel?.state).toMatchObject({ status: 'disputed', revealedUnits: 3 });
});

it('a payee that was set back by less than a window is paid on a new channel, and signs it off', async () => {
  const world = new World(tempDir());
  onTestFinished(() => world.close());
  await stream(world, [TRAFFIC_UNIT_BYTES], 'a');
  world.copy('payee');
  await stream(world, [TRAFFIC_UNIT_BYTES, TRAFFIC_UNIT_BYTES], 'b');
  world.restore('payee');
  await stream(world, [], 'c');
  world.shard.nowMs += 1;
  await stream(world, [TRAFFIC_UNIT_BYTES], 'c');
  world.finish();
  await world.pump();
  const [old, fresh] = world.stores.payer.payerChannels.all();
  expect(old?.state).toMatchObject({ status: 'disputed', revealedUnits: 3 });
  expect(fresh?.state).toMatchObject({ status: 'closing', revealedUnits: 1 });
  expect(fresh?.lastCheckpoint?.payeeSignature).not.toBeNull();
});
