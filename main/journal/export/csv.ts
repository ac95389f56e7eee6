/**
 * Tables: ours with every field of an entry, and those of two programs for taxes. RFC 4180 with CRLF; numbers have a
 * decimal point and stay numbers, text cannot become a formula.
 */

import { stringify } from 'csv-stringify/sync';
import { SERVICES_TOKENS } from '../../../shared/economy/holdings.ts';
import { formatAmount, TOKENS } from '../../../shared/economy/money.ts';
import { priceOfUnits } from '../../../shared/economy/price.ts';
import { UNITS_PER_GB } from '../../../shared/economy/units.ts';
import { toHex } from '../../../shared/hex.ts';
import { figuresOf } from '../../../shared/journal/figures.ts';
import { type Movement, movementsOf } from '../../../shared/journal/movements.ts';
import { shownAddress } from '../../../shared/typed/address.ts';
import { cell, entryId, utcSecond } from '../text.ts';
import type { ExportContext, ExportEntry, ExportWriter } from './format.ts';

const BOM = '\uFEFF';

/** Each call of the library costs as much as several rows. */
const ROWS_AT_ONCE = 100;

type Row = readonly string[];

/** A table of which every entry makes some rows. */
function tableWriter(
  { bom }: ExportContext,
  header: Row,
  rowsOf: (entry: ExportEntry) => Row[],
  quoted = false,
): ExportWriter {
  const csv = (rows: readonly Row[]) =>
    stringify(rows as string[][], { record_delimiter: 'windows', quoted, quoted_empty: quoted });
  let waiting: Row[] = [];
  const flush = () => {
    const text = waiting.length === 0 ? '' : csv(waiting);
    waiting = [];
    return text;
  };
  return {
    begin: () => [(bom ? BOM : '') + csv([header])],
    entry: (entry) => {
      waiting.push(...rowsOf(entry));
      return waiting.length < ROWS_AT_ONCE ? '' : flush();
    },
    end: flush,
  };
}

const COLUMNS = [
  'Time UTC',
  'Entry',
  'Kind',
  'Direction',
  'Counterparty',
  ...TOKENS.map((token) => `Main ${token}`),
  ...SERVICES_TOKENS.map((token) => `Services ${token}`),
  'Gross XAC',
  'Fee XAC',
  'Net XAC',
  'Gross XAS',
  'Fee XAS',
  'Net XAS',
  'Burned XAT',
  'Emitted XAC',
  'Burned XAB',
  'Emitted XAT',
  'Paid MiB',
  'Credit MiB',
  'Refused MiB',
  'Repaid MiB',
  'XAC per GB',
  // XAC base units per MiB, exactly. One column would look like a date.
  'Price numerator',
  'Price denominator',
  'Shard',
  'Batch',
  'Hash',
  'Channels',
  'Contents',
  'Content names',
  'Note',
];

/** Ours: one row for each entry, also for one that moved nothing. */
export function csvWriter(context: ExportContext): ExportWriter {
  return tableWriter(context, COLUMNS, (entry) => {
    const { main, services, paid, burned, emitted, traffic } = figuresOf(entry);
    const isSettled = entry.source === 'settlement';
    return [
      [
        new Date(entry.atMs).toISOString(),
        entryId(entry),
        entry.kind,
        entry.direction,
        entry.counterparty === null ? '' : shownAddress(entry.counterparty),
        ...TOKENS.map((token) => formatAmount(main[token])),
        ...SERVICES_TOKENS.map((token) => formatAmount(services[token])),
        ...[paid.XAC, paid.XAS].flatMap(({ gross, fee, net }) => [gross, fee, net].map(formatAmount)),
        ...[burned.XAT, emitted.XAC, burned.XAB, emitted.XAT].map(formatAmount),
        ...[traffic.paid, traffic.credit, traffic.refused, traffic.repaid].map(String),
        entry.price ? formatAmount(priceOfUnits(UNITS_PER_GB, entry.price)) : '',
        entry.price ? String(entry.price.num) : '',
        entry.price ? String(entry.price.den) : '',
        isSettled ? String(entry.shard) : '',
        isSettled ? String(entry.batchNumber) : '',
        toHex(entry.hash),
        entry.channels.map(({ channelId }) => toHex(channelId)).join(' '),
        cell(entry.contents.map(({ contentId }) => contentId).join(' ')),
        cell(entry.contents.flatMap(({ name }) => name ?? []).join('; ')),
        cell(entry.note),
      ],
    ];
  });
}

