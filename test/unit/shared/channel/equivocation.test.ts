import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../../main/util/sha256.ts';
import { deviceFromSeed, verifyDevice } from '../../../../main/wallet/device.ts';
import {
  anchorProof,
  checkProof,
  checkpointProof,
  encodeProof,
  MAX_PROOF_BYTES,
} from '../../../../shared/channel/equivocation.ts';
import {
  type ChannelTerms,
  type Checkpoint,
  channelIdOf,
  encodeCheckpoint,
  encodeTerms,
} from '../../../../shared/channel/records.ts';
import type { ErrorCode } from '../../../../shared/errors.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const device = deviceFromSeed(new Uint8Array(32).fill(1));
const otherDevice = deviceFromSeed(new Uint8Array(32).fill(2));
const terms: ChannelTerms = {
  networkId: 'test',
  shard: 3,
  payer: `0x${'11'.repeat(20)}`,
  payee: `0x${'22'.repeat(20)}`,
  payerDevice: device.publicKey,
  payeeDevice: otherDevice.publicKey,
  capacityUnits: 10,
  anchor: new Uint8Array(32).fill(3),
  expiresAtMs: 1_800_000_000_000,
  nonce: new Uint8Array(16).fill(4),
};
const checkpoint: Checkpoint = {
  channelId: channelIdOf(encodeTerms(terms), sha256),
  number: 7,
  units: 2,
  bytes: 3,
  videoBytes: 3,
  watchMs: 4,
  final: false,
  tick: new Uint8Array(32).fill(6),
};

const signed = (record: Uint8Array, by = device) => ({ record, signature: by.sign(record) });
const saidTerms = (fields: Partial<ChannelTerms> = {}, by = device) =>
  signed(encodeTerms({ ...terms, ...fields }), by);
const said = (fields: Partial<Checkpoint> = {}, by = device) =>
  signed(encodeCheckpoint({ ...checkpoint, ...fields }), by);
const check = (proof: Uint8Array) => checkProof(proof, 'test', sha256, verifyDevice);
const ofCheckpoints = (a = said(), b = said({ units: 1 }), of = encodeTerms(terms)) =>
  encodeProof(checkpointProof(of, a, b));
const ofTerms = (a = saidTerms(), b = saidTerms({ payee: `0x${'33'.repeat(20)}` })) =>
  encodeProof(anchorProof(a, b));

