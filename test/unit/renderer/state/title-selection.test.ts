import { describe, expect, it } from 'vitest';
import { TitleSelection } from '../../../../renderer/state/title-selection.svelte.ts';
import type { ContentView } from '../../../../shared/rpc/content.ts';

const SHOWN = ['a', 'b', 'c', 'd', 'e', 'f'];
const chosen = (selection: TitleSelection) => [...SHOWN, 'x'].filter((id) => selection.has(id)).join('');
const titles = (ids: string) => [...ids].map((contentId) => ({ contentId }) as ContentView);

describe('TitleSelection', () => {
  it('chooses one, and lets it go again', () => {
    const selection = new TitleSelection();
    selection.toggle('b');
    selection.toggle('d');
    expect([chosen(selection), selection.count]).toEqual(['bd', 2]);
    selection.toggle('b');
    expect(chosen(selection)).toBe('d');
  });

  it('chooses a range in either direction, from what was chosen by itself last', () => {
    const selection = new TitleSelection();
    selection.toggle('d');
    selection.extendTo('f', SHOWN);
    expect(chosen(selection)).toBe('def');
    selection.extendTo('b', SHOWN);
    expect(chosen(selection)).toBe('bcd');
  });

  it('takes back with a shorter range what the longer one added, and nothing that was there before', () => {
    const selection = new TitleSelection();
    for (const id of ['c', 'a']) selection.toggle(id);
    selection.extendTo('e', SHOWN);
    expect(chosen(selection)).toBe('abcde');
    selection.extendTo('b', SHOWN);
    expect(chosen(selection)).toBe('abc');
  });

  it('chooses one where a range has no beginning in sight, and begins there', () => {
    const selection = new TitleSelection();
    selection.toggle('x');
    selection.extendTo('b', SHOWN);
    expect(chosen(selection)).toBe('bx');
    selection.extendTo('c', SHOWN);
    expect(chosen(selection)).toBe('bcx');
  });

  it('adds all that is shown to what was chosen before another search', () => {
    const selection = new TitleSelection();
    selection.toggle('x');
    selection.addAll(['a', 'b']);
    expect(chosen(selection)).toBe('abx');
    selection.clear();
    expect([chosen(selection), selection.count]).toEqual(['', 0]);
  });

  it('forgets what is gone from the library', () => {
    const selection = new TitleSelection();
    selection.addAll(SHOWN);
    selection.keepOnly(titles('bdx'));
    expect([chosen(selection), selection.count]).toEqual(['bd', 2]);
  });
});
