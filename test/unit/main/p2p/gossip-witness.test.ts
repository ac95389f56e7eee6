import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { LeasedCheckpoint } from '../../../../main/channel/observer.ts';
import {
  CHANNEL_BURST,
  CHANNEL_EVERY_MS,
  MAX_GOSSIP_BYTES,
  REMEMBERED_CHANNELS,
} from '../../../../main/p2p/protocols/gossip/constants.ts';
import { decodeGossip, encodeGossip } from '../../../../main/p2p/protocols/gossip/messages.ts';
import { Witness } from '../../../../main/p2p/protocols/gossip/witness.ts';
import { sha256 } from '../../../../main/util/sha256.ts';
import { createDevice, verifyDevice } from '../../../../main/wallet/device.ts';
import { checkProof, encodeProof } from '../../../../shared/channel/equivocation.ts';
import {
  type ChannelTerms,
  type Checkpoint,
  channelIdOf,
  encodeCheckpoint,
  encodeLease,
  encodeTerms,
} from '../../../../shared/channel/records.ts';
import type { ErrorCode } from '../../../../shared/errors.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const [device, payee, validator] = [createDevice(), createDevice(), createDevice()];
const EXPIRES_AT_MS = 1_800_000_000_000;
let nowMs = EXPIRES_AT_MS - 3_600_000;

function witness(): Witness {
  nowMs = EXPIRES_AT_MS - 3_600_000;
  return new Witness({
    networkId: 'test',
    validatorKeys: [Buffer.from(validator.publicKey).toString('hex')],
    nowMs: () => nowMs,
    clockMs: () => nowMs,
  });
}

function told(
  fields: Partial<Checkpoint> = {},
  ofTerms: Partial<ChannelTerms> = {},
  by = device,
  leasedBy = validator,
): LeasedCheckpoint {
  const terms: ChannelTerms = {
    networkId: 'test',
    shard: 0,
    payer: `0x${'11'.repeat(20)}`,
    payee: `0x${'22'.repeat(20)}`,
    payerDevice: device.publicKey,
    payeeDevice: payee.publicKey,
    capacityUnits: 10,
    anchor: new Uint8Array(32).fill(3),
    expiresAtMs: EXPIRES_AT_MS,
    nonce: new Uint8Array(16),
    ...ofTerms,
  };
  const channelId = channelIdOf(encodeTerms(terms), sha256);
  const { shard, capacityUnits, expiresAtMs } = terms;
  const bytes = encodeTerms(terms);
  const record = encodeCheckpoint({
    channelId,
    number: 5,
    units: 3,
    bytes: 3,
    videoBytes: 0,
    watchMs: 0,
    final: false,
    tick: new Uint8Array(32),
    ...fields,
  });
  return {
    terms: bytes,
    termsSignature: by.sign(bytes),
    leaseSignature: leasedBy.sign(encodeLease({ channelId, shard, capacityUnits, expiresAtMs })),
    record,
    payerSignature: by.sign(record),
  };
}
const hear = (w: Witness, one: LeasedCheckpoint) => w.hear(decodeGossip(encodeGossip(one)));
const kindOf = (heard: ReturnType<typeof hear>) =>
  heard.proof && checkProof(encodeProof(heard.proof), 'test', sha256, verifyDevice).kind;

