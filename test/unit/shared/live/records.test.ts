import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import {
  decodeLiveRecord,
  encodeLiveRecord,
  type LiveRecord,
  MAX_BYTES_PER_MS,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENT_MS,
  MIN_SEGMENT_MS,
} from '../../../../shared/live/records.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { end, record } from '../../../helpers/live-records.ts';

describe('a live record', () => {
  it('has one encoding, which gives it back', () => {
    for (const one of [record(0), record(7, { initContentId: record(0).contentId }), end(8)]) {
      expect(decodeLiveRecord(encodeLiveRecord(one))).toEqual(one);
    }
  });

  it.each<[string, Partial<LiveRecord>]>([
    ['the shortest segment', { durationMs: MIN_SEGMENT_MS }],
    ['the longest segment', { durationMs: MAX_SEGMENT_MS }],
    ['the largest segment', { durationMs: MAX_SEGMENT_MS, sizeBytes: MAX_SEGMENT_BYTES }],
    ['the most bits a second', { durationMs: 1_000, sizeBytes: 1_000 * MAX_BYTES_PER_MS }],
    ['an interruption at each segment', { discontinuities: 3 }],
  ])('takes %s', (_what, fields) => {
    expect(decodeLiveRecord(encodeLiveRecord(record(3, fields)))).toMatchObject(fields);
  });

  it.each<[string, Partial<LiveRecord>]>([
    ['a segment that is too short', { durationMs: MIN_SEGMENT_MS - 1, sizeBytes: 1 }],
    ['a segment that is too long', { durationMs: MAX_SEGMENT_MS + 1 }],
    ['a segment that is too large', { durationMs: MAX_SEGMENT_MS, sizeBytes: MAX_SEGMENT_BYTES + 1 }],
    ['an empty segment', { sizeBytes: 0 }],
    ['too many bits a second', { durationMs: 1_000, sizeBytes: 1_000 * MAX_BYTES_PER_MS + 1 }],
    ['more interruptions than segments', { discontinuities: 4 }],
    ['a number beyond all bounds', { sequence: 2 ** 40 + 1 }],
    ['a negative number', { sequence: -1 }],
    ['a time before 1970', { startsAtMs: -1 }],
    ['a time that is none', { startsAtMs: 1.5 }],
    ['a content that is a path', { contentId: '../../etc/passwd' }],
    ['an init segment that is a path', { initContentId: '../init.mp4' }],
    ['a broadcast that is none', { broadcast: '' }],
    ['an end with a time of play', { contentId: null, sizeBytes: 0 }],
    ['an end with a size', { contentId: null, durationMs: 0 }],
  ])('refuses %s', (_what, fields) => {
    const bytes = encodeLiveRecord(record(3, fields));
    expectAceError('RecordInvalid', () => decodeLiveRecord(bytes));
  });

  it('refuses another tag, another length, and another encoding of the same', () => {
    const fields = dagCbor.decode(encodeLiveRecord(record(1))) as unknown[];
    for (const bytes of [
      dagCbor.encode(['ace-live-record-2', ...fields.slice(1)]),
      dagCbor.encode([...fields, 0]),
      Buffer.concat([encodeLiveRecord(record(1)), Buffer.of(0)]),
      Buffer.from('no record'),
    ]) {
      expectAceError('MessageMalformed', () => decodeLiveRecord(bytes));
    }
  });
});
