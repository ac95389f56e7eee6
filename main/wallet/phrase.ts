/**
 * The recovery phrase (BIP-39, English word list): it is the account, so it never appears in an error or a log. What
 * is wrong with a phrase is named by the position of a word, not by the word.
 */
import { pbkdf2Sync } from 'node:crypto';
import { generateMnemonic, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { AceError } from '../../shared/errors.ts';
import { typedPhrase } from '../../shared/typed/phrase.ts';

export type PhraseWordCount = 12 | 24;

const WORD_COUNTS: readonly number[] = [12, 15, 18, 21, 24];
/** Each 32 bits of entropy bring one bit of checksum, so 3 words of 11 bits carry 32 + 1 bits. */
const ENTROPY_BITS_PER_3_WORDS = 32;
/** BIP-39, “From mnemonic to seed”. */
const SEED_ROUNDS = 2_048;
const SEED_BYTES = 64;
const WORDS: ReadonlySet<string> = new Set(wordlist);

/** A new phrase of 12 words (128 bits) or 24 words (256 bits). */
export function createPhrase(words: PhraseWordCount = 12): string {
  return generateMnemonic(wordlist, (words / 3) * ENTROPY_BITS_PER_3_WORDS);
}

/**
 * Reads a phrase as a person typed or pasted it (`shared/typed/phrase.ts`).
 * @returns the phrase in its one written form
 * @throws AceError `WalletInvalid` with `details.reason` `word-count`, `unknown-word` (and `details.position`, from 1)
 * or `checksum`
 */
export function parsePhrase(text: string): string {
  const words = typedPhrase(text);
  if (!WORD_COUNTS.includes(words.length)) {
    throw invalid('word-count', 'A recovery phrase has 12, 15, 18, 21 or 24 words');
  }
  const unknown = words.findIndex((word) => !WORDS.has(word));
  if (unknown !== -1) {
    const position = unknown + 1;
    throw invalid(
      'unknown-word',
      `Word ${position} of the recovery phrase is not in the word list`,
      position,
    );
  }
  const phrase = words.join(' ');
  if (validateMnemonic(phrase, wordlist)) return phrase;
  throw invalid('checksum', 'The recovery phrase does not add up: a word is wrong or two are swapped');
}

/**
 * BIP-39 seed, 64 bytes, of a phrase that {@link parsePhrase} returned. `password` is BIP-39's own optional one, which
 * this wallet leaves empty. Stretched by Node's own PBKDF2: in JavaScript it takes a tenth of a second at each start.
 */
export function phraseToSeed(phrase: string, password = ''): Uint8Array {
  const salt = `mnemonic${password}`.normalize('NFKD');
  return pbkdf2Sync(phrase.normalize('NFKD'), salt, SEED_ROUNDS, SEED_BYTES, 'sha512');
}

function invalid(
  reason: 'word-count' | 'unknown-word' | 'checksum',
  message: string,
  position?: number,
): AceError {
  return new AceError('WalletInvalid', message, { details: { reason, ...(position && { position }) } });
}
