/**
 * The language of the pages. Everything that is on the screen follows it at once: messages and formats ask for it when
 * they are read, and it is state.
 */
import { isLocale, type Locale, overwriteGetLocale } from '../../shared/i18n/compiled/runtime.js';

/** Each in its own words, so that a person who cannot read the pages finds it. */
export const LANGUAGE_NAMES: Readonly<Record<Locale, string>> = { en: 'English', ru: 'Русский' };

const KEY = 'ace-node-language';

class Language {
  #locale = $state<Locale>(kept() ?? firstOf(navigator.languages));

  get locale(): Locale {
    return this.#locale;
  }

  set locale(locale: Locale) {
    this.#locale = locale;
    localStorage.setItem(KEY, locale);
    document.documentElement.lang = locale;
  }

  /** From here on messages are in this language. Until a person has chosen one, it is the browser's. */
  start(): void {
    document.documentElement.lang = this.#locale;
    overwriteGetLocale(() => this.#locale);
  }
}

export const language = new Language();

function kept(): Locale | null {
  const value = localStorage.getItem(KEY);
  return isLocale(value) ? value : null;
}

/** The first of the browser's languages that there is; English without one. */
function firstOf(languages: readonly string[]): Locale {
  return languages.map((tag) => tag.slice(0, 2)).find(isLocale) ?? 'en';
}
