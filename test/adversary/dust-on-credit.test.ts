/**
 * Fresh accounts that claim one unit after the other on free credit, on channels to somebody who never served them. Each unit
 * in a batch of its own is 0.9 kB for ever at the shard and the chain, and a statement for the payee: 300 accounts wrote 12
 * GB a day, and cost nothing. Nobody has to be paid for the claims but the payer's own ticks.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { priceSnapshot } from '../../main/validator/accounts.ts';
import { settle } from '../../main/validator/batching.ts';
import { STRANGERS_ROW_RATE } from '../../main/validator/limits.ts';
import { StrangersShare } from '../../main/validator/strangers-share.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { gather } from '../helpers/places.ts';
import { type LeasedChannel, party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const FILES = ['chain.db', 'validator.db'];
/** Long enough that what the files grow by is no matter of a page or two. */
const INTERVAL_MS = 40_000;
const ACCOUNTS = 12;
/** Of funds, in one batch. */
const LOOKS = 20;

function useShard(funds: ConstructorParameters<typeof TestShard>[2] = [], trafficCreditLimitUnits = 10_240) {
  const dir = tempDir();
  const shard = new TestShard(dir, { trafficCreditLimitUnits }, funds);
  onTestFinished(() => shard.close());
  let uptimeMs = 0;
  const strangers = new StrangersShare(() => uptimeMs, LOOKS);
  return {
    shard,
    pass: (ms: number) => {
      shard.nowMs += ms;
      uptimeMs += ms;
    },
    settleAll: async () => {
      while (await settle({ ...shard.context, strangers }));
    },
    /** What the files hold. */
    sizeBytes: () => {
      for (const file of FILES) {
        const db = new Sqlite(join(dir, file));
        db.pragma('wal_checkpoint(TRUNCATE)');
        db.close();
      }
      return FILES.map((file) => statSync(join(dir, file)).size);
    },
    /** As after so many rows of others. */
    spend: async (rows: number) => {
      const leases = Array.from({ length: rows }, (_, n) => ({
        payer: `0x${(0x57a6e40000 + n).toString(16).padStart(40, '0')}`,
        payee: 'any',
        claimedUnits: 1,
        sealedUnits: 0,
      }));
      const price = priceSnapshot(await shard.chain.market());
      await strangers.admit(shard, price, leases as never);
    },
  };
}

it('is settled at the pace of strangers, and all of it in the end', async () => {
  const { shard, pass, settleAll, sizeBytes, spend } = useShard();
  const victim = party(1_000);
  const leases: LeasedChannel[] = [];
  for (let n = 1; n <= ACCOUNTS; n++) leases.push(await shard.lease(party(n), victim, 100));
  await spend(STRANGERS_ROW_RATE.burst);
  const told = () => shard.store.batches.lastSeq(victim.account.address);
  const before = sizeBytes();
  const rounds = 30;
  for (let units = 1; units <= rounds; units++) {
    for (const lease of leases) shard.claim(lease, units);
    pass(INTERVAL_MS);
    await settleAll();
  }
  const rows = told();
  const bytesADay = sizeBytes().map((size, i) =>
    Math.round(((size - (before[i] ?? 0)) / rows) * STRANGERS_ROW_RATE.perSecond * 86_400),
  );
  process.stdout.write(
    `${ACCOUNTS} accounts with one unit every ${INTERVAL_MS / 1_000} s: ${rows} rows of ${rounds * ACCOUNTS}; at that pace in a day ${FILES.map(
      (file, i) => `${file} +${((bytesADay[i] ?? 0) / 1e6).toFixed(1)} MB`,
    ).join(', ')}\n`,
  );
  expect(rows).toBeLessThanOrEqual(
    1 + Math.ceil((rounds * INTERVAL_MS * STRANGERS_ROW_RATE.perSecond) / 1_000),
  );
  expect(bytesADay[0]).toBeLessThan(10_000_000);
  expect(bytesADay[1]).toBeLessThan(22_000_000);
  // Nobody loses anything: what waits is reserved, and comes whole when there is room.
  const first = leases[0]?.payer.account.address ?? '';
  expect(shard.store.leases.reservedUnits(first) + shard.store.loans.owedUnits(first)).toBe(100);
  pass(86_400_000);
  await settleAll();
  for (const { payer } of leases) expect(shard.store.loans.owedUnits(payer.account.address)).toBe(rounds);
  expect(told()).toBeLessThanOrEqual(rows + leases.length);
});

it('keeps nobody waiting who pays, also for the first time, and of strangers those least who watched most', async () => {
  const [rich, newcomer, payee] = [party(1), party(2), party(3)];
  const { shard, pass, settleAll, spend } = useShard([
    [rich.account.address, 'XAC', '10'],
    [newcomer.account.address, 'XAC', '10'],
  ]);
  const dust: LeasedChannel[] = [];
  for (let n = 10; n < 25; n++) dust.push(await shard.lease(party(n), payee, 1));
  const watched = await shard.lease(party(100), payee, 100);
  const known = await shard.lease(rich, payee, 10);
  shard.claim(known, 5);
  await settleAll();
  const first = await shard.lease(newcomer, payee, 10);
  await spend(STRANGERS_ROW_RATE.burst);
  for (const lease of dust) shard.claim(lease, 1);
  shard.claim(watched, 60);
  shard.claim(known, 10);
  shard.claim(first, 10);
  pass(1_000 / STRANGERS_ROW_RATE.perSecond);
  await settleAll();
  const everPaid = (of: typeof rich) => shard.store.watchers.get(of.account.address)?.everPaidUnits;
  expect([everPaid(rich), everPaid(newcomer)]).toEqual([10, 10]);
  expect(shard.store.loans.owedUnits(party(100).account.address)).toBe(60);
  expect(dust.filter(({ payer }) => shard.store.loans.owedUnits(payer.account.address) > 0)).toEqual([]);
});

