import { describe, expect, it } from 'vitest';
import { isSameContent, MAX_RANGES, requestedRanges } from '../../../../main/players/byte-ranges.ts';

describe('requestedRanges', () => {
  it.each([
    ['bytes=0-0', [[0, 0]]],
    ['bytes=5-', [[5, 99]]],
    ['bytes=-1', [[99, 99]]],
    ['bytes=-100', [[0, 99]]],
    ['bytes=-101', [[0, 99]]],
    ['bytes=90-200', [[90, 99]]],
    [
      'bytes=0-9,20-29',
      [
        [0, 9],
        [20, 29],
      ],
    ],
    [
      'bytes=20-29, 0-9',
      [
        [20, 29],
        [0, 9],
      ],
    ],
    ['bytes=0-9,10-19', [[0, 19]]],
    [
      'bytes=0-9,11-19',
      [
        [0, 9],
        [11, 19],
      ],
    ],
    ['bytes=0-50,20-99,-1', [[0, 99]]],
    ['bytes=100-,0-1', [[0, 1]]],
    ['bytes=0-1,-500', [[0, 99]]],
  ])('reads %s', (header, expected) => {
    expect(requestedRanges(header, 100)).toEqual(expected.map(([start, end]) => ({ start, end })));
  });

  it.each(['bytes=100-', 'bytes=-0', 'bytes=100-,200-300', 'bytes=9-5'])('cannot satisfy %s', (header) => {
    expect(requestedRanges(header, 100)).toBe('unsatisfiable');
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=a-b',
    'bytes=0-9,',
    'bytes=1',
    'pieces=0-1',
    'bytes=0x1-0x2',
    'bytes=1e1-99',
    'bytes=--5',
  ])('does not follow %s', (header) => {
    expect(requestedRanges(header, 100)).toBeNull();
  });

  it('follows as many as there may be, and not one more', () => {
    const header = (count: number) => `bytes=${Array.from({ length: count }, (_, i) => `${i * 4}-${i * 4}`)}`;
    expect(requestedRanges(header(MAX_RANGES), 100)).toHaveLength(MAX_RANGES);
    expect(requestedRanges(header(MAX_RANGES + 1), 100)).toBeNull();
  });
});

describe('isSameContent', () => {
  const current = { etag: '"a"', lastModified: 'Fri, 20 Nov 2026 10:00:00 GMT' };

  it.each([undefined, '"a"', ' "a" ', current.lastModified])('is for %s', (named) => {
    expect(isSameContent(named, current)).toBe(true);
  });

  it.each(['W/"a"', '"b"', 'a', '*', '"a", "b"', 'Fri, 20 Nov 2026 10:00:01 GMT', ''])(
    'is not for %s',
    (named) => {
      expect(isSameContent(named, current)).toBe(false);
    },
  );
});
