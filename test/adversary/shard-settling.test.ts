/** Attacks on what a settlement takes up: its size, the watch time it adds, and the rows it reads. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CLAIM_GRACE_MS, settle } from '../../main/validator/batching.ts';
import { MAX_LEASES_PER_HOUR, MAX_OPEN_LEASES } from '../../main/validator/limits.ts';
import { RELEASED_WAIT_MS } from '../../main/validator/watching.ts';
import { decodeBatch } from '../../shared/settlement/batch.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const MIB = 1_048_576;
const [payer, payee] = [party(1), party(2)];

function useShard(...args: [settings?: object, funds?: ConstructorParameters<typeof TestShard>[2]]) {
  const shard = new TestShard(tempDir(), ...args);
  onTestFinished(() => shard.close());
  return shard;
}

const stranger = () => `0x${randomBytes(20).toString('hex')}`;

async function settleAll(shard: TestShard, maxEntries: number): Promise<number[]> {
  const sizes: number[] = [];
  while (await settle({ ...shard.context, maxEntries })) {
    const { entries } = decodeBatch(shard.store.batches.last()?.bytes ?? new Uint8Array(0));
    sizes.push(entries.length);
  }
  return sizes;
}

/** A row as a lease leaves it. */
function insertLease(shard: TestShard, released: 0 | 1): void {
  const key = randomBytes(32);
  shard.store.leases.insert({
    channelId: key,
    anchor: key,
    payer: payer.account.address,
    payee: payee.account.address,
    payerDevice: key,
    payeeDevice: key,
    terms: key,
    signature: key,
    capacityUnits: 0,
    leasedAtMs: shard.nowMs,
    expiresAtMs: shard.nowMs + 1_000,
  });
  if (released) {
    shard.store.leases.saveClaim({
      channelId: key,
      claimedUnits: 0,
      claimedTick: key,
      checkpointNumber: 0,
      videoBytes: 0,
      watchMs: 0,
      released,
    });
  }
}

describe('more pairs than a batch has room for', () => {
  it('settle in several batches', async () => {
    const shard = useShard();
    const units = [1, 2, 3, 4, 5, 6, 7];
    for (const n of units) shard.claim(await shard.lease(payer, payee, 10, { payee: stranger() }), n);
    // A pair that is in the batch already takes no more room.
    const twice = stranger();
    for (const n of units) shard.claim(await shard.lease(payer, payee, 10, { payee: twice }), n);
    expect(await settleAll(shard, 3)).toEqual([3, 3, 2]);
    expect(shard.store.loans.owedUnits(payer.account.address)).toBe(56);
    expect(shard.store.leases.toSeal()).toEqual([]);
  });

  it('of repayments settle in several batches, before anything new', async () => {
    const rich = party(5);
    const shard = useShard({}, [[rich.account.address, 'XAT', '10', 'main']]);
    for (let n = 0; n < 8; n++) shard.claim(await shard.lease(payer, payee, 2, { payee: stranger() }), 2);
    await settle(shard.context);
    const { signOperation } = await import('../../main/wallet/account.ts');
    const { amount } = await import('../../shared/economy/money.ts');
    const operation = {
      kind: 'transfer' as const,
      place: 'services' as const,
      from: rich.account.address,
      to: payer.account.address,
      token: 'XAT' as const,
      amount: amount(10_000_000n),
      nonce: 0,
    };
    await shard.chain.submit(await signOperation(rich.account, shard.settings, operation));
    shard.claim(await shard.lease(payer, payee, 2), 2);
    expect(await settleAll(shard, 3)).toEqual([3, 3, 3]);
    const last = decodeBatch(shard.store.batches.last()?.bytes ?? new Uint8Array(0));
    expect(last.entries.filter((e) => e.consumeUnits > 0).map((e) => e.payee)).toEqual([
      payee.account.address,
    ]);
    expect(shard.store.loans.owedUnits(payer.account.address)).toBe(0);
  });
});

