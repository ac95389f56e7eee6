import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALONE_PIECES,
  type AvailableProvider,
  assign,
  depthOf,
  finishMs,
  MAX_PIECES,
  type Pending,
  remedies,
  type Want,
} from '../../../../main/transfer/picker.ts';
import { PIECE_BYTES } from '../../../../shared/economy/units.ts';

const EVER = Number.POSITIVE_INFINITY;

const provider = (id: string, more: Partial<AvailableProvider> = {}): AvailableProvider => ({
  id,
  bytesPerMs: 1_000,
  latencyMs: 20,
  outstandingBytes: 0,
  outstandingPieces: 0,
  silentMs: 0,
  has: () => true,
  ...more,
});

const busy = (id: string, pieces: number, more: Partial<AvailableProvider> = {}): AvailableProvider =>
  provider(id, { outstandingPieces: pieces, outstandingBytes: pieces * PIECE_BYTES, ...more });

const want = (pieceIndex: number, deadlineMs = EVER): Want => ({
  pieceIndex,
  bytes: PIECE_BYTES,
  deadlineMs,
  video: deadlineMs !== EVER,
});

const wants = (count: number, deadlineMs: (i: number) => number = () => EVER) =>
  Array.from({ length: count }, (_, i) => want(i, deadlineMs(i)));

const given = (assignments: ReturnType<typeof assign>) =>
  assignments.map(({ want: { pieceIndex }, providerId }) => `${pieceIndex}${providerId}`);

const countOf = (assignments: ReturnType<typeof assign>, id: string) =>
  assignments.filter(({ providerId }) => providerId === id).length;

describe('assigning pieces', () => {
  it('gives the first to the provider that finishes it first', () => {
    const [near, far] = [provider('a', { latencyMs: 5 }), provider('b', { latencyMs: 300 })];
    expect(given(assign([want(0, 0)], [far, near], PIECE_BYTES))).toEqual(['0a']);
  });

  it('counts what is asked there already', () => {
    expect(given(assign([want(0, 0)], [busy('a', 1), provider('b')], PIECE_BYTES))).toEqual(['0b']);
  });

  it('shares equal work between equals', () => {
    const assignments = assign(wants(100), [provider('a'), provider('b')], 100 * PIECE_BYTES);
    expect(countOf(assignments, 'a')).toBe(countOf(assignments, 'b'));
    expect(countOf(assignments, 'a')).toBeGreaterThan(1);
  });

  it('gives a fast provider more than a slow one, as their speeds are', () => {
    const assignments = assign(
      wants(100),
      [provider('fast', { bytesPerMs: 8_000 }), provider('slow', { bytesPerMs: 500 })],
      100 * PIECE_BYTES,
    );
    expect(countOf(assignments, 'fast')).toBeGreaterThanOrEqual(3 * countOf(assignments, 'slow'));
  });

  it('asks a provider only for what it has', () => {
    const [even, odd] = [
      provider('even', { has: (i) => i % 2 === 0 }),
      provider('odd', { has: (i) => i % 2 === 1 }),
    ];
    for (const {
      want: { pieceIndex },
      providerId,
    } of assign(wants(8), [even, odd], 8 * PIECE_BYTES))
      expect(providerId).toBe(pieceIndex % 2 === 0 ? 'even' : 'odd');
  });

  it('passes over what nobody has, and goes on with the rest', () => {
    const assignments = assign(wants(6), [provider('a', { has: (i) => i >= 4 })], 6 * PIECE_BYTES);
    expect(assignments.map(({ want: { pieceIndex } }) => pieceIndex)[0]).toBe(4);
  });

  it('keeps a piece that is urgent for the fast one, though the slow one has time', () => {
    const fast = busy('fast', MAX_PIECES, { bytesPerMs: 10_000 });
    const slow = provider('slow', { bytesPerMs: 50 });
    expect(assign([want(0, 2_000)], [fast, slow], PIECE_BYTES)).toEqual([]);
    const later = assign([want(0, 2_000), want(30, 60_000)], [fast, slow], 31 * PIECE_BYTES);
    expect(given(later)).toEqual(['30slow']);
  });

  it('does not let a slow provider have the end of a download', () => {
    const fast = busy('fast', MAX_PIECES, { bytesPerMs: 10_000 });
    const slow = provider('slow', { bytesPerMs: 50 });
    expect(assign(wants(3), [fast, slow], 3 * PIECE_BYTES)).toEqual([]);
    expect(countOf(assign(wants(2_000), [fast, slow], 2_000 * PIECE_BYTES), 'slow')).toBeGreaterThan(0);
  });

  it('fills the window of a provider alone that was never measured, and only probes it beside others', () => {
    const fresh = provider('new', { bytesPerMs: null });
    expect(assign(wants(50), [fresh], 50 * PIECE_BYTES)).toHaveLength(ALONE_PIECES);
    expect(countOf(assign(wants(50), [provider('a'), fresh], 50 * PIECE_BYTES), 'new')).toBe(1);
  });

  it('never probes with what a player needs soon', () => {
    const fresh = provider('new', { bytesPerMs: null });
    const known = busy('known', MAX_PIECES);
    expect(assign([want(0, 0), want(1, 500)], [known, fresh], 2 * PIECE_BYTES)).toEqual([]);
    expect(given(assign([want(9, 60_000)], [known, fresh], PIECE_BYTES))).toEqual(['9new']);
  });

  it('takes a silent provider for as slow as its silence', () => {
    const silent = busy('silent', 1, { bytesPerMs: 100_000, silentMs: 5_000 });
    expect(given(assign([want(0, 0)], [silent, provider('other')], PIECE_BYTES))).toEqual(['0other']);
    expect(finishMs(silent, PIECE_BYTES)).toBeGreaterThan(10_000);
  });

  it('has a slow provider wait for no more than it sends in a second or two', () => {
    expect(depthOf(provider('slow', { bytesPerMs: 50 }), true)).toBe(2);
    expect(depthOf(provider('fast', { bytesPerMs: 500_000 }), true)).toBe(MAX_PIECES);
  });
});

