/** One anchor for two payees, one number for two checkpoints: what a payer gains by saying two things, which is nothing. */
import { describe, expect, it } from 'vitest';
import { expectAceError, expectAceRejection } from '../helpers/ace-error.ts';
import { party } from '../helpers/shard.ts';
import { Stage, serveUnits } from '../helpers/stage.ts';

const [payer, payee, other, stranger] = [party(1), party(2), party(3), party(4)];
const UNITS = 4;

/** Four units are served and paid. */
async function paid() {
  const stage = new Stage([payer, stranger]);
  const provider = stage.provider(2);
  const leased = await stage.shard.lease(payer, payee, 20);
  const channel = await provider.open(leased);
  for (let unit = 1; unit <= UNITS; unit++) {
    serveUnits(channel, 1, unit);
    channel.receiveTick(unit, leased.chain.tick(unit));
  }
  channel.commit();
  return { stage, provider, leased };
}

describe('an anchor reused across payees', () => {
  it('gets no second lease, so the other payee serves nothing, and the first is paid in full', async () => {
    const { stage, leased } = await paid();
    const victim = stage.provider(3);
    const again = stage.shard.terms(payer, other, 20, { anchor: leased.terms.anchor });
    await expectAceRejection('DeviceDisputed', victim.open(again));
    expect(victim.store.payeeChannels.all()).toEqual([]);
    // The device is caught: not on any other anchor either. What it was leased is paid.
    await expectAceRejection('DeviceDisputed', stage.shard.lease(payer, other, 5));
    await stage.settleAll();
    await stage.expectPaid(payer, payee, UNITS);
    expect(await stage.earned(other)).toBe(0n);
  });

  it('that a stranger copied gets the stranger no lease, and disputes nobody', async () => {
    const { stage, leased } = await paid();
    const copied = stage.shard.terms(stranger, other, 20, { anchor: leased.terms.anchor });
    await expectAceRejection('LeaseRefused', stage.shard.request(copied));
    for (const { device } of [payer, stranger]) {
      expect(stage.shard.store.disputes.get(device.publicKey)).toBeNull();
    }
    await stage.shard.lease(payer, other, 5);
    await stage.settleAll();
    await stage.expectPaid(payer, payee, UNITS);
    expect(await stage.spent(stranger)).toBe(0n);
  });
});

describe('two checkpoints with one number', () => {
  it('have the payee countersign the first alone, and the shard pay every unit once and lease no more', async () => {
    const { stage, provider, leased } = await paid();
    const who = { account: payer.account.address, device: payer.device.publicKey };
    const [first, second] = [UNITS, 2].map((units) => stage.shard.checkpoint(leased, { number: 7, units }));
    if (!first || !second) throw new Error('Two checkpoints were made');
    const { signature } = await provider.service.countersign(who, first.record, first.payerSignature);
    await expectAceRejection(
      'CheckpointNotIncreasing',
      provider.service.countersign(who, second.record, second.payerSignature),
    );
    // Each side hands in the one that it likes; the payer's says less, and its own signature is all that it has.
    const own = { record: second.record, payerSignature: second.payerSignature, payeeSignature: null };
    stage.shard.claim(leased, 2, { checkpoint: own });
    stage.shard.claim(leased, UNITS, { checkpoint: { ...first, payeeSignature: signature } });
    expect(stage.shard.store.disputes.get(payer.device.publicKey)?.kind).toBe('checkpoint');
    await expectAceRejection('DeviceDisputed', stage.shard.lease(payer, other, 5));
    await stage.settleAll();
    await stage.expectPaid(payer, payee, UNITS);
  });

  it('that are the same one twice are one, and dispute nobody', async () => {
    const { stage, leased } = await paid();
    const checkpoint = stage.shard.checkpoint(leased, { number: 7, units: UNITS });
    for (let again = 0; again < 3; again++) stage.shard.claim(leased, UNITS, { checkpoint });
    expect(stage.shard.store.disputes.get(payer.device.publicKey)).toBeNull();
    expectAceError('ClaimInvalid', () => stage.shard.claim(leased, 21, { checkpoint }));
    await stage.settleAll();
    await stage.expectPaid(payer, payee, UNITS);
  });
});
