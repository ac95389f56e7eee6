import { describe, expect, it } from 'vitest';
import type { TransportFile } from '../../../../main/content/transport-file.ts';
import { Demand } from '../../../../main/transfer/demand.ts';
import { PIECE_BYTES } from '../../../../shared/economy/units.ts';

/** 100 pieces; a piece plays for a second when there is a duration. */
const file = (durationMs: number, mimeType = 'video/mp4') =>
  ({ sizeBytes: 100 * PIECE_BYTES, durationMs, mimeType }) as TransportFile;

const indices = (demand: Demand, missing: (i: number) => boolean = () => true, bytesPerMs = 1) =>
  [...demand.wants(missing, bytesPerMs)].map(({ pieceIndex }) => pieceIndex);

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('Demand', () => {
  it('wants nothing while nobody reads', () => {
    expect(indices(new Demand(file(0)))).toEqual([]);
  });

  it('wants what lies within half a minute of a reader, and no more', () => {
    const demand = new Demand(file(100_000));
    demand.addReader(10, true);
    expect(indices(demand)).toEqual(range(10, 40));
    expect([demand.wanted(9), demand.wanted(10), demand.wanted(39), demand.wanted(40)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('wants twelve pieces ahead of a reader of what has no duration', () => {
    const demand = new Demand(file(0));
    demand.addReader(95, true);
    expect(indices(demand)).toEqual(range(95, 100));
    demand.addReader(0, true);
    expect(indices(demand)).toHaveLength(12 + 5);
  });

  it('gives deadlines as the content plays, or as it comes when it has no duration', () => {
    const timed = new Demand(file(100_000));
    timed.addReader(10, true);
    expect([9, 10, 13, 40].map((i) => timed.deadlineMs(i, 1))).toEqual([
      Number.POSITIVE_INFINITY,
      0,
      3_000,
      Number.POSITIVE_INFINITY,
    ]);
    const untimed = new Demand(file(0));
    untimed.addReader(0, true);
    expect(untimed.deadlineMs(2, PIECE_BYTES)).toBe(2);
  });

  it('puts the nearest piece of any reader first, and leaves out what is not missing', () => {
    const demand = new Demand(file(0));
    demand.addReader(50, true);
    demand.addReader(0, true);
    expect(indices(demand, (i) => i !== 50 && i !== 1).slice(0, 4)).toEqual([0, 51, 52, 2]);
  });

  it('counts a piece that somebody watches and somebody keeps as watched', () => {
    const demand = new Demand(file(100_000));
    demand.addReader(0, false);
    const watcher = demand.addReader(0, true);
    expect([...demand.wants(() => true, 1)].every(({ video }) => video)).toBe(true);
    demand.removeReader(watcher);
    expect([...demand.wants(() => true, 1)].some(({ video }) => video)).toBe(false);
  });

  it('wants everything for a download, in order, after what readers need, each piece once', () => {
    const demand = new Demand(file(100_000));
    demand.addReader(60, true);
    demand.download();
    expect(indices(demand)).toEqual([...range(60, 90), ...range(0, 60), ...range(90, 100)]);
  });

  it('wants everything from a reader that takes all on, for as long as it is there', () => {
    const demand = new Demand(file(100_000));
    const reader = demand.addReader(60, false, true);
    expect(indices(demand)).toEqual(range(60, 100));
    expect([demand.wanted(59), demand.wanted(99)]).toEqual([false, true]);
    demand.limitAhead(2);
    expect(indices(demand)).toEqual([60, 61]);
    demand.limitAhead(null);
    demand.removeReader(reader);
    expect(indices(demand)).toEqual([]);
    expect(demand.wanted(99)).toBe(false);
  });

  it('goes on with a download where something is missing', () => {
    const demand = new Demand(file(0));
    demand.download();
    demand.passOver((i) => i < 70);
    expect(indices(demand)).toEqual(range(70, 100));
    demand.forget(5);
    expect(indices(demand, (i) => i === 5 || i >= 70)[0]).toBe(5);
  });

  it('takes the rarest first, and two viewers take equals in orders of their own', () => {
    const orderOf = (salt: number) => {
      const demand = new Demand(file(0));
      demand.download();
      demand.preferRare('1', (i) => (i < 50 ? 2 : 1), salt);
      return indices(demand);
    };
    const [one, other] = [orderOf(1), orderOf(2)];
    expect([...one.slice(0, 50)].sort((a, b) => a - b)).toEqual(range(50, 100));
    expect(one).not.toEqual(other);
    expect([...one].sort((a, b) => a - b)).toEqual(range(0, 100));
    expect(orderOf(1)).toEqual(one);
  });
});
