/** A recovery phrase as it is written down, printed, shown on a page or read out. */
import { withoutInvisible } from './invisible.ts';

/**
 * Its words in lower case, whatever stands between and before them: line breaks, numbers, commas, quotes, full stops.
 * Which words there are is not looked at.
 */
export function typedPhrase(text: string): string[] {
  return withoutInvisible(text.normalize('NFKD'))
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .flatMap(withoutNumbers);
}

/** "12" is a word's number, "1claw" a word with its number, "1claw2entry" two. A digit inside a word is a wrong letter. */
function withoutNumbers(token: string): string[] {
  const isNumbered = /^(?:\p{N}+\D*)+$/u.test(token);
  return (isNumbered ? token.split(/\p{N}+/u) : [token]).filter((word) => word !== '');
}