const KOINLY_COLUMNS = [
  'Date',
  'Sent Amount',
  'Sent Currency',
  'Received Amount',
  'Received Currency',
  'Fee Amount',
  'Fee Currency',
  'Net Worth Amount',
  'Net Worth Currency',
  'Label',
  'Description',
  'TxHash',
];

/**
 * Koinly's universal format. A deposit has no fee there: what is earned comes whole, and the network's fee is a cost of
 * its own. What moved no token is left out.
 */
export function koinlyWriter(context: ExportContext): ExportWriter {
  return tableWriter(context, KOINLY_COLUMNS, (entry) => {
    const row = (sent: Movement['sent'], received: Movement['received'], label: string): Row => [
      `${utcSecond(entry.atMs)} UTC`,
      ...amountCells(sent),
      ...amountCells(received),
      ...['', '', '', ''],
      label,
      cell(describe(entry)),
      toHex(entry.hash),
    ];
    return movementsOf(entry).flatMap(({ kind, sent, received, fee }) => {
      const label = kind === 'earned' ? (entry.kind === 'reward' ? 'reward' : 'other income') : '';
      return [
        row(sent, received, kind === 'spent' ? 'cost' : label),
        ...(fee ? [row(fee, null, 'cost')] : []),
      ];
    });
  });
}

const COINTRACKING_COLUMNS = [
  'Type',
  'Buy Amount',
  'Buy Currency',
  'Sell Amount',
  'Sell Currency',
  'Fee',
  'Fee Currency',
  'Exchange',
  'Trade-Group',
  'Comment',
  'Date',
];

/** CoinTracking's own format. Amounts there are what really came; the fee beside them only shows what had gone off. */
export function cointrackingWriter(context: ExportContext): ExportWriter {
  return tableWriter(
    context,
    COINTRACKING_COLUMNS,
    (entry) =>
      movementsOf(entry).flatMap(({ kind, sent, received, fee }) => {
        const net = received && { ...received, amount: received.amount - (fee?.amount ?? 0n) };
        // All of it went as fee: nothing came.
        if (!sent && net?.amount === 0n) return [];
        return [
          [
            COINTRACKING_TYPES[entry.kind === 'reward' && kind === 'earned' ? 'reward' : kind],
            ...amountCells(net),
            ...amountCells(sent),
            ...amountCells(fee),
            'Ace Node',
            'Ace Network',
            cell(`${describe(entry)}, ${entryId(entry)}, ${toHex(entry.hash)}`),
            utcSecond(entry.atMs),
          ],
        ];
      }),
    true,
  );
}

const COINTRACKING_TYPES = {
  earned: 'Income',
  reward: 'Reward / Bonus',
  spent: 'Spend',
  received: 'Deposit',
  sent: 'Withdrawal',
  traded: 'Trade',
} as const;

function amountCells(moved: Movement['sent']): [amount: string, currency: string] {
  return moved ? [formatAmount(moved.amount), moved.token] : ['', ''];
}

/** In words, with what it was for. */
function describe(entry: ExportEntry): string {
  const what = entry.source === 'settlement' ? `traffic ${entry.kind}` : entry.kind;
  const whom = entry.counterparty
    ? ` ${entry.direction === 'in' ? 'from' : 'to'} ${shownAddress(entry.counterparty)}`
    : '';
  const batch = entry.source === 'settlement' ? `, batch ${entry.batchNumber} of shard ${entry.shard}` : '';
  const names = entry.contents.map(({ name, contentId }) => name ?? contentId).join('; ');
  return `${what}${whom}${batch}${names ? `: ${names}` : ''}`;
}
