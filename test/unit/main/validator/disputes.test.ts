import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openValidatorStore } from '../../../../main/db/validator/store.ts';
import { settle } from '../../../../main/validator/batching.ts';
import { takeReport } from '../../../../main/validator/disputes.ts';
import { anchorProof, checkpointProof, encodeProof } from '../../../../shared/channel/equivocation.ts';
import { encodeTerms } from '../../../../shared/channel/records.ts';
import { expectAceError, expectAceRejection } from '../../../helpers/ace-error.ts';
import { type LeasedChannel, party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const [payer, payee, other] = [party(1), party(2), party(3)];
const shards: TestShard[] = [];

function shard(dir = tempDir()): TestShard {
  const made = new TestShard(dir);
  shards.push(made);
  return made;
}
afterEach(async () => {
  for (const one of shards.splice(0)) await one.close();
});

function contradiction(s: TestShard, channel: LeasedChannel): Uint8Array {
  const [a, b] = [s.checkpoint(channel, { units: 1 }), s.checkpoint(channel, { units: 2 })];
  return encodeProof(
    checkpointProof(
      encodeTerms(channel.terms),
      { record: a.record, signature: a.payerSignature },
      { record: b.record, signature: b.payerSignature },
    ),
  );
}
const report = (s: TestShard, proof: Uint8Array) => takeReport(s.store, s.settings.networkId, proof);

describe('a proof handed to the shard', () => {
  it('ends new leases for that device, and says why; other devices go on', async () => {
    const s = shard();
    const proof = contradiction(s, await s.lease(payer, payee, 6));
    report(s, proof);
    const error = await expectAceRejection('DeviceDisputed', s.lease(payer, other, 1));
    expect(error.message).toContain('two checkpoints of one channel with one number');
    expect(error.details).toMatchObject({ kind: 'checkpoint', account: payer.account.address });
    await s.lease(other, payee, 1);
    const replaced = { account: payer.account, device: party(9).device };
    await s.lease(replaced, payee, 1);
  });

  it('leaves what is leased: the same lease again, the claim, its settlement and its release', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 6);
    const signature = await s.request(channel);
    report(s, contradiction(s, channel));
    expect(Buffer.from(await s.request(channel))).toEqual(Buffer.from(signature));
    const final = s.checkpoint(channel, { units: 4, number: 9, final: true });
    expect(s.claim(channel, 4, { checkpoint: final })).toEqual({ claimedUnits: 4, released: true });
    await settle(s.context);
    expect(s.store.leases.get(channel.channelId)?.appliedUnits).toBe(4);
    expect(s.store.leases.reservedUnits(payer.account.address)).toBe(0);
  });

  it('again, or another against the same device, changes nothing', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 6);
    const proof = contradiction(s, channel);
    const second = contradiction(s, await s.lease(payer, other, 6));
    for (const one of [proof, proof, second]) report(s, one);
    expect(s.store.disputes.get(payer.device.publicKey)?.proof).toEqual(Buffer.from(proof));
  });

  it('is remembered over a restart', async () => {
    const dir = tempDir();
    const s = shard(dir);
    report(s, contradiction(s, await s.lease(payer, payee, 6)));
    const reopened = openValidatorStore(join(dir, 'validator.db'));
    expect(reopened.disputes.get(payer.device.publicKey)?.kind).toBe('checkpoint');
    reopened.close();
  });

  it('is refused when it is about no lease of this shard, so that nobody fills its file', async () => {
    const s = shard();
    const proof = contradiction(s, s.terms(payer, payee, 6));
    expectAceError('ChannelUnleased', () => report(s, proof));
    expect(s.store.disputes.get(payer.device.publicKey)).toBeNull();
  });

  it('is refused when it is forged, and changes nothing', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 6);
    const forger = { ...channel, payer: other };
    expectAceError('InvalidSignature', () => report(s, contradiction(s, forger)));
    await s.lease(payer, payee, 1);
  });
});

describe('what the shard notices itself', () => {
  it('two checkpoints of one number in claims of both sides', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 6);
    s.claim(channel, 3, { checkpoint: s.checkpoint(channel, { units: 3 }) });
    const lie = { ...s.checkpoint(channel, { units: 2 }), payeeSignature: null };
    expect(s.claim(channel, 3, { checkpoint: lie })).toMatchObject({ claimedUnits: 3 });
    const kept = s.store.disputes.get(payer.device.publicKey);
    expect(kept?.kind).toBe('checkpoint');
    report(s, kept?.proof as Uint8Array);
    await expectAceRejection('DeviceDisputed', s.lease(payer, payee, 1));
  });

  it('the same in the other order: the payer alone first, then both sides', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 6);
    s.claim(channel, 2, { checkpoint: { ...s.checkpoint(channel, { units: 2 }), payeeSignature: null } });
    s.claim(channel, 3, { checkpoint: s.checkpoint(channel, { units: 3 }) });
    expect(s.store.disputes.get(payer.device.publicKey)).not.toBeNull();
  });

  it('a number that no later one passes, named by the payer alone, hides nothing', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 6);
    const high = s.checkpoint(channel, { units: 1, number: Number.MAX_SAFE_INTEGER });
    s.claim(channel, 1, { checkpoint: { ...high, payeeSignature: null } });
    s.claim(channel, 3, { checkpoint: s.checkpoint(channel, { units: 3 }) });
    s.claim(channel, 3, { checkpoint: s.checkpoint(channel, { units: 2 }) });
    expect(s.store.disputes.get(payer.device.publicKey)).not.toBeNull();
  });

  it('nothing in honest claims: the same again, older ones, and units that go back under a higher number', async () => {
    const s = shard();
    const channel = await s.lease(payer, payee, 6);
    const one = s.checkpoint(channel, { units: 3, number: 5 });
    s.claim(channel, 3, { checkpoint: one });
    s.claim(channel, 3, { checkpoint: one });
    s.claim(channel, 3, { checkpoint: s.checkpoint(channel, { units: 1, number: 4 }) });
    s.claim(channel, 3, { checkpoint: s.checkpoint(channel, { units: 2, number: 6 }) });
    expect(s.store.disputes.get(payer.device.publicKey)).toBeNull();
  });

  it('terms with an anchor that the same device has used', async () => {
    const s = shard();
    const { terms } = await s.lease(payer, payee, 6);
    const error = await expectAceRejection(
      'DeviceDisputed',
      s.lease(payer, other, 6, { anchor: terms.anchor }),
    );
    expect(error.details.kind).toBe('anchor');
    const proof = s.store.disputes.get(payer.device.publicKey)?.proof as Uint8Array;
    expect(() => report(s, proof)).not.toThrow();
  });

  it('no crime of a device whose anchor another one has copied', async () => {
    const s = shard();
    const { terms } = await s.lease(payer, payee, 6);
    await expectAceRejection('LeaseRefused', s.lease(other, payee, 6, { anchor: terms.anchor }));
    expect(s.store.disputes.get(other.device.publicKey)).toBeNull();
    expect(s.store.disputes.get(payer.device.publicKey)).toBeNull();
  });

  it('two terms with one anchor that a node hands in', async () => {
    const s = shard();
    const leased = await s.lease(payer, payee, 6);
    const unleased = s.terms(payer, other, 6, { anchor: leased.terms.anchor });
    const signed = ({ terms }: LeasedChannel) => {
      const record = encodeTerms(terms);
      return { record, signature: payer.device.sign(record) };
    };
    report(s, encodeProof(anchorProof(signed(leased), signed(unleased))));
    expect(s.store.disputes.get(payer.device.publicKey)?.kind).toBe('anchor');
  });
});
