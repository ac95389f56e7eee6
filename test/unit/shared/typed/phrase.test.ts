import { expect, it } from 'vitest';
import { typedPhrase } from '../../../../shared/typed/phrase.ts';

it.each([
  ['on one line', 'claw entry zoo'],
  ['in capitals, with line breaks', ' CLAW\r\n Entry\tzoo\n'],
  ['as a page copies it, a number above each word', '1\nclaw\n2\nentry\n3\nzoo'],
  ['as a terminal shows it', ' 1. claw\n 2. entry\n 3. zoo'],
  ['with numbers that stick to the words', '1claw2entry3zoo'],
  ['with commas', 'claw, entry,zoo'],
  ['in quotes, with a full stop', '"claw entry zoo."'],
  ['as JSON', '["claw","entry","zoo"]'],
  ['with other brackets and bullets', '(1) claw • (2) entry – (3) zoo'],
  ['with invisible characters in it', '\ufeffcl\u200baw\u2060 \u200eentry zo\u00ado'],
  ['in wide letters', 'ｃｌａｗ　entry　zoo'],
])('a phrase is read %s', (_how, text) => {
  expect(typedPhrase(text)).toEqual(['claw', 'entry', 'zoo']);
});

it('a digit for a letter stays in its word, so that the word can be named', () => {
  expect(typedPhrase('cl4w entry')).toEqual(['cl4w', 'entry']);
});

it('nothing is no word', () => {
  expect(typedPhrase(' 1. 2. \u200b ')).toEqual([]);
});
