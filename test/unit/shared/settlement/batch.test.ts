import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import {
  type Batch,
  checkBatch,
  decodeBatch,
  encodeBatch,
  FIRST_PREVIOUS_HASH,
  MAX_BATCH_ENTRIES,
  MAX_WATCHED,
} from '../../../../shared/settlement/batch.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => `0x${digit.repeat(40)}`) as [string, string, string];

function batch(change: Partial<Batch> = {}): Batch {
  return {
    networkId: 'test',
    shard: 0,
    number: 1,
    previousHash: FIRST_PREVIOUS_HASH,
    createdAtMs: 1_700_000_000_000,
    watched: { videoUnits: 10n, watchMs: 20n },
    entries: [
      { payer: A, payee: B, repayUnits: 1, consumeUnits: 2 },
      { payer: A, payee: C, repayUnits: 0, consumeUnits: 5 },
      { payer: B, payee: A, repayUnits: 3, consumeUnits: 0 },
    ],
    ...change,
  };
}

function entries(count: number): Batch['entries'] {
  return Array.from({ length: count }, (_, i) => {
    return { payer: A, payee: `0x${i.toString(16).padStart(40, '0')}`, repayUnits: 0, consumeUnits: 1 };
  });
}

const one = { payer: A, payee: B, repayUnits: 1, consumeUnits: 1 };
const malformed: readonly (readonly [string, Partial<Batch>])[] = [
  ['a negative shard', { shard: -1 }],
  ['a shard that is no whole number', { shard: 0.5 }],
  ['number 0', { number: 0 }],
  ['a number beyond 2^53', { number: 2 ** 53 }],
  ['a previous hash of 31 bytes', { previousHash: new Uint8Array(31) }],
  ['a previous hash of 33 bytes', { previousHash: new Uint8Array(33) }],
  ['a negative time', { createdAtMs: -1 }],
  ['negative video units', { watched: { videoUnits: -1n, watchMs: 0n } }],
  ['negative watch time', { watched: { videoUnits: 0n, watchMs: -1n } }],
  ['too many video units', { watched: { videoUnits: MAX_WATCHED + 1n, watchMs: 0n } }],
  ['one entry too many', { entries: entries(MAX_BATCH_ENTRIES + 1) }],
  ['payers out of order', { entries: [{ ...one, payer: B, payee: C }, one] }],
  ['payees out of order', { entries: [{ ...one, payee: C }, one] }],
  ['a pair twice', { entries: [one, one] }],
  ['an account that pays itself', { entries: [{ ...one, payee: A }] }],
  ['an address in upper case', { entries: [{ ...one, payee: B.toUpperCase() }] }],
  ['an address that is too short', { entries: [{ ...one, payee: B.slice(1) }] }],
  ['negative units', { entries: [{ ...one, repayUnits: -1 }] }],
  ['part of a unit', { entries: [{ ...one, consumeUnits: 1.5 }] }],
  ['units beyond 2^53', { entries: [{ ...one, consumeUnits: 2 ** 53 }] }],
  ['units that are no number', { entries: [{ ...one, consumeUnits: Number.NaN }] }],
  ['an entry of nothing', { entries: [{ ...one, repayUnits: 0, consumeUnits: 0 }] }],
];

describe('checkBatch', () => {
  it('takes a batch in order, also an empty and a full one', () => {
    checkBatch(batch());
    checkBatch(batch({ entries: [] }));
    checkBatch(batch({ entries: entries(MAX_BATCH_ENTRIES) }));
    checkBatch(batch({ watched: { videoUnits: MAX_WATCHED, watchMs: 0n } }));
  });

  it.each(malformed)('refuses %s', (_, change) => {
    expectAceError('BatchMalformed', () => checkBatch(batch(change)));
  });
});

describe('encodeBatch', () => {
  it('is read back as the same batch', () => {
    expect(decodeBatch(encodeBatch(batch()))).toEqual(batch());
    const large = batch({ watched: { videoUnits: MAX_WATCHED, watchMs: MAX_WATCHED } });
    expect(decodeBatch(encodeBatch(large))).toEqual(large);
  });

  it('differs with every field', () => {
    const changes: Partial<Batch>[] = [
      {},
      { networkId: 'other' },
      { shard: 1 },
      { number: 2 },
      { previousHash: new Uint8Array(32).fill(1) },
      { createdAtMs: 1 },
      { watched: { videoUnits: 11n, watchMs: 20n } },
      { watched: { videoUnits: 10n, watchMs: 21n } },
      { entries: [] },
      { entries: [one] },
    ];
    const encodings = changes.map((change) => Buffer.from(encodeBatch(batch(change))).toString('hex'));
    expect(new Set(encodings).size).toBe(changes.length);
  });
});

describe('decodeBatch', () => {
  it.each(malformed.filter(([, change]) => change.entries?.length !== MAX_BATCH_ENTRIES + 1))(
    'refuses the bytes of %s',
    (_, change) => {
      let bytes: Uint8Array;
      try {
        bytes = encodeBatch(batch(change));
      } catch {
        return; // Some have no encoding at all.
      }
      expectAceError('BatchMalformed', () => decodeBatch(bytes));
    },
  );

  const fields = dagCbor.decode(encodeBatch(batch())) as unknown[];
  const replaced = (index: number, value: unknown) =>
    dagCbor.encode(fields.map((f, i) => (i === index ? value : f)));
  it.each([
    ['nothing', new Uint8Array()],
    ['cut bytes', encodeBatch(batch()).slice(0, -1)],
    ['bytes with more behind', new Uint8Array([...encodeBatch(batch()), 0])],
    ['a map', dagCbor.encode({ a: 1 })],
    ['another format', replaced(0, 'ace-batch-2')],
    ['a network that is no text', replaced(1, 7)],
    ['a shard that is no number', replaced(2, '0')],
    ['a hash that is no bytes', replaced(4, 'x')],
    ['totals that are no number', replaced(6, null)],
    ['entries that are no list', replaced(8, {})],
    ['an entry that is too short', replaced(8, [[A, B, 1]])],
    ['an entry of the wrong types', replaced(8, [[A, B, '1', 1]])],
    ['a field too many', dagCbor.encode([...fields, 0])],
    // 0x18 0x00 is 0 in two bytes, where one is enough.
    ['another encoding of the same', longShard(encodeBatch(batch()))],
  ])('refuses %s', (_, bytes) => {
    expectAceError('BatchMalformed', () => decodeBatch(bytes));
  });
});

function longShard(bytes: Uint8Array): Uint8Array {
  const at = 1 + 1 + 'ace-batch-1'.length + 1 + 'test'.length;
  return new Uint8Array([...bytes.slice(0, at), 0x18, 0, ...bytes.slice(at + 1)]);
}
