import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import {
  type ChannelTerms,
  type Checkpoint,
  decodeCheckpoint,
  decodeTerms,
  encodeCheckpoint,
  encodeLease,
  encodeTerms,
  MAX_CAPACITY_UNITS,
} from '../../../../shared/channel/records.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const terms: ChannelTerms = {
  networkId: 'test',
  shard: 0,
  payer: `0x${'11'.repeat(20)}`,
  payee: `0x${'22'.repeat(20)}`,
  payerDevice: new Uint8Array(32).fill(1),
  payeeDevice: new Uint8Array(32).fill(2),
  capacityUnits: 10,
  anchor: new Uint8Array(32).fill(3),
  expiresAtMs: 1_800_000_000_000,
  nonce: new Uint8Array(16).fill(4),
};
const checkpoint: Checkpoint = {
  channelId: new Uint8Array(32).fill(5),
  number: 1,
  units: 2,
  bytes: 3,
  videoBytes: 3,
  watchMs: 4,
  final: true,
  tick: new Uint8Array(32).fill(6),
};

describe('channel terms', () => {
  it('come back as they were, within their limits', () => {
    expect(decodeTerms(encodeTerms(terms))).toEqual(terms);
    for (const capacityUnits of [1, MAX_CAPACITY_UNITS]) {
      expect(decodeTerms(encodeTerms({ ...terms, capacityUnits })).capacityUnits).toBe(capacityUnits);
    }
  });
  it.each<[string, object]>([
    ['no capacity', { capacityUnits: 0 }],
    ['too much capacity', { capacityUnits: MAX_CAPACITY_UNITS + 1 }],
    ['half a unit', { capacityUnits: 1.5 }],
    ['a negative capacity', { capacityUnits: -1 }],
    ['an address in capitals', { payer: `0x${'AB'.repeat(20)}` }],
    ['a short address', { payee: '0x11' }],
    ['a short key', { payerDevice: new Uint8Array(31) }],
    ['a short anchor', { anchor: new Uint8Array(31) }],
    ['a long nonce', { nonce: new Uint8Array(17) }],
    ['an expiry past 2^53', { expiresAtMs: 2 ** 53 }],
    ['text for a shard', { shard: '0' }],
  ])('with %s are refused', (_what, fields) => {
    const bytes = encodeTerms({ ...terms, ...fields });
    expect(expectAceError('MessageMalformed', () => decodeTerms(bytes)).reaction).toBe('drop-peer');
  });
});

describe('a checkpoint', () => {
  it('comes back as it was', () => {
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
    const most = { ...checkpoint, units: Number.MAX_SAFE_INTEGER };
    expect(decodeCheckpoint(encodeCheckpoint(most))).toEqual(most);
  });
  it.each<[string, object]>([
    ['units past 2^53', { units: 2 ** 53 }],
    ['a negative number', { number: -1 }],
    ['more video than bytes', { videoBytes: 4 }],
    ['a short tick', { tick: new Uint8Array(31) }],
    ['a number for a truth', { final: 1 }],
  ])('with %s is refused', (_what, fields) => {
    expectAceError('MessageMalformed', () =>
      decodeCheckpoint(encodeCheckpoint({ ...checkpoint, ...fields })),
    );
  });
});

describe('canonical bytes', () => {
  const bytes = encodeTerms(terms);
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['bytes cut short', bytes.subarray(0, -1)],
    ['bytes with a tail', Buffer.concat([bytes, Buffer.of(0)])],
    ['an array of indefinite length', Buffer.concat([Buffer.of(0x9f), bytes.subarray(1), Buffer.of(0xff)])],
    ['an array length in two bytes', Buffer.concat([Buffer.of(0x98, 11), bytes.subarray(1)])],
    ['another tag', dagCbor.encode(['ace-terms-2', ...(dagCbor.decode(bytes) as unknown[]).slice(1)])],
    ['a field more', dagCbor.encode([...(dagCbor.decode(bytes) as unknown[]), 1])],
    ['a checkpoint', encodeCheckpoint(checkpoint)],
  ])('%s is no channel terms', (_what, wrong) => {
    expectAceError('MessageMalformed', () => decodeTerms(wrong));
  });
  it('of each kind begin with its tag, so that no signature passes for another kind', () => {
    const lease = encodeLease({
      channelId: checkpoint.channelId,
      shard: 0,
      capacityUnits: 1,
      expiresAtMs: 1,
    });
    const tags = [bytes, encodeCheckpoint(checkpoint), lease].map((b) => (dagCbor.decode(b) as unknown[])[0]);
    expect(tags).toEqual(['ace-terms-1', 'ace-checkpoint-1', 'ace-lease-1']);
  });
});
