/** What an export can be asked for, by the command line and by pages. */
import { AceError } from '../errors.ts';

export const EXPORT_FORMATS = [
  'csv',
  'sharing',
  'jsonl',
  'hledger',
  'beancount',
  'koinly',
  'cointracking',
] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What the files are called and served as. */
export const EXPORT_FILES: Readonly<
  Record<ExportFormat, { readonly suffix: string; readonly type: string }>
> = {
  csv: { suffix: 'csv', type: 'text/csv; charset=utf-8' },
  sharing: { suffix: 'sharing.csv', type: 'text/csv; charset=utf-8' },
  jsonl: { suffix: 'jsonl', type: 'application/jsonl; charset=utf-8' },
  hledger: { suffix: 'journal', type: 'text/plain; charset=utf-8' },
  beancount: { suffix: 'beancount', type: 'text/plain; charset=utf-8' },
  koinly: { suffix: 'koinly.csv', type: 'text/csv; charset=utf-8' },
  cointracking: { suffix: 'cointracking.csv', type: 'text/csv; charset=utf-8' },
};

/** UTC milliseconds, both included. */
export interface ExportPeriod {
  readonly fromMs: number;
  readonly toMs: number;
}

export const ALWAYS: ExportPeriod = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/;

/** @throws AceError `InvalidInput`, which names the formats */
export function parseExportFormat(text: string): ExportFormat {
  const format = EXPORT_FORMATS.find((known) => known === text);
  if (format) return format;
  throw new AceError(
    'InvalidInput',
    `"${text.slice(0, 40)}" is not a format: choose ${EXPORT_FORMATS.slice(0, -1).join(', ')} or ${EXPORT_FORMATS.at(-1)}`,
  );
}

/**
 * Days in UTC such as 2026-11-21, the last one included, or moments such as 2026-11-21T18:00:00Z. What is left out is open.
 * @throws AceError `InvalidInput`
 */
export function parseExportPeriod(from: string | undefined, to: string | undefined): ExportPeriod {
  const fromMs = from === undefined ? 0 : parseMoment(from, 'first');
  const toMs = to === undefined ? Number.MAX_SAFE_INTEGER : parseMoment(to, 'last');
  if (fromMs <= toMs) return { fromMs, toMs };
  throw new AceError(
    'InvalidInput',
    `The period ends before it begins: ${from} to ${to}. Give the earlier date as the beginning`,
    { details: { reason: 'period-reversed' } },
  );
}

function parseMoment(text: string, which: 'first' | 'last'): number {
  if (DATE.test(text)) {
    const startMs = Date.parse(`${text}T00:00:00Z`);
    // Date.parse takes the 30th of February for the 2nd of March.
    if (!Number.isNaN(startMs) && new Date(startMs).toISOString().startsWith(text)) {
      return which === 'first' ? startMs : startMs + DAY_MS - 1;
    }
  } else if (TIME.test(text)) {
    const ms = Date.parse(text);
    if (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 10))) return ms;
  }
  throw new AceError(
    'InvalidInput',
    `"${text.slice(0, 40)}" is not a date: write for example 2026-11-21, or 2026-11-21T18:00:00Z, in UTC`,
    { details: { reason: 'day' } },
  );
}
