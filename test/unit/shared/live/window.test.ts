import { describe, expect, it } from 'vitest';
import {
  firstMissing,
  GAP_WAIT_MS,
  listed,
  outdated,
  PLAYLIST_MS,
  WINDOW_BYTES,
  WINDOW_MS,
  WINDOW_RECORDS,
} from '../../../../shared/live/window.ts';
import { end, heard, START_MS } from '../../../helpers/live-records.ts';

const run = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => heard(from + i));
const numbers = (records: readonly { sequence: number }[]) => records.map(({ sequence }) => sequence);
const LATER_MS = START_MS + 10_000_000;

describe('what a playlist lists', () => {
  it('is nothing before the first segment', () => {
    expect(listed([], 0, START_MS)).toEqual({ segments: [], ended: false });
  });

  it('is the last two minutes of the newest segments', () => {
    const { segments } = listed(run(0, 299), 0, LATER_MS);
    expect(numbers(segments)).toEqual(numbers(run(300 - PLAYLIST_MS / 2_000, 299)));
  });

  it('is three segments at least, however long they are', () => {
    const long = run(0, 9).map((one) => ({ ...one, durationMs: PLAYLIST_MS }));
    expect(numbers(listed(long, 0, LATER_MS).segments)).toEqual([7, 8, 9]);
  });

  it('waits for a record that is missing, and then goes on behind the hole', () => {
    const records = [...run(0, 4), ...run(6, 7)];
    const heardAtMs = records[5]?.heardAtMs ?? 0;
    expect(numbers(listed(records, 0, heardAtMs + GAP_WAIT_MS - 1).segments)).toEqual([0, 1, 2, 3, 4]);
    expect(numbers(listed(records, 0, heardAtMs + GAP_WAIT_MS).segments)).toEqual([6, 7]);
  });

  it('never goes back when what was missing comes late', () => {
    expect(numbers(listed(run(0, 7), 6, LATER_MS).segments)).toEqual([6, 7]);
  });

  it('says that nothing follows, once the end is next to the last segment', () => {
    const last = { ...end(5), heardAtMs: START_MS + 12_000 };
    expect(listed([...run(0, 4), last], 0, LATER_MS)).toMatchObject({ ended: true });
    expect(numbers(listed([...run(0, 4), last], 0, LATER_MS).segments)).toEqual([0, 1, 2, 3, 4]);
  });

  it('waits for the segments before an end as for any other, and does not leave the player without any', () => {
    const last = { ...end(6), heardAtMs: START_MS + 20_000 };
    const records = [...run(0, 4), last];
    expect(listed(records, 0, last.heardAtMs)).toMatchObject({ ended: false });
    const later = listed(records, 0, last.heardAtMs + GAP_WAIT_MS);
    expect(later.ended).toBe(true);
    expect(numbers(later.segments)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('what leaves the window', () => {
  it('is nothing while there is room', () => {
    expect(outdated(run(0, WINDOW_MS / 2_000 - 1))).toEqual([]);
  });

  it('is what is older than ten minutes of play', () => {
    expect(numbers(outdated(run(0, WINDOW_MS / 2_000 + 1)))).toEqual([0, 1]);
  });

  it('is what are too many', () => {
    const short = run(0, WINDOW_RECORDS).map((one) => ({ ...one, durationMs: 100 }));
    expect(numbers(outdated(short))).toEqual([0]);
  });

  it('is what are too many bytes, and never the newest', () => {
    const large = run(0, 2).map((one) => ({ ...one, sizeBytes: WINDOW_BYTES }));
    expect(numbers(outdated(large))).toEqual([0, 1]);
  });
});

describe('the first number that is missing', () => {
  it.each([
    [[], 0, 0],
    [[0, 1, 2], 0, 3],
    [[4, 5, 7], 4, 6],
    [[5, 6], 4, 4],
  ])('of %j from %i is %i', (sequences, from, missing) => {
    expect(
      firstMissing(
        sequences.map((sequence) => heard(sequence)),
        from,
      ),
    ).toBe(missing);
  });
});
