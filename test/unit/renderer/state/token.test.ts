import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readToken, TOKEN_KEY, tellOtherTabs, tokenOfOtherTab } from '../../../../renderer/state/token.ts';

const TOKEN = 'AbCdEf0123456789_-AbCdEf01234567';

/** A tab's own storage. */
function aTab(token: string | null): Storage {
  const kept = new Map(token === null ? [] : [[TOKEN_KEY, token]]);
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  } as unknown as Storage;
}

beforeEach(() => localStorage.clear());

describe('the token of another tab', () => {
  it('is told to a tab that has none, and kept by it for as long as it lives', async () => {
    onTestFinished(tellOtherTabs(aTab(TOKEN)));
    const second = aTab(null);
    expect(await tokenOfOtherTab(second, 10_000)).toBe(TOKEN);
    expect(second.getItem(TOKEN_KEY)).toBe(TOKEN);
    expect(localStorage.length).toBe(0);
  });

  it('is not there when no tab has one', async () => {
    onTestFinished(tellOtherTabs(aTab(null)));
    expect(await tokenOfOtherTab(aTab(null), 20)).toBeNull();
  });
});

describe('a pasted key', () => {
  it.each([
    [TOKEN, TOKEN],
    [` ${TOKEN}\n`, TOKEN],
    [`http://127.0.0.1:17201/#token=${TOKEN}`, TOKEN],
    [`http://127.0.0.1:17201/?token=${TOKEN}&x=1`, TOKEN],
    ['', null],
    ['not a key', null],
    ['http://127.0.0.1:17201/', null],
  ])('"%s" is %s', (text, token) => {
    expect(readToken(text)).toBe(token);
  });
});
