import { describe, expect, it } from 'vitest';
import { liveWords } from '../../../renderer/format/live-words.ts';

const NOW = 1_800_000_000_000;
const foreign = { own: false, ended: false, heardAtMs: NOW - 5_000 };

describe('a broadcast in the library', () => {
  it.each([
    ['that is heard', foreign, 'live'],
    ['whose end was heard', { ...foreign, ended: true }, 'live, has ended'],
    [
      'whose end may have been missed',
      { ...foreign, heardAtMs: NOW - 121_000 },
      /^broadcast, last heard of /,
    ],
    ['of which nothing is here', { ...foreign, heardAtMs: null }, 'broadcast'],
    ['of one’s own whose encoder rests', { own: true, ended: false, heardAtMs: null }, 'live · yours'],
  ])('%s', (_what, live, words) => {
    expect(liveWords(live, false, NOW)).toMatch(words);
  });

  it('that is watched says so', () => {
    expect(liveWords(foreign, true, NOW)).toBe('live · you are watching');
  });
});
