/**
 * Names that come from others, or from files, where they are shown: on pages, in a terminal, in playlists, headers and
 * exports. Nothing in them may steer the terminal, add a line or turn the direction of a text; what a script or an
 * emoji needs stays.
 */
import stringWidth from 'string-width';

/** Line and paragraph breaks, tabs: they part words. */
const BREAKS = /[\t-\r\u0085\u2028\u2029]+/gu;
/** Marks of form that are seen (Arabic and Syriac number signs), and the joiners, which are looked at next. */
const UNSEEN =
  /(?![\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}\u200C-\u200D\u{E0020}-\u{E007F}])[\p{Cc}\p{Cf}]/gu;
/** Tags are a part of a flag, and nothing elsewhere. */
const STRAY_TAG = /(?<!\u{1F3F4}[\u{E0020}-\u{E007E}]*)[\u{E0020}-\u{E007F}]/gu;
const JOINERS =
  /(?<between>(?<=[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200C-\u200D]+(?=[\p{L}\p{M}\p{Extended_Pictographic}]))|[\u200C-\u200D]+/gu;

const ELLIPSIS = '…';
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** `columns`: of a terminal; what is wider is cut. It may be empty. */
export function shownName(name: string, columns = Number.POSITIVE_INFINITY): string {
  const shown = name
    .toWellFormed()
    .replace(BREAKS, ' ')
    .replace(UNSEEN, '')
    .replace(STRAY_TAG, '')
    .replace(JOINERS, (joiners, between: string | undefined) =>
      between === undefined ? '' : (joiners[0] ?? ''),
    )
    .trim();
  return columns === Number.POSITIVE_INFINITY ? shown : cutToWidth(shown, columns);
}

/** Columns of a terminal that a text takes: two for a Chinese character or an emoji, none for an accent. */
export function shownWidth(text: string): number {
  return stringWidth(text);
}

/** Spaces behind it up to `columns`. */
export function padToWidth(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - shownWidth(text)));
}

/** Whole characters, as a reader counts them, with an ellipsis in place of the rest. */
function cutToWidth(text: string, columns: number): string {
  if (shownWidth(text) <= columns) return text;
  let cut = '';
  let width = shownWidth(ELLIPSIS);
  for (const { segment } of graphemes.segment(text)) {
    width += shownWidth(segment);
    if (width > columns) break;
    cut += segment;
  }
  return `${cut.trimEnd()}${ELLIPSIS}`;
}
