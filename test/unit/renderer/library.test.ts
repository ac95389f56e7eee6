import { afterEach, describe, expect, it } from 'vitest';
import { shownTitles } from '../../../renderer/format/library-list.ts';
import { removalWords, titleWords, troubleWords } from '../../../renderer/format/library-words.ts';
import { overwriteGetLocale } from '../../../shared/i18n/compiled/runtime.js';
import type { ContentView, TransferView } from '../../../shared/rpc/content.ts';

const MIB = 2 ** 20;

function aTitle(name: string, other: Partial<ContentView> = {}): ContentView {
  return {
    contentId: `baf${name.toLowerCase().replace(/\W/g, '')}`,
    name,
    mimeType: 'video/mp4',
    sizeBytes: 10 * MIB,
    haveBytes: 10 * MIB,
    origin: 'imported',
    addedAtMs: 0,
    servedUnits: 0,
    pinned: false,
    paused: false,
    sourcePath: null,
    trouble: null,
    ...other,
  };
}

describe('the library', () => {
  afterEach(() => overwriteGetLocale(() => 'en'));
  const titles = [
    aTitle('Part 10.mp4', { addedAtMs: 1, sizeBytes: 5, servedUnits: 7 }),
    aTitle('part 2.mp4', { addedAtMs: 3, sizeBytes: 9 }),
    aTitle('Ёлка.mkv', { addedAtMs: 2, sizeBytes: 5, servedUnits: 9 }),
  ];
  const names = (search: string, order: Parameters<typeof shownTitles>[2]) =>
    shownTitles(titles, search, order).map(({ name }) => name);

  it('shows the newest first, or by name, size or what was sent', () => {
    expect(names('', 'newest')).toEqual(['part 2.mp4', 'Ёлка.mkv', 'Part 10.mp4']);
    expect(names('', 'name')).toEqual(['part 2.mp4', 'Part 10.mp4', 'Ёлка.mkv']);
    // Of the same size the newer one first.
    expect(names('', 'size')).toEqual(['part 2.mp4', 'Ёлка.mkv', 'Part 10.mp4']);
    expect(names('', 'sent')).toEqual(['Ёлка.mkv', 'Part 10.mp4', 'part 2.mp4']);
  });

  it('finds by words of the name in any order and writing, and by an id or a link', () => {
    expect(names('MP4 part', 'name')).toEqual(['part 2.mp4', 'Part 10.mp4']);
    expect(names('ёлка', 'newest')).toEqual(['Ёлка.mkv']);
    expect(names(' ace:bafpart10 ', 'newest')).toEqual(['Part 10.mp4']);
    expect(names('part 3', 'newest')).toEqual([]);
  });

  it('leaves the list that it was given as it is', () => {
    const before = [...titles];
    shownTitles(titles, '', 'name');
    expect(titles).toEqual(before);
  });
});

describe('a title in words', () => {
  const moment = { transfer: undefined, playing: false, sharingStopped: false, nowMs: 0 };

  it('is shared, or not now, or not at all', () => {
    const whole = aTitle('a');
    expect(titleWords(whole, moment)).toBe('10 MiB · shared');
    expect(titleWords(whole, { ...moment, sharingStopped: true })).toBe('10 MiB · not shared now');
    expect(titleWords(aTitle('a', { paused: true }), { ...moment, sharingStopped: true })).toBe(
      '10 MiB · sharing paused',
    );
    const changed = aTitle('a', { trouble: 'changed' });
    expect(titleWords(changed, moment)).toBe('10 MiB');
    expect(troubleWords(changed)).toContain('not shared');
    expect(troubleWords(whole)).toBeNull();
  });

  it('that comes says how much of it is here', () => {
    const transfer = { state: 'fetching', haveBytes: 4 * MIB } as TransferView;
    const part = aTitle('a', { haveBytes: 4 * MIB });
    expect(titleWords(part, { ...moment, transfer })).toBe('4 MiB of 10 MiB');
    expect(titleWords(part, moment)).toBe('10 MiB · 4 MiB here');
    expect(titleWords(aTitle('a', { haveBytes: 0 }), moment)).toBe('10 MiB · from peers');
  });
});

describe('removing a title', () => {
  it('speaks of payments only where something was paid', () => {
    expect(removalWords(aTitle('a', { sourcePath: '/film.mp4' }))).toContain('Your own file stays');
    expect(removalWords(aTitle('a'))).not.toContain('paid');
    expect(removalWords(aTitle('a', { origin: 'fetched' }))).toContain('is not paid back');
  });
});
