/** Numbers as people type them and as the program shows them: grouped, with a point or a comma, without a leading zero. */
import { withoutInvisible } from './invisible.ts';

/** The sign that the reader's language puts before decimals. */
export type DecimalSign = '.' | ',';

/** Spaces of every width, and the apostrophe of Switzerland: they can only be between groups. */
const GROUP_MARK = /[\p{Zs}'’]/gu;
const PLAIN = /^\d*(?:[.,]\d*)?$/;
const GROUPED_BY_MARK = /^\d{1,3}(?:[\p{Zs}'’]\d{3})+(?:[.,]\d*)?$/u;
const GROUPED_BY_COMMA = /^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?$/;
const ONE_COMMA_GROUP = /^[1-9]\d{0,2},\d{3}$/;

/**
 * The number in the one form that everything else takes: digits, a point, digits. `null` when it is no number.
 * "1,234" is a thousand where the language's decimal sign is the point, and one and a bit where it is the comma.
 */
export function typedDecimal(text: string, sign: DecimalSign): string | null {
  const plain = withoutInvisible(text).trim();
  const byComma = GROUPED_BY_COMMA.test(plain) && !(sign === ',' && ONE_COMMA_GROUP.test(plain));
  if (byComma) return completed(plain.replaceAll(',', ''));
  if (!PLAIN.test(plain) && !GROUPED_BY_MARK.test(plain)) return null;
  return completed(plain.replace(GROUP_MARK, '').replace(',', '.'));
}

/** Whether it could be a thousand as well as one: with money nothing is guessed. */
export function isAmbiguousDecimal(text: string): boolean {
  return ONE_COMMA_GROUP.test(withoutInvisible(text).trim());
}

/** ".5" and "5." lack a part that goes without saying. */
function completed(text: string): string | null {
  const [whole = '', fraction = ''] = text.split('.');
  if (whole === '' && fraction === '') return null;
  return `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
}
