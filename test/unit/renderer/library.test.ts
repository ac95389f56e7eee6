import { afterEach, describe, expect, it } from 'vitest';
import { rowAfter, shownTitles } from '../../../renderer/format/library-list.ts';
import {
  importWords,
  removalOfMany,
  removalWords,
  sharingNow,
  taskDone,
  titleWords,
  troubleWords,
} from '../../../renderer/format/library-words.ts';
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

  it('is gone through by arrows, from its first row to its last', () => {
    expect(rowAfter('ArrowDown', 0, 3)).toBe(1);
    expect(rowAfter('ArrowDown', 2, 3)).toBe(2);
    expect(rowAfter('ArrowUp', 0, 3)).toBe(0);
    expect(rowAfter('End', 0, 3)).toBe(2);
    expect(rowAfter('Home', 2, 3)).toBe(0);
    expect(rowAfter('x', 1, 3)).toBeNull();
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
    expect(titleWords(whole, moment)).toBe('10\u00a0MiB · shared');
    expect(titleWords(whole, { ...moment, sharingStopped: true })).toBe('10\u00a0MiB · not shared now');
    expect(titleWords(aTitle('a', { paused: true }), { ...moment, sharingStopped: true })).toBe(
      '10\u00a0MiB · sharing paused',
    );
    const changed = aTitle('a', { trouble: 'changed' });
    expect(titleWords(changed, moment)).toBe('10\u00a0MiB');
    expect(troubleWords(changed)).toContain('not shared');
    expect(troubleWords(whole)).toBeNull();
  });

  it('that comes says how much of it is here', () => {
    const transfer = { state: 'fetching', haveBytes: 4 * MIB } as TransferView;
    const part = aTitle('a', { haveBytes: 4 * MIB });
    expect(titleWords(part, { ...moment, transfer })).toBe('4\u00a0MiB of 10\u00a0MiB');
    expect(titleWords(part, moment)).toBe('10\u00a0MiB · 4\u00a0MiB here');
    expect(titleWords(aTitle('a', { haveBytes: 0 }), moment)).toBe('10\u00a0MiB · from peers');
  });
});

describe('removing a title', () => {
  it('speaks of payments only where something was paid', () => {
    expect(removalWords(aTitle('a', { sourcePath: '/film.mp4' }))).toContain('Your own file stays');
    expect(removalWords(aTitle('a'))).not.toContain('paid');
    expect(removalWords(aTitle('a', { origin: 'fetched' }))).toContain('is not paid back');
  });
});

describe('removing many titles', () => {
  it('says how many bytes become free: those that this node has taken', () => {
    const own = aTitle('a', { sourcePath: '/film.mp4' });
    const fetched = aTitle('b', { origin: 'fetched', haveBytes: 4 * MIB });
    const copied = aTitle('c');
    expect(removalOfMany([own, fetched, copied], 0)).toMatch(/^14\u00a0MiB become free/);
    expect(removalOfMany([own], 0)).toMatch(/^No room becomes free.*Your own files stay/);
    expect(removalOfMany([fetched], 0)).toContain('not paid back');
    expect(removalOfMany([fetched], 0)).not.toContain('Your own files');
    expect(removalOfMany([own, copied], 0)).not.toContain('paid');
  });

  it('says how many of them the search does not show', () => {
    expect(removalOfMany([aTitle('a')], 0)).not.toContain('search');
    expect(removalOfMany([aTitle('a')], 1)).toContain('the search does not find them: 1.');
  });

  it('tells what was done, and how many were not', () => {
    expect(taskDone({ task: 'remove', done: 2, failed: [] })).toBe('Removed: 2');
    const failed = [{ name: 'a', words: { what: 'gone', next: '' } }];
    expect(taskDone({ task: 'pause', done: 1_200, failed })).toBe('Sharing paused: 1,200 · Not done: 1');
  });
});

describe('what sharing does with a title now', () => {
  const moved = { contentId: 'a', name: 'a', sentBytes: 1, downBytesPerSecond: 0 };
  it('is told of one that goes to somebody', () => {
    expect(sharingNow({ ...moved, viewers: 2, upBytesPerSecond: 1.5 * MIB })).toEqual({
      viewers: '2 peers',
      rate: '1.5\u00a0MiB/s',
    });
    expect(sharingNow({ ...moved, viewers: 0, upBytesPerSecond: 0 })).toBeNull();
    expect(sharingNow(undefined)).toBeNull();
  });
});

describe('an import', () => {
  it('is told in figures, those that are nothing left out', () => {
    const notAdded = [{ name: 'a', words: { what: 'no' } }];
    expect(importWords({ added: 12, known: 3, notAdded, failed: 0 })).toBe(
      '12 added · 3 in the library already · 1 not added',
    );
    expect(importWords({ added: 1, known: 0, notAdded: [], failed: 0 })).toBe('1 added');
    expect(importWords({ added: 0, known: 0, notAdded: [], failed: 0 })).toContain('neither video nor sound');
  });
});