describe('watch time', () => {
  const report = (
    shard: TestShard,
    lease: Awaited<ReturnType<TestShard['lease']>>,
    watchMs: number,
    countersigned = true,
  ) => {
    const checkpoint = shard.checkpoint(lease, { units: 1, bytes: MIB, videoBytes: MIB, watchMs });
    shard.claim(lease, 1, {
      checkpoint: { ...checkpoint, payeeSignature: countersigned ? checkpoint.payeeSignature : null },
    });
  };
  // Only what funds pay counts.
  const useFunded = () => useShard({}, [[payer.account.address, 'XAC', '100000']]);
  /** What funds paid counts with the batch after it. */
  const settleWhole = async (shard: TestShard) => {
    while (await settle(shard.context));
  };
  const totals = async (shard: TestShard) => (await shard.chain.market()).totals;

  it('of 400 leases at once is no more than the wall clock', { tags: 'long' }, async () => {
    const shard = useFunded();
    const leases = [];
    for (let i = 0; i < 400; i++) leases.push(await shard.lease(payer, payee, 1));
    const before = await totals(shard);
    shard.nowMs += 131_072;
    for (const lease of leases) report(shard, lease, 131_072);
    await settleWhole(shard);
    expect((await totals(shard)).watchMs - before.watchMs).toBe(131_072n);
    // Nor later: what more leases report competes for the time that has passed since.
    shard.nowMs += 10_000;
    for (let i = 0; i < 10; i++) report(shard, await shard.lease(payer, payee, 1), 131_072);
    shard.nowMs += 10_000;
    shard.claim(await shard.lease(payer, payee, 1), 1);
    await settleWhole(shard);
    expect((await totals(shard)).watchMs - before.watchMs).toBe(131_072n + 20_000n);
    shard.nowMs += 3_600_000 + CLAIM_GRACE_MS + 1;
    while (await settle(shard.context));
    const grown = (await totals(shard)).watchMs - before.watchMs;
    expect(grown).toBeLessThanOrEqual(BigInt(131_072 + 20_000 + 3_600_000 + CLAIM_GRACE_MS + 1));
    expect(shard.store.leases.toSeal()).toEqual([]);
  });

  it('is not saved up while nothing is leased', async () => {
    const shard = useFunded();
    shard.claim(await shard.lease(payer, payee, 1), 1);
    await settleWhole(shard);
    const before = await totals(shard);
    shard.nowMs += 30 * 24 * 3_600_000;
    const leases = [await shard.lease(payer, payee, 1), await shard.lease(payer, payee, 1)];
    shard.nowMs += 60_000;
    for (const lease of leases) report(shard, lease, 60_000);
    await settleWhole(shard);
    expect((await totals(shard)).watchMs - before.watchMs).toBe(60_000n);
  });

  it('of a released lease waits for the clock when a later viewing was reported first, and not for ever', async () => {
    const shard = useFunded();
    const before = await totals(shard);
    const creditedMs = async () => {
      await settleWhole(shard);
      return Number((await totals(shard)).watchMs - before.watchMs);
    };
    const first = await shard.lease(payer, payee, 1);
    shard.nowMs += 70_000;
    const second = await shard.lease(payer, payee, 1);
    shard.nowMs += 1_000;
    report(shard, second, 1_000);
    expect(await creditedMs()).toBe(1_000);
    const final = { units: 1, bytes: MIB, videoBytes: MIB, watchMs: 70_000, final: true };
    expect(shard.claim(first, 1, { checkpoint: shard.checkpoint(first, final) }).released).toBe(true);
    shard.nowMs += 10_000;
    await settleWhole(shard);
    shard.nowMs += 60_000;
    expect(await creditedMs()).toBe(71_000);
  });

  it('of released leases that has no room yet leaves what a settlement reads an hour later', async () => {
    const shard = useFunded();
    const oneDay = { expiresAtMs: shard.nowMs + 24 * 3_600_000 };
    const both = [await shard.lease(payer, payee, 1, oneDay), await shard.lease(payer, payee, 1, oneDay)];
    const final = { units: 1, bytes: MIB, videoBytes: MIB, watchMs: 100_000, final: true };
    for (const lease of both) shard.claim(lease, 1, { checkpoint: shard.checkpoint(lease, final) });
    shard.nowMs += 100_000 + RELEASED_WAIT_MS - 1;
    // Other viewing has used the clock up.
    const watcher = shard.store.watchers.get(payer.account.address);
    if (!watcher) throw new Error('No row');
    shard.store.watchers.put({ ...watcher, watchedUntilMs: shard.nowMs });
    await settleWhole(shard);
    expect(shard.store.leases.toSeal()).toHaveLength(2);
    shard.nowMs += 1;
    await settleWhole(shard);
    expect(shard.store.leases.toSeal()).toEqual([]);
  });

  it('and video count only when both sides signed', async () => {
    const shard = useFunded();
    const before = await totals(shard);
    const lease = await shard.lease(payer, payee, 5);
    shard.nowMs += 131_072;
    report(shard, lease, 100_000, false);
    await settleWhole(shard);
    expect(await totals(shard)).toEqual(before);
    report(shard, lease, 100_000);
    await settleWhole(shard);
    expect((await totals(shard)).watchMs - before.watchMs).toBe(100_000n);
  });
});

describe('rows of leases', () => {
  it('that report the impossible leave what a settlement reads', async () => {
    const shard = useShard();
    for (let i = 0; i < 20; i++) {
      const lease = await shard.lease(payer, payee, 10);
      const final = { units: 1, bytes: MIB, videoBytes: MIB, watchMs: 2 ** 53 - 1, final: true };
      expect(shard.claim(lease, 1, { checkpoint: shard.checkpoint(lease, final) }).released).toBe(true);
    }
    await settle(shard.context);
    shard.nowMs += 131_072 + RELEASED_WAIT_MS;
    await settle(shard.context);
    expect(shard.store.leases.toSeal()).toEqual([]);
  });

  it('with nothing to settle are not read, whatever was reported', async () => {
    const shard = useShard();
    const lease = await shard.lease(payer, payee, 10);
    const final = { units: 0, bytes: 0, watchMs: 2 ** 53 - 1, final: true };
    shard.claim(lease, 0, { checkpoint: shard.checkpoint(lease, final) });
    expect(shard.store.leases.toSeal()).toEqual([]);
  });

  it('are refused when too many are open', async () => {
    const shard = useShard();
    shard.store.commit(() => {
      for (let i = 0; i < MAX_OPEN_LEASES; i++) insertLease(shard, 0);
    });
    const error = await expectAceRejection('LeaseRefused', shard.lease(payer, payee, 1));
    expect(error.details).toEqual({ maxOpenLeases: MAX_OPEN_LEASES });
    await shard.lease(party(3), payee, 1);
    shard.nowMs += 1_000 + CLAIM_GRACE_MS + 1;
    await settle(shard.context);
    await shard.lease(payer, payee, 1);
  });

  it('are refused when an account takes too many in an hour', async () => {
    const shard = useShard();
    shard.store.commit(() => {
      for (let i = 0; i < MAX_LEASES_PER_HOUR; i++) insertLease(shard, 1);
    });
    const error = await expectAceRejection('LeaseRefused', shard.lease(payer, payee, 1));
    expect(error.details).toEqual({ maxLeasesPerHour: MAX_LEASES_PER_HOUR });
    shard.nowMs += 3_600_000;
    await shard.lease(payer, payee, 1);
  });
});