// All of them were let in, before: up to 512 rows in a batch for the price of one unit.
it('gets a row for each unit that funds pay, of an account with many payees', async () => {
  const payer = party(1);
  // Three units, and a base unit for the rounding of each.
  const network = useShard([[payer.account.address, 'XAC', '0.00003']]);
  const { shard, settleAll, spend, pass } = network;
  const leases: LeasedChannel[] = [];
  for (let n = 0; n < 12; n++) leases.push(await shard.lease(payer, party(10 + n), 2));
  await spend(STRANGERS_ROW_RATE.burst);
  const settled = () =>
    leases.filter(({ payee }) => shard.store.batches.lastSeq(payee.account.address) > 0).length;
  for (const lease of leases) shard.claim(lease, 1);
  pass(1);
  await settleAll();
  const paid = () => shard.store.watchers.everPaidUnits(payer.account.address);
  expect(settled()).toBeGreaterThan(0);
  expect(settled()).toBeLessThanOrEqual(2 * paid());
  for (const lease of leases) shard.claim(lease, 2);
  for (let batch = 0; batch < 5; batch++) {
    pass(1);
    await settleAll();
  }
  expect(settled()).toBeLessThanOrEqual(2 * paid());
  expect(settled()).toBeLessThan(leases.length);
});

it('is no payer by a base unit of funds, and many that wait hide nobody who is one', async () => {
  const strangers = Array.from({ length: 2 * LOOKS + 5 }, (_, n) => party(10 + n));
  const newcomer = party(1);
  const dust = strangers.map(({ account }) => [account.address, 'XAC', '0.0000001'] as const);
  const network = useShard([[newcomer.account.address, 'XAC', '10'], ...dust]);
  const { shard, settleAll, spend, pass } = network;
  const first = await shard.lease(newcomer, party(2), 1);
  const leases: LeasedChannel[] = [];
  for (const payer of strangers) leases.push(await shard.lease(payer, party(2), 2));
  await spend(STRANGERS_ROW_RATE.burst);
  for (const lease of leases) shard.claim(lease, 2);
  // With least of all, so it is looked at last.
  shard.claim(first, 1);
  for (let batch = 0; batch < 3; batch++) {
    pass(1);
    await settleAll();
  }
  expect(shard.store.watchers.get(newcomer.account.address)?.everPaidUnits).toBe(1);
  const owing = strangers.filter(({ account }) => shard.store.loans.owedUnits(account.address) > 0);
  expect(owing).toEqual([]);
});

// A row for each unit that was refused, before, as long as more had been paid once than is owed.
it('gets no rows for units that nobody will ever pay: funds that were leased on and are gone', async () => {
  const [payer, elsewhere] = [party(1), party(2)];
  const from = payer.account.address;
  const { shard, settleAll, spend, pass } = useShard([[from, 'XAC', '0.001']], 4);
  const first = await shard.lease(payer, elsewhere, 12);
  shard.claim(first, 12);
  await settleAll();
  const leases: LeasedChannel[] = [];
  for (let n = 0; n < 40; n++) leases.push(await shard.lease(payer, party(10 + n), 1));
  // Past the shard, which would not let it.
  await gather(shard.chain, payer.account, 'main');
  const { main, nonce } = await shard.chain.account(from);
  const to = elsewhere.account.address;
  const moved = {
    kind: 'transfer',
    place: 'services',
    from,
    to,
    token: 'XAC',
    amount: main.XAC,
    nonce,
  } as const;
  await shard.chain.submit(await signOperation(payer.account, shard.settings, moved));
  await spend(STRANGERS_ROW_RATE.burst);
  for (const lease of leases) shard.claim(lease, 1);
  for (let batch = 0; batch < 6; batch++) {
    pass(1);
    await settleAll();
  }
  const settled = leases.filter(({ payee }) => shard.store.batches.lastSeq(payee.account.address) > 0).length;
  expect(shard.store.watchers.everPaidUnits(from)).toBe(12);
  expect(settled).toBeLessThanOrEqual(2 * 12);
});

// Turns went by places in the list, before: a crowd that was as many, and one more, in turn had the last one passed over for ever.
it('does not keep from its turn who has funds, whatever number of others waits each time', async () => {
  const rich = party(1).account.address;
  const { shard } = useShard([[rich, 'XAC', '10']]);
  const share = new StrangersShare(() => 0, 2);
  const price = priceSnapshot(await shard.chain.market());
  const leaseOf = (payer: string, claimedUnits: number) => ({
    ...{ payer, payee: 'any', claimedUnits, sealedUnits: 0 },
  });
  const crowd = (size: number) =>
    Array.from({ length: size }, (_, n) => leaseOf(`0x${n.toString(16).padStart(40, '0')}`, 2));
  await share.admit(shard, price, crowd(STRANGERS_ROW_RATE.burst) as never);
  const admitted: string[] = [];
  for (const others of [3, 4, 3, 4, 3, 4]) {
    const leases = [...crowd(others), leaseOf(rich, 1)];
    admitted.push(...(await share.admit(shard, price, leases as never)).map(({ payer }) => payer));
  }
  expect(new Set(admitted)).toEqual(new Set([rich]));
});
