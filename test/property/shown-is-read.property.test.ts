/** Whatever the program shows can be pasted back into its own fields, in both languages. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { typedAmount } from '../../main/cli/option-values.ts';
import { parseSetting, settingKey, settingLines } from '../../main/cli/setting-values.ts';
import { createPhrase, parsePhrase } from '../../main/wallet/phrase.ts';
import { fullAmount, plainAmount, shortAmount } from '../../renderer/format/amount.ts';
import { decimalSign, formatTenths, formatWhole } from '../../renderer/format/locale.ts';
import { amount, formatAmount, MAX_AMOUNT, parseAmount } from '../../shared/economy/money.ts';
import { overwriteGetLocale } from '../../shared/i18n/compiled/runtime.js';
import { NO_LIMITS } from '../../shared/limits.ts';
import { shownAddress, typedAddress } from '../../shared/typed/address.ts';
import { withoutInvisible } from '../../shared/typed/invisible.ts';
import { typedDecimal } from '../../shared/typed/number.ts';
import { typedPath } from '../../shared/typed/path.ts';

const LANGUAGES = ['en', 'ru'] as const;
const language = fc.constantFrom(...LANGUAGES);
const money = fc.bigInt({ min: 0n, max: MAX_AMOUNT });
/** What a copy from a page, a terminal or a letter puts around and into it. */
const wrapped = (text: string) =>
  fc.constantFrom(text, ` ${text}\n`, `\u202a${text}\u202c`, `\ufeff${text}`, `${text}\u200b`);

afterEach(() => overwriteGetLocale(() => 'en'));

describe('what is shown is read', () => {
  it('of an amount: every decimal, where every decimal is shown', () => {
    const shown = money.chain((units) => fc.tuple(fc.constant(units), language, fc.constantFrom(0, 1, 2)));
    fc.assert(
      fc.property(shown, ([units, locale, way]) => {
        overwriteGetLocale(() => locale);
        const text = [fullAmount(units), shortAmount(units, 7), formatAmount(units)][way] ?? '';
        expect(parseAmount(plainAmount(text))).toBe(units);
        if (locale === 'en') expect(parseAmount(typedAmount(text))).toBe(units);
      }),
    );
  });

  it('of a shortened amount: never more than there is', () => {
    fc.assert(
      fc.property(money, language, (units, locale) => {
        overwriteGetLocale(() => locale);
        const read = parseAmount(plainAmount(shortAmount(units)));
        expect(read <= units && units - read < 10n ** 3n).toBe(true);
      }),
    );
  });

  it('of a count and of tenths', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000_000 }), language, (count, locale) => {
        overwriteGetLocale(() => locale);
        expect(Number(typedDecimal(formatWhole(count), decimalSign()))).toBe(count);
        expect(Number(typedDecimal(formatTenths(count / 10), decimalSign()))).toBeCloseTo(count / 10, 6);
      }),
    );
  });

  it('of an address', () => {
    const address = fc
      .uint8Array({ minLength: 20, maxLength: 20 })
      .map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
    fc.assert(
      fc.property(
        address
          .filter((text) => !/^0x0+$/.test(text))
          .chain((text) => fc.tuple(fc.constant(text), wrapped(shownAddress(text)), wrapped(text))),
        ([kept, ...forms]) => {
          for (const form of forms) expect(typedAddress(form)).toBe(kept);
          expect(typedAddress(`ethereum:${shownAddress(kept)}`)).toBe(kept);
        },
      ),
    );
  });

  it('of a phrase, as each place of the product shows it', () => {
    for (const count of [12, 24] as const) {
      const phrase = createPhrase(count);
      const words = phrase.split(' ');
      const onPage = words.map((word, i) => `${i + 1}\n${word}`).join('\n');
      const inTerminal = words.map((word, i) => `${String(i + 1).padStart(2)}. ${word}`).join('\n');
      for (const text of [phrase, onPage, inTerminal, onPage.replaceAll('\n', ''), `"${words.join(', ')}."`])
        expect(parsePhrase(text)).toBe(phrase);
    }
  });

  it('of a path: a name without marks at its ends', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => withoutInvisible(text).trim() === text);
    const place = { home: '/home/ann', isWindows: false };
    fc.assert(
      fc.property(name, (text) => {
        const path = `/videos/${text}`;
        expect(typedPath(path, place)).toBe(path);
        expect(typedPath(`"${path}"`, place)).toBe(path);
        expect(typedPath(`file://${path.split('/').map(encodeURIComponent).join('/')}`, place)).toBe(path);
      }),
    );
  });

  it('of each setting of the command line', () => {
    const tenths = fc.nat({ max: 10_000 }).map((count) => Math.round((count / 10) * 1_048_576));
    fc.assert(
      fc.property(tenths, (bytes) => {
        const limits = {
          ...NO_LIMITS,
          cacheBytes: Math.max(bytes, 1_073_741_824),
          downloadBytesPerSecond: bytes,
        };
        const shown = settingLines(limits);
        const read = Object.assign({}, ...shown.map(([name, text]) => parseSetting(name, text)));
        for (const [name, text] of shown)
          expect(settingLines(read).find(([n]) => n === name)?.[1], text).toBe(text);
        expect(shown.map(([name]) => settingKey(name)).toSorted()).toEqual(Object.keys(read).toSorted());
      }),
    );
  });

  it('of an amount of the other language, where it cannot mean two things', () => {
    for (const text of ['12,345.5', '12 345,5', '.5', ',5', "12'345.50", '1 000'])
      for (const locale of LANGUAGES) {
        overwriteGetLocale(() => locale);
        expect(() => amount(parseAmount(plainAmount(text)))).not.toThrow();
      }
  });
});
