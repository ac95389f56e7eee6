/**
 * What sharing brought, as a table: a row for each day, title and peer, and below them what of all that is not paid now, with
 * no day. The figures are those of the page and of `ace-node status` (`journal/sharing.ts`); days are the computer's own.
 */
import { stringify } from 'csv-stringify/sync';
import { formatAmount } from '../../../shared/economy/money.ts';
import { TRAFFIC_UNIT_BYTES } from '../../../shared/economy/units.ts';
import type { ExportPeriod } from '../../../shared/journal/export.ts';
import { shownAddress } from '../../../shared/typed/address.ts';
import {
  ALL_DAYS,
  openParts,
  type SharingBooks,
  type SharingDays,
  sharingRows,
  titleName,
} from '../sharing.ts';
import { cell, utcDay, utcSecond } from '../text.ts';

const COLUMNS = [
  'Day',
  'Title',
  'Content',
  'Account',
  'Sent MiB',
  'Paid MiB',
  'Credit MiB',
  'Refused MiB',
  'Repaid MiB',
  'Earned XAC',
  'Repaid XAC',
  'Fee XAC',
  'Earned XAS',
  'On its way MiB',
  'Owed MiB',
  'Owed since UTC',
] as const;
const BOM = '\uFEFF';
/** The last moment that a date has. */
const LAST_MS = 8.64e15;

export function* sharingTable(
  books: SharingBooks,
  period: ExportPeriod,
  bom: boolean,
  pieceChars: number,
): Generator<string> {
  let piece = (bom ? BOM : '') + csv([COLUMNS]);
  for (const cells of tableRows(books, period)) {
    piece += csv([cells]);
    if (piece.length < pieceChars) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function* tableRows(books: SharingBooks, period: ExportPeriod): Generator<readonly string[]> {
  const what = (contentId: string, account: string) => [
    cell(titleName(books, contentId) ?? ''),
    contentId,
    shownAddress(account),
  ];
  for (const row of sharingRows(books, daysOf(period))) {
    yield [
      row.day,
      ...what(row.contentId, row.account),
      mib(row.sentBytes),
      ...[row.paidUnits, row.creditUnits, row.refusedUnits, row.repaidUnits].map(String),
      ...[row.earnedXac, row.repaidXac, row.feeXac, row.earnedXas].map(formatAmount),
      ...['', '', ''],
    ];
  }
  for (const part of openParts(books)) {
    yield [
      '',
      ...what(part.contentId, part.account),
      ...Array<string>(9).fill(''),
      String(part.pendingUnits),
      String(part.owedUnits),
      part.owedSinceMs === null ? '' : utcSecond(part.owedSinceMs),
    ];
  }
}

/** The days that were asked for by name: which day a moment is of, the computer's own clock says. */
function daysOf({ fromMs, toMs }: ExportPeriod): SharingDays {
  return {
    fromDay: fromMs === 0 ? ALL_DAYS.fromDay : utcDay(fromMs),
    toDay: toMs > LAST_MS ? ALL_DAYS.toDay : utcDay(toMs),
  };
}

/** Exact: a MiB has 20 binary places. */
function mib(bytes: number): string {
  return String(bytes / TRAFFIC_UNIT_BYTES);
}

function csv(rows: readonly (readonly string[])[]): string {
  return stringify(rows as string[][], { record_delimiter: 'windows' });
}
