import { describe, expect, it } from 'vitest';
import { gatheredPieces } from '../../../../main/pieces/gathering.ts';

const NEAR = { roundTripMs: 1, pieceMs: 10 };

describe('gatheredPieces', () => {
  it('books each piece of a stranger at once: its provider waits for the payment', () => {
    for (const paidUnits of [0, 1, 2]) expect(gatheredPieces({ paidUnits, ...NEAR })).toBe(1);
  });

  it('is half the window, four pieces at most', () => {
    expect(gatheredPieces({ paidUnits: 6, ...NEAR })).toBe(1);
    expect(gatheredPieces({ paidUnits: 7, ...NEAR })).toBe(4);
    expect(gatheredPieces({ paidUnits: 1_000, ...NEAR })).toBe(4);
  });

  it('leaves the window to what is under way on a long line', () => {
    expect(gatheredPieces({ paidUnits: 1_000, roundTripMs: 20, pieceMs: 10 })).toBe(4);
    expect(gatheredPieces({ paidUnits: 1_000, roundTripMs: 21, pieceMs: 10 })).toBe(3);
    expect(gatheredPieces({ paidUnits: 1_000, roundTripMs: 100, pieceMs: 10 })).toBe(1);
  });

  it('never divides by a piece that took no time', () => {
    expect(gatheredPieces({ paidUnits: 1_000, roundTripMs: 2, pieceMs: 0 })).toBe(4);
  });

  it('has no window to think of between devices of one account', () => {
    expect(gatheredPieces({ paidUnits: null, roundTripMs: 500, pieceMs: 1 })).toBe(4);
  });
});