const anySource = (id: number) =>
  fc
    .record({
      bytesPerMs: fc.oneof(fc.constant(null), fc.double({ min: 1, max: 1e6, noNaN: true })),
      latencyMs: fc.integer({ min: 0, max: 3_000 }),
      outstandingPieces: fc.integer({ min: 0, max: 20 }),
      silentMs: fc.integer({ min: 0, max: 20_000 }),
      mask: fc.integer({ min: 0, max: 7 }),
    })
    .map(({ mask, outstandingPieces, ...rest }) =>
      busy(String(id), outstandingPieces, { ...rest, has: (i) => ((mask >> (i % 3)) & 1) === 1 }),
    );

const anySources = fc
  .integer({ min: 1, max: 5 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, id) => anySource(id))));

const anyWants = fc
  .array(fc.oneof(fc.constant(EVER), fc.integer({ min: 0, max: 60_000 })), {
    maxLength: 60,
  })
  .map((deadlines) => deadlines.map((deadlineMs, i) => want(i, deadlineMs)));

describe('whatever the providers and the need are', () => {
  it('no piece is given twice, none to whom it lacks, and nobody gets more than its depth', () => {
    fc.assert(
      fc.property(anySources, anyWants, (providers, list) => {
        const assignments = assign(list, providers, list.length * PIECE_BYTES);
        const indices = assignments.map(({ want: { pieceIndex } }) => pieceIndex);
        expect(new Set(indices).size).toBe(indices.length);
        for (const s of providers) {
          const own = assignments.filter(({ providerId }) => providerId === s.id);
          expect(own.every(({ want: { pieceIndex } }) => s.has(pieceIndex))).toBe(true);
          if (own.length > 0)
            expect(own.length + s.outstandingPieces).toBeLessThanOrEqual(
              Math.max(MAX_PIECES, depthOf(s, providers.length === 1)),
            );
        }
        for (const { expectedMs } of assignments) expect(Number.isFinite(expectedMs)).toBe(true);
      }),
    );
  });

  it('a free provider that has the first piece and is alone is asked for it', () => {
    fc.assert(
      fc.property(anySource(0), anyWants, (only, list) => {
        const first = list.find(({ pieceIndex }) => only.has(pieceIndex));
        fc.pre(first !== undefined && only.outstandingPieces === 0);
        expect(assign(list, [only], EVER)[0]?.want).toEqual(first);
      }),
    );
  });

  it('at most one request is doubled at a time, to another provider that has the piece', () => {
    const anyPending = fc.array(
      fc.record({
        deadlineMs: fc.oneof(fc.constant(EVER), fc.integer({ min: -100, max: 9_000 })),
        elapsedMs: fc.integer({ min: 0, max: 30_000 }),
        expectedMs: fc.integer({ min: 0, max: 5_000 }),
        withdrawn: fc.boolean(),
        doubled: fc.boolean(),
        providerId: fc.constantFrom('0', '1', '2'),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(anySources, anyPending, fc.boolean(), (providers, list, allAsked) => {
        const pending = list.map((one, i) => ({ ...one, pieceIndex: i, bytes: PIECE_BYTES }));
        const doubles = remedies(pending, providers, allAsked).filter((r) => r.kind === 'double');
        const already = pending.some(({ doubled }) => doubled) ? 1 : 0;
        expect(doubles.length + already).toBeLessThanOrEqual(1);
        for (const { pending: one, providerId } of doubles) {
          expect(providerId).not.toBe(one.providerId);
          expect(one.withdrawn).toBe(true);
          expect(providers.find(({ id }) => id === providerId)?.has(one.pieceIndex)).toBe(true);
        }
      }),
    );
  });
});

describe('a request that is late', () => {
  const late = (more: Partial<Pending> = {}): Pending => ({
    pieceIndex: 0,
    bytes: PIECE_BYTES,
    providerId: 'slow',
    deadlineMs: 0,
    elapsedMs: 10_000,
    expectedMs: 1_000,
    withdrawn: false,
    doubled: false,
    ...more,
  });
  const both = [busy('slow', 1, { silentMs: 10_000 }), provider('fast', { bytesPerMs: 10_000 })];
  const kinds = (pending: Pending[], providers: readonly AvailableProvider[] = both, allAsked = false) =>
    remedies(pending, providers, allAsked).map(({ kind }) => kind);

  it('is withdrawn first, which costs nothing', () => {
    expect(kinds([late()])).toEqual(['withdraw']);
  });

  it('is asked for elsewhere as well when its provider does not give it back and a player waits', () => {
    expect(kinds([late({ withdrawn: true })])).toEqual(['double']);
    expect(kinds([late({ withdrawn: true, deadlineMs: 5_000 })])).toEqual([]);
  });

  it('is asked for elsewhere as well at the end of a download, and not before', () => {
    const last = late({ withdrawn: true, deadlineMs: EVER });
    expect(kinds([last], both, true)).toEqual(['double']);
    expect(kinds([last], both, false)).toEqual([]);
  });

  it('is left when it is not late yet, when nobody would be faster, and when nobody else was measured', () => {
    expect(kinds([late({ elapsedMs: 499, expectedMs: 10 })])).toEqual([]);
    const slow = busy('slow', 1);
    const fast = provider('fast', { bytesPerMs: 10_000 });
    expect(kinds([late({ elapsedMs: 1_499 })], [slow, fast])).toEqual([]);
    expect(kinds([late({ elapsedMs: 1_500 })], [slow, fast])).toEqual(['withdraw']);
    expect(kinds([late()], [both[0] as AvailableProvider])).toEqual([]);
    expect(kinds([late()], [both[0] as AvailableProvider, provider('fast', { bytesPerMs: null })])).toEqual(
      [],
    );
    expect(kinds([late()], [both[0] as AvailableProvider, provider('fast', { bytesPerMs: 10 })])).toEqual([]);
    expect(kinds([late()], [both[0] as AvailableProvider, provider('fast', { has: () => false })])).toEqual(
      [],
    );
  });

  it('of a provider that has gone silent is late at once, and its answer to the withdrawal is not waited for', () => {
    const request = late({ elapsedMs: 800, expectedMs: 5_000 });
    const mute = busy('slow', 1, { silentMs: 800 });
    const fast = provider('fast', { bytesPerMs: 10_000 });
    expect(kinds([request], [mute, fast])).toEqual(['withdraw']);
    expect(kinds([{ ...request, withdrawn: true }], [mute, fast])).toEqual(['double']);
    expect(kinds([request], [busy('slow', 1), fast])).toEqual([]);
  });

  it('is the only one that is doubled at a time', () => {
    const first = late({ withdrawn: true, doubled: true });
    expect(kinds([first, late({ withdrawn: true, pieceIndex: 1 })])).toEqual([]);
    expect(kinds([late({ withdrawn: true }), late({ withdrawn: true, pieceIndex: 1 })])).toEqual(['double']);
  });
});
