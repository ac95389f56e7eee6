/** A payee that bills one unit twice, by whatever way there is. The payer's loss is what it is charged for nothing. */
import { describe, expect, it } from 'vitest';
import { settle } from '../../main/validator/batching.ts';
import { expectAceError } from '../helpers/ace-error.ts';
import { party } from '../helpers/shard.ts';
import { Stage, serveUnits } from '../helpers/stage.ts';

const [payer, payee] = [party(1), party(2)];
const UNITS = 5;

/** Five units are served and paid on a channel of 20. */
async function paid() {
  const stage = new Stage([payer]);
  const provider = stage.provider(2);
  const leased = await stage.shard.lease(payer, payee, 20);
  const channel = await provider.open(leased);
  for (let unit = 1; unit <= UNITS; unit++) {
    expect(serveUnits(channel, 1, unit)).toBe(1);
    channel.receiveTick(unit, leased.chain.tick(unit));
  }
  channel.commit();
  return { stage, provider, leased, channel };
}

describe('a payee that bills a unit twice', () => {
  it('by a tick that it replays to itself has no unit more', async () => {
    const { stage, provider, leased, channel } = await paid();
    for (let again = 0; again < 3; again++) {
      for (let index = 0; index <= UNITS; index++) channel.receiveTick(index, leased.chain.tick(index));
    }
    channel.commit();
    expect(provider.store.payeeChannels.paidUnits()).toBe(UNITS);
    await stage.settleAll();
    await stage.expectPaid(payer, payee, UNITS);
  });

  it('by handing in the same claim again, before and after the settlement, and so does the payer', async () => {
    const { stage, leased } = await paid();
    for (let round = 0; round < 4; round++) {
      for (const units of [UNITS, 3, UNITS, 0]) stage.shard.claim(leased, units);
      await stage.settleAll();
      await stage.expectPaid(payer, payee, UNITS);
    }
  });

  it('by checkpoints with new numbers over the same units', async () => {
    const { stage, leased } = await paid();
    for (let number = 1; number <= 4; number++) {
      const checkpoint = stage.shard.checkpoint(leased, { number, units: UNITS });
      stage.shard.claim(leased, UNITS, { checkpoint });
      stage.shard.claim(leased, 0, { checkpoint: { ...checkpoint, payeeSignature: null } });
      await stage.settleAll();
      await stage.expectPaid(payer, payee, UNITS);
    }
  });

  it('by the last claim of one that is released, once more', async () => {
    const { stage, leased } = await paid();
    const checkpoint = stage.shard.checkpoint(leased, { number: 9, units: UNITS, final: true });
    for (let again = 0; again < 3; again++) {
      expect(stage.shard.claim(leased, UNITS, { checkpoint })).toEqual({
        claimedUnits: UNITS,
        released: true,
      });
      await stage.settleAll();
    }
    await stage.expectPaid(payer, payee, UNITS);
  });

  it('by a tick or a checkpoint of one channel on another is refused, and charged once', async () => {
    const { stage, leased, provider } = await paid();
    const second = await stage.shard.lease(payer, payee, 20);
    const served = await provider.open(second);
    // With a unit on its way, so that the window is not what refuses it.
    expect(serveUnits(served, 1, 100)).toBe(1);
    expectAceError('TickWrong', () => served.receiveTick(1, leased.chain.tick(1)));
    const stolen = stage.shard.checkpoint(leased, { number: 1, units: UNITS });
    expectAceError('ClaimInvalid', () => stage.shard.claim(second, UNITS, { checkpoint: stolen }));
    expectAceError('ClaimInvalid', () =>
      stage.shard.claim(second, UNITS, { tick: leased.chain.tick(UNITS) }),
    );
    await stage.settleAll();
    await stage.expectPaid(payer, payee, UNITS);
  });

  it('by claims that race in one group with the settlement between them', async () => {
    const { stage, leased } = await paid();
    stage.shard.claim(leased, 3);
    await settle(stage.shard.context);
    stage.shard.claim(leased, UNITS);
    stage.shard.claim(leased, UNITS);
    await stage.settleAll();
    // Two settlements: each rounds its own part up, by less than one base unit.
    const spent = await stage.spent(payer);
    expect(spent).toBe((await stage.worth(3)) + (await stage.worth(2)));
    expect((await stage.earned(payee)) + (await stage.fees())).toBe(spent);
  });
});