describe('a proof of equivocation', () => {
  it('of two checkpoints with one number names the device, its account and its shard', () => {
    const { device: caught, ...rest } = check(ofCheckpoints());
    expect(Buffer.from(caught)).toEqual(Buffer.from(device.publicKey));
    expect(rest).toMatchObject({ kind: 'checkpoint', account: terms.payer, shard: 3 });
    expect(rest.channelIds.map(Buffer.from)).toEqual([Buffer.from(checkpoint.channelId)]);
  });

  it('of two terms with one anchor names both channels', () => {
    const { kind, account, channelIds } = check(ofTerms());
    expect({ kind, account }).toEqual({ kind: 'anchor', account: terms.payer });
    expect(channelIds).toHaveLength(2);
  });

  it('is the same bytes whichever record comes first, within its limit', () => {
    const [a, b] = [said(), said({ watchMs: 9 })];
    expect(ofCheckpoints(a, b)).toEqual(ofCheckpoints(b, a));
    expect(ofCheckpoints().byteLength).toBeLessThan(MAX_PROOF_BYTES / 2);
  });

  const swapped = () => {
    const parts = dagCbor.decode(ofCheckpoints()) as unknown[];
    return dagCbor.encode([...parts.slice(0, 3), parts[5], parts[6], parts[3], parts[4]]);
  };
  /** S + L is the same point equation: an implementation that takes it would have two encodings of one signature. */
  const malleated = () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const one = said();
    const s = Buffer.from(one.signature.subarray(32)).reverse();
    const raised = (BigInt(`0x${s.toString('hex')}`) + order).toString(16).padStart(64, '0');
    const signature = Buffer.concat([one.signature.subarray(0, 32), Buffer.from(raised, 'hex').reverse()]);
    return ofCheckpoints({ ...one, signature });
  };

  it.each<[string, ErrorCode, () => Uint8Array]>([
    ['two identical checkpoints', 'ProofInvalid', () => ofCheckpoints(said(), said())],
    ['two identical terms', 'ProofInvalid', () => ofTerms(saidTerms(), saidTerms())],
    ['records in the wrong order', 'ProofInvalid', swapped],
    ['checkpoints with two numbers', 'ProofInvalid', () => ofCheckpoints(said(), said({ number: 8 }))],
    [
      'units that go back under a higher number: books from an old copy say so in good faith',
      'ProofInvalid',
      () => ofCheckpoints(said(), said({ number: 8, units: 1 })),
    ],
    [
      'a checkpoint of another channel',
      'ProofInvalid',
      () => ofCheckpoints(said(), said({ channelId: new Uint8Array(32) })),
    ],
    [
      'terms of another channel than the checkpoints',
      'ProofInvalid',
      () => ofCheckpoints(said(), said({ units: 1 }), encodeTerms({ ...terms, capacityUnits: 11 })),
    ],
    [
      'terms with two anchors',
      'ProofInvalid',
      () => ofTerms(saidTerms(), saidTerms({ anchor: new Uint8Array(32) })),
    ],
    [
      'terms of two devices: anyone can copy an anchor',
      'ProofInvalid',
      () => ofTerms(saidTerms(), saidTerms({ payerDevice: otherDevice.publicKey }, otherDevice)),
    ],
    ['a forged checkpoint', 'InvalidSignature', () => ofCheckpoints(said(), said({ units: 1 }, otherDevice))],
    ['forged terms', 'InvalidSignature', () => ofTerms(saidTerms(), saidTerms({ shard: 4 }, otherDevice))],
    ['a malleated signature', 'InvalidSignature', malleated],
    [
      'another network’s terms',
      'WrongNetwork',
      () => ofTerms(saidTerms({ networkId: 'x' }), saidTerms({ networkId: 'x', shard: 4 })),
    ],
    ['terms of two networks', 'ProofInvalid', () => ofTerms(saidTerms(), saidTerms({ networkId: 'x' }))],
    ['nothing', 'MessageMalformed', () => new Uint8Array(0)],
    ['bytes with a tail', 'MessageMalformed', () => Buffer.concat([ofTerms(), Buffer.of(0)])],
    [
      'a record that is not canonical',
      'MessageMalformed',
      () => {
        const plain = said({ units: 1 }).record;
        const loose = Buffer.concat([Buffer.of(0x98, 9), plain.subarray(1)]);
        return ofCheckpoints(said(), signed(loose));
      },
    ],
    [
      'a proof that is not canonical',
      'MessageMalformed',
      () => Buffer.concat([Buffer.of(0x98, 7), ofTerms().subarray(1)]),
    ],
    ['checkpoints for terms', 'MessageMalformed', () => ofTerms(said(), said({ units: 1 }))],
    [
      'another kind',
      'MessageMalformed',
      () => encodeProof({ ...anchorProof(saidTerms(), saidTerms({ shard: 4 })), kind: 'x' as 'anchor' }),
    ],
    [
      'a record that is too long',
      'MessageMalformed',
      () => ofTerms(saidTerms(), signed(new Uint8Array(513))),
    ],
    [
      'a short signature',
      'MessageMalformed',
      () => ofTerms({ ...saidTerms(), signature: new Uint8Array(63) }),
    ],
    ['too many bytes', 'MessageTooLarge', () => new Uint8Array(MAX_PROOF_BYTES + 1)],
  ])('is not %s', (_what, code, proof) => {
    expectAceError(code, () => check(proof()));
  });
});
