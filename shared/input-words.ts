/**
 * Why an input is refused: for programs and the command line in English words, for pages as a reason, by which they find
 * their own words in their own language (`renderer/format/input-words.ts`). zod's own words are for neither.
 */
import { z } from 'zod';

export const INPUT_REASONS = [
  // of a schema
  'amount',
  'at-least',
  'at-most',
  'day',
  'empty',
  'entries-at-least',
  'entries-at-most',
  'characters-at-least',
  'characters-at-most',
  'form',
  'not-valid',
  'period-reversed',
  'rate-least',
  'rule-empty',
  'rule-times',
  'time',
  'top-up-most',
  // of what the node finds when it acts
  'backup-join',
  'backup-none',
  'checksum',
  'costs-nothing',
  'device',
  'file-exists',
  'file-is-other',
  'folder-missing',
  'name',
  'nobody',
  'self',
  'settlement-unknown',
  'slippage',
  'too-many-files',
  'unpriced',
] as const;
export type InputReason = (typeof INPUT_REASONS)[number];

/** How many of what; numbers count nothing. */
const COUNTED: Readonly<Record<string, { readonly words: string; readonly reason: string }>> = {
  string: { words: ' characters', reason: 'characters-' },
  array: { words: ' entries', reason: 'entries-' },
};

z.config({
  customError: (issue) => {
    if (issue.code === 'too_big') return `at most ${issue.maximum}${COUNTED[issue.origin]?.words ?? ''}`;
    if (issue.code !== 'too_small') return undefined; // what a person types cannot come here
    if (issue.origin === 'string' && issue.minimum === 1) return 'it is empty';
    return `at least ${issue.minimum}${COUNTED[issue.origin]?.words ?? ''}`;
  },
});

/** What a rule of a schema says of a value that it refuses: for `refine`. */
export function because(reason: InputReason, error: string) {
  return { error, params: { reason } };
}

/** The reason of a schema's refusal, with the bound where it is one; an `AceError`'s details. */
export function inputReason(issue: z.core.$ZodIssue): { reason: InputReason; bound?: number } {
  if (issue.code === 'too_big')
    return { reason: bounded(issue.origin, 'at-most'), bound: Number(issue.maximum) };
  if (issue.code === 'too_small') {
    if (issue.origin === 'string' && issue.minimum === 1) return { reason: 'empty' };
    return { reason: bounded(issue.origin, 'at-least'), bound: Number(issue.minimum) };
  }
  const given = issue.code === 'custom' ? issue.params?.reason : undefined;
  return { reason: INPUT_REASONS.find((reason) => reason === given) ?? 'not-valid' };
}

function bounded(origin: string, bound: 'at-most' | 'at-least'): InputReason {
  return `${COUNTED[origin]?.reason ?? ''}${bound}` as InputReason;
}
