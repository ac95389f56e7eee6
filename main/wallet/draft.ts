/** A new phrase between the screen that shows it and the proof that somebody wrote it down. In memory only. */
import { randomInt } from 'node:crypto';
import { AceError } from '../../shared/errors.ts';
import { typedPhrase } from '../../shared/typed/phrase.ts';
import { createPhrase, type PhraseWordCount } from './phrase.ts';

const DRAFT_LIFE_MS = 15 * 60_000;
const ASKED_WORDS = 3;

export interface Draft {
  readonly phrase: string;
  /** From 1, ascending. */
  readonly confirmPositions: readonly number[];
  readonly expiresAtMs: number;
}

export function makeDraft(words: PhraseWordCount, nowMs: number): Draft {
  const asked = new Set<number>();
  while (asked.size < ASKED_WORDS) asked.add(randomInt(1, words + 1));
  return {
    phrase: createPhrase(words),
    confirmPositions: [...asked].toSorted((a, b) => a - b),
    expiresAtMs: nowMs + DRAFT_LIFE_MS,
  };
}

/**
 * @throws AceError `WalletInvalid` with `details.reason` `no-draft` or `confirm`, and of that the `position` of the first word
 * that is wrong or missing
 */
export function checkConfirmed(
  draft: Draft | null,
  typed: readonly { readonly position: number; readonly word: string }[],
  nowMs: number,
): Draft {
  if (!draft || draft.expiresAtMs < nowMs) {
    throw new AceError('WalletInvalid', 'There is no new phrase to confirm any more: make one again', {
      details: { reason: 'no-draft' },
    });
  }
  const words = draft.phrase.split(' ');
  for (const position of draft.confirmPositions) {
    const [word, ...others] = typedPhrase(typed.find((one) => one.position === position)?.word ?? '');
    if (word === words[position - 1] && others.length === 0) continue;
    throw new AceError('WalletInvalid', `Word ${position} is not the one of the phrase`, {
      details: { reason: 'confirm', position },
    });
  }
  return draft;
}
