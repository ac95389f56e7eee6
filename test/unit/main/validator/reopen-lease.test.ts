import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { CLAIM_GRACE_MS, settle } from '../../../../main/validator/batching.ts';
import { reopenLease } from '../../../../main/validator/reopen-lease.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { type LeasedChannel, party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const DAY_MS = 24 * 3_600_000;
const [payer, payee, other] = [party(1), party(2), party(3)];

let shard: TestShard;
let leased: LeasedChannel;

/** A clock that was a day ahead for so long that it was believed. */
async function settleADayAhead(): Promise<void> {
  shard.nowMs += DAY_MS;
  await settle(shard.context);
  shard.nowMs -= DAY_MS;
}

const reopened = () => reopenLease(shard.context, leased.channelId);
const reserved = () => shard.store.leases.reservedUnits(payer.account.address);

beforeEach(async () => {
  const made = new TestShard(tempDir(), { trafficCreditLimitUnits: 10 });
  onTestFinished(() => made.close());
  shard = made;
  leased = await shard.lease(payer, payee, 10);
  shard.claim(leased, 2);
});

it('a lease that was released before its time is open again, and its claims are taken', async () => {
  await settleADayAhead();
  expectAceError('ClaimInvalid', () => shard.claim(leased, 3));
  expect(await reopened()).toBe(true);
  expect(shard.claim(leased, 3)).toEqual({ claimedUnits: 3, released: false });
  // Two are settled, as credit.
  expect(reserved()).toBe(8);
  await settle(shard.context);
  expect((await shard.chain.account(payer.account.address)).creditUsedUnits).toBe(3);
});

it('what was leased to others meanwhile stays theirs', async () => {
  await settleADayAhead();
  await shard.lease(payer, other, 1);
  expect(await reopened()).toBe(false);
  expectAceError('ClaimInvalid', () => shard.claim(leased, 3));
  expect(reserved()).toBe(1);
});

it('a lease that is over, or open, is left as it is', async () => {
  expect(await reopened()).toBe(false);
  shard.nowMs = leased.terms.expiresAtMs + CLAIM_GRACE_MS + 1;
  await settle(shard.context);
  expect(await reopened()).toBe(false);
  expectAceError('ClaimInvalid', () => shard.claim(leased, 3));
});

it('a lease that both sides have closed stays closed', async () => {
  shard.claim(leased, 2, { checkpoint: shard.checkpoint(leased, { units: 2, final: true }) });
  expect(await reopened()).toBe(false);
  expectAceError('ClaimInvalid', () => shard.claim(leased, 3));
});

it('a lease that ended when its device was unlinked stays so', async () => {
  shard.store.leases.endOf(payer.account.address, payer.device.publicKey, shard.nowMs);
  await settleADayAhead();
  expect(await reopened()).toBe(false);
});
