import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeHaveMap } from '../../../../main/content/have-map.ts';
import { Interests } from '../../../../main/pieces/interests.ts';

const ALL = new Uint8Array(0);
const COUNT = 20;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function interested() {
  const interests = new Interests();
  interests.add('film', COUNT, () => undefined);
  return interests;
}

describe('what a provider has', () => {
  it('is everything until it says, and then what it says', () => {
    const interests = interested();
    expect(interests.has('film', 3)).toBe(true);
    interests.update('film', encodeHaveMap([1, 2], COUNT));
    expect([1, 2, 3].map((index) => interests.has('film', index))).toEqual([true, true, false]);
  });

  it('is asked for again at once when it came after it was refused', () => {
    const interests = interested();
    interests.update('film', encodeHaveMap([1], COUNT));
    interests.lacks('film', 1);
    // A word that admits the loss is believed, and so is the one after it.
    interests.update('film', encodeHaveMap([2], COUNT));
    interests.update('film', encodeHaveMap([1, 2], COUNT));
    expect(interests.has('film', 1)).toBe(true);
  });

  it('is set aside, longer each time, when it is refused and claimed again', () => {
    const interests = interested();
    for (const [round, seconds] of [2, 4, 8, 16, 32, 60, 60].entries()) {
      interests.update('film', ALL);
      expect(interests.has('film', 5), `round ${round}`).toBe(true);
      interests.lacks('film', 5);
      for (let second = 0; second < seconds; second++) {
        interests.update('film', ALL);
        expect(interests.has('film', 5)).toBe(false);
        vi.advanceTimersByTime(1_000);
      }
      // Its other pieces are asked for meanwhile.
      expect(interests.has('film', 6)).toBe(true);
    }
  });
});
