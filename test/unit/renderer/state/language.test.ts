import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';

beforeEach(() => {
  localStorage.clear();
  vi.resetModules();
});

// The files of this project share their modules: the next one speaks English again.
afterAll(async () => {
  const { overwriteGetLocale } = await import('../../../../shared/i18n/compiled/runtime.js');
  overwriteGetLocale(() => 'en');
});

/** As a page that is loaded anew has it. */
async function loaded(languages: readonly string[]) {
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(languages);
  const { language } = await import('../../../../renderer/state/language.svelte.ts');
  const { m } = await import('../../../../shared/i18n/compiled/messages.js');
  language.start();
  return { language, m };
}

describe('language', () => {
  it.each([
    [['de', 'ru-RU', 'en'], 'ru'],
    [['de'], 'en'],
  ] as const)('is for a browser with %s the first that there is', async (languages, locale) => {
    const { language } = await loaded(languages);
    expect(language.locale).toBe(locale);
    expect(document.documentElement.lang).toBe(locale);
  });

  it('changes the messages at once, and is kept', async () => {
    const { language, m } = await loaded(['en']);
    const english = m.nav_wallet();
    language.locale = 'ru';
    expect(m.nav_wallet()).not.toBe(english);
    expect(document.documentElement.lang).toBe('ru');
    vi.resetModules();
    expect((await loaded(['en'])).language.locale).toBe('ru');
  });
});
