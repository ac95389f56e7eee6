/** Every language has every message, pages have no text but messages, and counts agree in both. */
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';
import { m } from '../../../shared/i18n/compiled/messages.js';

type Message = string | readonly [{ declarations: string[]; match: Record<string, string> }];

const ROOT = join(import.meta.dirname, '../../..');
const RENDERER = join(ROOT, 'renderer');
/** Where messages are used. */
const USERS = ['renderer/**/*.svelte', 'renderer/**/*.ts', 'main/app/shell-words.ts'];
const en = read('en');
const ru = read('ru');

/** Kept in view while they change: what a person sees is what is compared. */
const TRANSLATED_ATTRIBUTES = new Set(['alt', 'aria-label', 'label', 'placeholder', 'text', 'title']);
/** Names that are the same in every language. */
const SAME_EVERYWHERE = /^(XAT|XAC|XAS|XAB|ace:)$/;

describe('messages', () => {
  it('are the same ones in both languages', () => {
    expect(Object.keys(ru)).toEqual(Object.keys(en));
  });

  it('stand in alphabetical order, so that two additions seldom meet', () => {
    expect(Object.keys(en)).toEqual(Object.keys(en).toSorted());
  });

  it.each(Object.keys(en))('%s takes the same parameters in both', (key) => {
    expect(parameters(ru[key])).toEqual(parameters(en[key]));
  });

  it('are all compiled', () => {
    expect(Object.keys(m).toSorted()).toEqual(Object.keys(en));
  });

  it('are all used somewhere', () => {
    const code = globSync(USERS, { cwd: ROOT })
      .map((file) => readFileSync(join(ROOT, file), 'utf8'))
      .join('\n');
    const used = new Set(Array.from(code.matchAll(/\bm\.(\w+)/g), ([, key]) => key));
    expect(Object.keys(en).filter((key) => !used.has(key))).toEqual([]);
  });

  it('keep a number and its unit on one line', () => {
    const units =
      'MiB|KiB|GB|МиБ|КиБ|ГБ|XA[ABCST]|\\{token\\}|\\{unit\\}|s|min|h|мин|ч|bytes?|байта?|percent|процентов';
    const apart = new RegExp(`[}\\d] (${units})(?![\\p{L}\\d])`, 'u');
    const texts = [en, ru].flatMap((messages) =>
      Object.entries(messages).map(([key, message]) => `${key}: ${JSON.stringify(message)}`),
    );
    expect(texts.filter((text) => apart.test(text))).toEqual([]);
    // What is put together elsewhere is put together by `withToken`; of what pops up, no line can end.
    const lines = globSync('renderer/**/*.{svelte,ts}', { cwd: ROOT }).flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8').split('\n'),
    );
    expect(
      lines.filter((line) => /\} (XA[ABCST]|\$\{token\})/.test(line) && !line.includes('title=')),
    ).toEqual([]);
  });

  it('agree with the count', () => {
    const peers = (count: number, locale: 'en' | 'ru') => m.strip_connected_peers({ count }, { locale });
    expect([1, 2, 1_200].map((count) => peers(count, 'en'))).toEqual([
      'Connected · 1 peer',
      'Connected · 2 peers',
      'Connected · 1,200 peers',
    ]);
    const russian = [1, 2, 5, 11, 21, 22, 112].map((count) => peers(count, 'ru').replace('На связи · ', ''));
    expect(russian).toEqual(['1 пир', '2 пира', '5 пиров', '11 пиров', '21 пир', '22 пира', '112 пиров']);
  });

  it('with counts have the forms that Russian needs', () => {
    const counted = Object.entries(ru).filter(([, message]) => typeof message !== 'string');
    expect(counted.length).toBeGreaterThan(0);
    for (const [key, message] of counted) {
      const forms = Object.keys((message as Exclude<Message, string>)[0].match).map(
        (form) => form.split('=')[1],
      );
      expect(forms, key).toEqual(expect.arrayContaining(['one', 'few', '*']));
    }
  });
});

describe('the pages', () => {
  it.each(globSync('**/*.svelte', { cwd: RENDERER }))('%s has no text of its own', (file) => {
    expect(literals(join(RENDERER, file))).toEqual([]);
  });
});

function read(locale: string): Record<string, Message> {
  return JSON.parse(readFileSync(join(ROOT, 'shared/i18n', `${locale}.json`), 'utf8'));
}

function parameters(message: Message | undefined): string[] {
  if (message === undefined) return [];
  if (typeof message !== 'string') {
    const inputs = message[0].declarations.filter((line) => line.startsWith('input '));
    return inputs.map((line) => line.slice('input '.length)).toSorted();
  }
  return [...new Set(Array.from(message.matchAll(/(?<!\\)\{(\w+)\}/g), ([, name]) => name ?? ''))].toSorted();
}

/** Words that stand in the markup, or in an attribute that people see or hear. */
function literals(file: string): string[] {
  const found: string[] = [];
  const { fragment } = parse(readFileSync(file, 'utf8'), { modern: true });
  const visit = (node: unknown, inText: boolean): void => {
    if (Array.isArray(node)) {
      for (const entry of node) visit(entry, inText);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const { type, name, data } = node as { type?: string; name?: string; data?: string };
    if (type === 'StyleSheet' || type === 'Comment') return;
    if (type === 'Text') {
      const text = (data ?? '').trim();
      if (inText && /\p{L}/u.test(text) && !SAME_EVERYWHERE.test(text))
        found.push(`${relative(RENDERER, file)}: ${text}`);
      return;
    }
    if (type === 'StyleDirective') return;
    const seen = type === 'Attribute' ? TRANSLATED_ATTRIBUTES.has(name ?? '') : inText;
    for (const value of Object.values(node)) visit(value, seen);
  };
  visit(fragment, true);
  return found;
}