describe('the witness', () => {
  it('passes on what is new, once', () => {
    const w = witness();
    expect(hear(w, told())).toEqual({ isNews: true, proof: null });
    expect(hear(w, told())).toEqual({ isNews: false, proof: null });
    expect(hear(w, told({ number: 6 }))).toEqual({ isNews: true, proof: null });
  });

  it('proves two checkpoints with one number, also when others came between', () => {
    const w = witness();
    for (const number of [5, 6, 7]) hear(w, told({ number }));
    expect(kindOf(hear(w, told({ units: 2 })))).toBe('checkpoint');
  });

  it('proves one anchor in the terms of two leases: not even a shard that leased both hides it', () => {
    const w = witness();
    hear(w, told());
    expect(kindOf(hear(w, told({}, { payee: `0x${'33'.repeat(20)}` })))).toBe('anchor');
  });

  it('takes one anchor of two devices for no proof', () => {
    const w = witness();
    hear(w, told());
    const thief = createDevice();
    expect(hear(w, told({}, { payerDevice: thief.publicKey }, thief)).proof).toBeNull();
  });

  it.each<[string, ErrorCode, () => LeasedCheckpoint]>([
    ['of another network', 'WrongNetwork', () => told({}, { networkId: 'x' })],
    ['of a channel that is long over', 'ChannelExpired', () => told({}, { expiresAtMs: nowMs - 3_600_000 })],
    [
      'with a checkpoint of another channel',
      'ChannelMismatch',
      () => told({ channelId: new Uint8Array(32) }),
    ],
    ['without a lease', 'ChannelUnleased', () => told({}, {}, device, createDevice())],
    ['of a shard that does not exist', 'ChannelUnleased', () => told({}, { shard: 1 })],
    ['with terms signed by another', 'InvalidSignature', () => told({}, {}, createDevice())],
    [
      'with a checkpoint signed by another',
      'InvalidSignature',
      () => ({ ...told(), payerSignature: createDevice().sign(told().record) }),
    ],
  ])('refuses gossip %s', (_what, code, make) => {
    const w = witness();
    expectAceError(code, () => hear(w, make()));
    expect(w.rememberedChannels).toBe(0);
  });

  it('lets nobody make endless messages of one by other signatures around it', () => {
    const w = witness();
    hear(w, told());
    expect(hear(w, { ...told(), leaseSignature: randomBytes(64) }).isNews).toBe(false);
    const next = told({ number: 6 });
    expectAceError('ChannelUnleased', () => hear(w, { ...next, leaseSignature: randomBytes(64) }));
    expectAceError('InvalidSignature', () => hear(w, { ...next, termsSignature: randomBytes(64) }));
  });

  it('passes on so much of one channel at a time, and still finds what contradicts', () => {
    const w = witness();
    for (let i = 0; i < CHANNEL_BURST; i++) expect(hear(w, told({ number: 10 + i })).isNews).toBe(true);
    expect(hear(w, told({ number: 90 })).isNews).toBe(false);
    const lie = hear(w, told({ number: 90, units: 2 }));
    expect([lie.isNews, kindOf(lie)]).toEqual([false, 'checkpoint']);
    nowMs += CHANNEL_EVERY_MS;
    expect(hear(w, told({ number: 91 })).isNews).toBe(true);
    expect(hear(w, told({ number: 92 })).isNews).toBe(false);
  });

  it('remembers so many channels, and forgets the one that it has not heard of for longest', {
    tags: 'long',
  }, () => {
    const w = witness();
    const channel = (i: number) => {
      const nonce = new Uint8Array(16);
      new DataView(nonce.buffer).setUint32(0, i);
      return { nonce, anchor: sha256(nonce) };
    };
    for (let i = 0; i < REMEMBERED_CHANNELS; i++) hear(w, told({}, channel(i)));
    hear(w, told({ number: 6 }, channel(0)));
    hear(w, told({}, channel(REMEMBERED_CHANNELS)));
    expect(w.rememberedChannels).toBe(REMEMBERED_CHANNELS);
    expect(kindOf(hear(w, told({ units: 2 }, channel(0))))).toBe('checkpoint');
    expect(kindOf(hear(w, told({ units: 2 }, channel(1))))).toBeNull();
  });
});

describe('a gossip message', () => {
  it('is well below its limit, and comes back as it was', () => {
    const one = told({ number: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER });
    const bytes = encodeGossip(one);
    expect(bytes.byteLength).toBeLessThan(MAX_GOSSIP_BYTES * 0.8);
    expect(encodeGossip(decodeGossip(bytes))).toEqual(bytes);
  });

  it.each<[string, ErrorCode, () => Uint8Array]>([
    ['nothing', 'MessageMalformed', () => new Uint8Array(0)],
    ['junk', 'MessageMalformed', () => randomBytes(700)],
    ['bytes with a tail', 'MessageMalformed', () => Buffer.concat([encodeGossip(told()), Buffer.of(0)])],
    [
      'a short signature',
      'MessageMalformed',
      () => encodeGossip({ ...told(), leaseSignature: randomBytes(63) }),
    ],
    ['a checkpoint for terms', 'MessageMalformed', () => encodeGossip({ ...told(), terms: told().record })],
    ['too many bytes', 'MessageTooLarge', () => randomBytes(MAX_GOSSIP_BYTES + 1)],
  ])('is not %s', (_what, code, make) => {
    expectAceError(code, () => decodeGossip(make()));
  });
});
