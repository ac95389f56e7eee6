/**
 * The recovery phrase (BIP-39, English word list): it is the account, so it never appears in an error or a log. What
 * is wrong with a phrase is told by the position of a word, not by the word.
 */
import { createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { english } from 'viem/accounts';
import { AceError } from '../../shared/errors.ts';

export type PhraseWordCount = 12 | 24;

const WORD_BITS = 11;
/** Each 32 bits of entropy bring one bit of checksum, so 3 words carry 32 + 1 bits. */
const ENTROPY_BYTES_PER_3_WORDS = 4;
const WORD_COUNTS: readonly number[] = [12, 15, 18, 21, 24];
const SEED_ITERATIONS = 2_048;
const SEED_BYTES = 64;
const WORD_INDEX: ReadonlyMap<string, number> = new Map(english.map((word, index) => [word, index]));

/** A new phrase of 12 words (128 bits) or 24 words (256 bits). */
export function createPhrase(
  words: PhraseWordCount = 12,
  random: (bytes: number) => Uint8Array = randomBytes,
): string {
  return phraseFromEntropy(random((words / 3) * ENTROPY_BYTES_PER_3_WORDS));
}

/** @throws AceError `InvalidInput` when the entropy is not 16, 20, 24, 28 or 32 bytes. */
export function phraseFromEntropy(entropy: Uint8Array): string {
  const wordCount = (entropy.length / ENTROPY_BYTES_PER_3_WORDS) * 3;
  if (!WORD_COUNTS.includes(wordCount)) throw new AceError('InvalidInput', 'Not the entropy of a phrase');
  const bits = toBits(entropy) + checksumOf(entropy);
  const words = Array.from({ length: wordCount }, (_, i) => {
    return english[Number.parseInt(bits.slice(i * WORD_BITS, (i + 1) * WORD_BITS), 2)];
  });
  return words.join(' ');
}

/**
 * Reads a phrase as a person typed it: letter case and spaces do not matter.
 * @returns the phrase in its one written form
 * @throws AceError `WalletInvalid` with `details.reason` `word-count`, `unknown-word` (and `details.position`, from 1)
 * or `checksum`
 */
export function parsePhrase(text: string): string {
  const words = text.normalize('NFKD').trim().toLowerCase().split(/\s+/);
  if (!WORD_COUNTS.includes(words.length)) {
    throw invalid('word-count', 'A recovery phrase has 12, 15, 18, 21 or 24 words');
  }
  const bits = words.map((word, i) => {
    const index = WORD_INDEX.get(word);
    if (index === undefined) {
      throw invalid('unknown-word', `Word ${i + 1} of the recovery phrase is not in the word list`, i + 1);
    }
    return index.toString(2).padStart(WORD_BITS, '0');
  });
  const entropyBits = (words.length / 3) * ENTROPY_BYTES_PER_3_WORDS * 8;
  const all = bits.join('');
  const entropy = fromBits(all.slice(0, entropyBits));
  if (checksumOf(entropy) !== all.slice(entropyBits)) {
    throw invalid('checksum', 'The recovery phrase does not add up: a word is wrong or two are swapped');
  }
  return words.join(' ');
}

/**
 * BIP-39 seed, 64 bytes, of a phrase that {@link parsePhrase} returned. `password` is BIP-39's own optional one, which
 * this wallet leaves empty.
 */
export function phraseToSeed(phrase: string, password = ''): Uint8Array {
  const salt = `mnemonic${password}`.normalize('NFKD');
  return new Uint8Array(pbkdf2Sync(phrase.normalize('NFKD'), salt, SEED_ITERATIONS, SEED_BYTES, 'sha512'));
}

function checksumOf(entropy: Uint8Array): string {
  const bits = toBits(createHash('sha256').update(entropy).digest());
  return bits.slice(0, entropy.length / ENTROPY_BYTES_PER_3_WORDS);
}

function toBits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
}

function fromBits(bits: string): Uint8Array {
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

function invalid(
  reason: 'word-count' | 'unknown-word' | 'checksum',
  message: string,
  position?: number,
): AceError {
  return new AceError('WalletInvalid', message, { details: { reason, ...(position && { position }) } });
}
