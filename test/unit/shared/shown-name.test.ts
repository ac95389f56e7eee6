import { describe, expect, it } from 'vitest';
import { padToWidth, shownName, shownWidth } from '../../../shared/shown-name.ts';

const FAMILY = '👨\u200d👩\u200d👧';
const RAINBOW = '🏳\ufe0f\u200d🌈';
const SCOTLAND = '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}';

describe('shownName', () => {
  it.each([
    ['a plain name', 'Film.mp4', 'Film.mp4'],
    ['joiners of a script', 'می\u200cخواهم क्\u200dष.mp4', 'می\u200cخواهم क्\u200dष.mp4'],
    ['joiners of emoji', `${FAMILY} ${RAINBOW}.mp4`, `${FAMILY} ${RAINBOW}.mp4`],
    ['the tags of a flag', `${SCOTLAND}.mp4`, `${SCOTLAND}.mp4`],
    ['an Arabic number sign', '\u0600123', '\u0600123'],
    ['an accent', 'e\u0301.mp4', 'e\u0301.mp4'],
  ])('keeps %s', (_what, name, shown) => {
    expect(shownName(name)).toBe(shown);
  });

  it.each([
    ['marks that turn the direction', 'cod\u202e4pm.exe', 'cod4pm.exe'],
    ['isolates', 'a\u2066b\u2069c\u200ed\u061ce', 'abcde'],
    ['what steers a terminal', 'a\u001b[31mb\u0007\u009b', 'a[31mb'],
    ['line breaks', 'a\r\n#EXTINF:1,b\u2028c\td', 'a #EXTINF:1,b c d'],
    ['joiners that join nothing', '\u200da.\u200dmp4\u200c \u200d', 'a.mp4'],
    ['joiners in a row', 'می\u200c\u200c\u200dخ', 'می\u200cخ'],
    ['tags without a flag', 'a\u{e0067}\u{e007f}b', 'ab'],
    ['zero width spaces and byte order marks', '\ufeffa\u200bb\u2060c\u00add', 'abcd'],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
  ])('drops %s', (_what, name, shown) => {
    expect(shownName(name)).toBe(shown);
  });

  it('cuts by the width of a terminal, and no character in two', () => {
    expect(shownName('Film.mp4', 8)).toBe('Film.mp4');
    expect(shownName('Film.mp4', 7)).toBe('Film.m…');
    expect(shownName('映画映画', 7)).toBe('映画映…');
    expect(shownName('映画映画', 6)).toBe('映画…');
    expect(shownName(`${FAMILY}${FAMILY}${FAMILY}`, 5)).toBe(`${FAMILY}${FAMILY}…`);
    for (const columns of [1, 2, 3, 5])
      expect(shownWidth(shownName('a映e\u0301画', columns))).toBeLessThanOrEqual(columns);
  });

  it('pads by width', () => {
    expect(padToWidth('映画', 6)).toBe('映画  ');
    expect(padToWidth('abc', 2)).toBe('abc');
  });
});
