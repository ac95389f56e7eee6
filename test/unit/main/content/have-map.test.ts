import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHaveMap, isHaveMap, mapHas } from '../../../../main/content/have-map.ts';

describe('a have map', () => {
  it('says of each piece whether it is there, in a bit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(fc.nat(350)), (count, indices) => {
        const bitmap = encodeHaveMap(indices, count);
        expect(isHaveMap(bitmap, count)).toBe(true);
        expect(bitmap.byteLength).toBeLessThanOrEqual(Math.ceil(count / 8));
        for (let i = 0; i < count; i++) expect(mapHas(bitmap, i)).toBe(indices.includes(i));
      }),
    );
  });

  it('is empty when everything is there', () => {
    expect(encodeHaveMap([0, 1, 2, 2], 3)).toHaveLength(0);
    expect(encodeHaveMap([0, 1], 3)).toHaveLength(1);
  });

  it('of another length is of another content', () => {
    expect(isHaveMap(new Uint8Array(2), 8)).toBe(false);
    expect(isHaveMap(new Uint8Array(1), 8)).toBe(true);
    expect(isHaveMap(new Uint8Array(1), 9)).toBe(false);
  });
});
