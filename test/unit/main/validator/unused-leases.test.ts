import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../../../main/validator/batching.ts';
import { UNUSED_LEASE_KEPT_MS } from '../../../../main/validator/limits.ts';
import { restoreLease } from '../../../../main/validator/restore-lease.ts';
import { encodeTerms } from '../../../../shared/channel/records.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { type LeasedChannel, party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const [payer, payee] = [party(1), party(2)];
let shard: TestShard;
beforeEach(() => {
  shard = new TestShard(tempDir());
});
afterEach(() => shard.close());

const isOnFile = ({ channelId }: LeasedChannel) => shard.store.leases.get(channelId) !== null;
const pass = async (ms: number) => {
  shard.nowMs += ms;
  await settle(shard.context);
};

describe('a lease that nothing was ever paid on', () => {
  it('is forgotten some days after its end and not before, with its account’s clock, and is not taken back', async () => {
    const channel = await shard.lease(payer, payee, 5);
    const signature = shard.store.leases.get(channel.channelId)?.signature as Uint8Array;
    await pass(3_600_000 + UNUSED_LEASE_KEPT_MS);
    expect(isOnFile(channel)).toBe(true);
    await pass(1);
    expect(isOnFile(channel)).toBe(false);
    expect(shard.store.watchers.get(payer.account.address)).toBeUndefined();
    const terms = encodeTerms(channel.terms);
    const termsSignature = payer.device.sign(terms);
    expectAceError('ClaimInvalid', () =>
      restoreLease(shard.context, { terms, termsSignature, leaseSignature: signature }),
    );
    expectAceError('ChannelUnleased', () => shard.claim(channel, 1));
    await shard.lease(payer, payee, 5);
  });

  it('stays as long as it is not released, and its account’s clock while there is another', async () => {
    const [old, young] = [await shard.lease(payer, payee, 5), await shard.lease(payer, payee, 5)];
    shard.nowMs += 3_600_000 + UNUSED_LEASE_KEPT_MS + 1;
    expect([isOnFile(old), isOnFile(young)]).toEqual([true, true]);
    const last = await shard.lease(payer, payee, 5);
    await settle(shard.context);
    expect([isOnFile(old), isOnFile(last)]).toEqual([false, true]);
    expect(shard.store.watchers.get(payer.account.address)).toBeDefined();
  });

  it('is forgotten with so many others at a time, the oldest first', async () => {
    const channels: LeasedChannel[] = [];
    for (let i = 0; i < 3; i++)
      channels.push(await shard.lease(payer, payee, 1, { expiresAtMs: shard.nowMs + 1_000 + i }));
    const { leases } = shard.store;
    shard.nowMs += 1_000_000_000;
    leases.releaseExpired(shard.nowMs);
    expect(leases.forgetUnused(shard.nowMs, 2)).toBe(2);
    expect(channels.map(isOnFile)).toEqual([false, false, true]);
    expect(leases.forgetUnused(shard.nowMs, 2)).toBe(1);
  });
});

describe('a lease that was used', () => {
  it('stays for good with its units, and with a checkpoint that a claim carried, whatever it says', async () => {
    const [paid, signed] = [await shard.lease(payer, payee, 5), await shard.lease(payer, payee, 5)];
    shard.claim(paid, 1);
    shard.claim(signed, 0, { checkpoint: shard.checkpoint(signed, { units: 0, final: true }) });
    await settle(shard.context);
    await pass(3_600_000 + 10 * UNUSED_LEASE_KEPT_MS);
    expect([isOnFile(paid), isOnFile(signed)]).toEqual([true, true]);
  });
});
