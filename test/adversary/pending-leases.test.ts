/** Ten thousand leases that wait: bounded for each account, honest accounts are served beside them, all come back. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { CLAIM_GRACE_MS, settle } from '../../main/validator/batching.ts';
import { MAX_OPEN_LEASES } from '../../main/validator/limits.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { threadMs } from '../helpers/event-loop.ts';
import { databaseBytes, leasesOfStrangersInADay } from '../helpers/leases-of-strangers.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const LEASES = 10_000;
const SAMPLED_LEASES = 300;

it('10,000 pending leases keep no honest account waiting, and are released a grace time after they expired', async () => {
  const shard = new TestShard(tempDir(), { trafficCreditLimitUnits: 1_000 });
  onTestFinished(() => shard.close());
  const [honest, payee] = [party(1), party(2)];
  const hoarders = Array.from({ length: LEASES / MAX_OPEN_LEASES }, (_, i) => party(10 + i));
  const expiresAtMs = shard.nowMs + 3_600_000;
  shard.store.commit(() => {
    for (const hoarder of hoarders) {
      for (let i = 0; i < MAX_OPEN_LEASES; i++) {
        const { terms, channelId } = shard.terms(hoarder, payee, 1, { anchor: anchorOf(hoarder, i) });
        shard.store.leases.insert({
          ...terms,
          channelId,
          terms: new Uint8Array(1),
          signature: new Uint8Array(64),
          leasedAtMs: shard.nowMs,
          expiresAtMs,
        });
      }
    }
  });
  function anchorOf({ account }: (typeof hoarders)[number], i: number): Uint8Array {
    return new Uint8Array(
      Buffer.from(
        `${account.address.slice(2, 34)}${i}`.padEnd(32, '.').slice(0, 26) + `${i}`.padStart(6, '0'),
      ),
    );
  }
  const hoarder = hoarders[0] ?? honest;
  expect(shard.store.leases.reservedUnits(hoarder.account.address)).toBe(1_000);
  // Neither by count nor by credit is there one unit more.
  await expectAceRejection('LeaseRefused', shard.lease(hoarder, payee, 1));

  const startedMs = threadMs();
  const channel = await shard.lease(honest, payee, 1_000);
  for (let units = 100; units <= 700; units += 100) shard.claim(channel, units);
  expect((await settle(shard.context))?.batchNumber).toBe(1);
  expect(threadMs() - startedMs).toBeLessThan(2_000);
  // Loss of the honest payee, of its 700 units: none. Of the honest payer, of its 1,000 units of credit: none.
  expect(shard.store.loans.owedUnits(honest.account.address)).toBe(700);
  expect(shard.store.leases.reservedUnits(honest.account.address)).toBe(300);

  shard.nowMs = expiresAtMs + CLAIM_GRACE_MS + 1;
  await settle(shard.context);
  for (const { account } of [...hoarders, honest]) {
    expect(shard.store.leases.reservedUnits(account.address)).toBe(0);
  }
  await shard.lease(hoarder, payee, 1_000);
});

// One client got 75 leases a second, of 1,866 bytes each, before: 12 GB in a day.
it.each([
  ['', false, 46],
  [' with a settled unit each', true, 81],
])(
  'the leases of a day for strangers from 20 addresses%s are less than 100 MB of the shard’s file',
  {
    tags: 'long',
  },
  async (_, isClaimed, mostMb) => {
    const dir = tempDir();
    const shard = new TestShard(dir, { trafficCreditLimitUnits: 1_000 });
    const file = join(dir, 'validator.db');
    const payee = party(2);
    const stranger = async (n: number) => {
      const lease = await shard.lease(party(n), payee, 4);
      if (isClaimed) shard.claim(lease, 1);
    };
    await stranger(100);
    const beforeBytes = databaseBytes(file);
    for (let n = 0; n < SAMPLED_LEASES; n++) await stranger(101 + n);
    while (await settle(shard.context));
    shard.close();
    const ofOneBytes = (databaseBytes(file) - beforeBytes) / SAMPLED_LEASES;
    const dayMb = (ofOneBytes * leasesOfStrangersInADay(20)) / 1_000_000;
    console.info(
      `validator.db: ${Math.round(ofOneBytes)} bytes for a lease, ${dayMb.toFixed(1)} MB for those of a day`,
    );
    expect(dayMb).toBeGreaterThan(10);
    expect(dayMb).toBeLessThan(mostMb);
  },
);
