/**
 * A file for beancount: accounts in capitals and opened, currencies in capitals, balances asserted on the morning after,
 * to the last base unit.
 */

import { formatRatio } from '../../../shared/economy/ratio.ts';
import { toHex } from '../../../shared/hex.ts';
import {
  CHART_ACCOUNTS,
  COMMODITIES,
  type Commodity,
  isPerCounterparty,
} from '../../../shared/journal/chart.ts';
import { ledgerAccount } from '../../../shared/journal/entry.ts';
import { shownName } from '../../../shared/shown-name.ts';
import { shownAddress } from '../../../shared/typed/address.ts';
import { decimal, entryId, utcDay } from '../text.ts';
import { type LedgerBalance, StockBalances } from './balances.ts';
import type { ExportContext, ExportEntry, ExportWriter } from './format.ts';

/** Before anything that can be exported. */
const LONG_AGO = '1970-01-01';
const DAY_MS = 86_400_000;
/** Its years have four digits. */
const LAST_DAY_MS = Date.UTC(9999, 11, 31);

export function beancountWriter(context: ExportContext): ExportWriter {
  const balances = new StockBalances();
  const { fromMs } = context.period;
  let lastMs = fromMs > 0 ? fromMs : null;
  return {
    *begin() {
      yield `; Times are UTC; MIB is traffic in MiB.\n`;
      yield `option "title" ${quoted(`Journal of ${context.account} in ${context.networkId}`)}\n`;
      for (const commodity of COMMODITIES) yield `${LONG_AGO} commodity ${currency(commodity)}\n`;
      for (const account of CHART_ACCOUNTS) {
        if (!isPerCounterparty(account)) yield `${LONG_AGO} open ${capital(account)}\n`;
      }
      for (const account of context.ledgerAccounts()) {
        if (CHART_ACCOUNTS.every((known) => known !== account))
          yield `${LONG_AGO} open ${capital(account)}\n`;
      }
      for (const entry of context.earlier()) balances.add(entry);
      if (lastMs !== null) yield opening(utcDay(lastMs), [...balances.all()]);
    },
    entry(entry) {
      balances.add(entry);
      lastMs = entry.atMs;
      return transaction(entry);
    },
    end: () =>
      lastMs === null || lastMs >= LAST_DAY_MS ? '' : closing(utcDay(lastMs + DAY_MS), [...balances.all()]),
  };
}

function transaction(entry: ExportEntry): string {
  const meta: [string, string][] = [
    ['entry', entryId(entry)],
    ['time', new Date(entry.atMs).toISOString()],
    ['batch', entry.source === 'settlement' ? `${entry.batchNumber} of shard ${entry.shard}` : ''],
    ['hash', toHex(entry.hash)],
    ['price', entry.price ? `${formatRatio(entry.price)} base units of XAC per MiB` : ''],
    ['channels', entry.channels.map(({ channelId }) => toHex(channelId)).join(' ')],
    ['contents', entry.contents.map(({ contentId }) => contentId).join(' ')],
    ['note', entry.note],
  ];
  const names = entry.contents.flatMap(({ name }) => name ?? []).join('; ');
  const narration = names === '' ? entry.kind : `${entry.kind}: ${names}`;
  return [
    `\n${utcDay(entry.atMs)} * ${quoted(entry.counterparty === null ? 'Ace Network' : shownAddress(entry.counterparty))} ${quoted(narration)}\n`,
    ...meta.flatMap(([key, value]) => (value === '' ? [] : `  ${key}: ${quoted(value)}\n`)),
    ...entry.postings.map(({ account, commodity, amount }) =>
      posting(ledgerAccount(entry, account), amount, commodity),
    ),
  ].join('');
}

function posting(account: string, amount: bigint, commodity: Commodity): string {
  return `  ${capital(account)}  ${decimal(amount, commodity)} ${currency(commodity)}\n`;
}

function opening(day: string, balances: readonly LedgerBalance[]): string {
  if (balances.length === 0) return '';
  const lines = balances.flatMap(({ account, commodity, amount }) => [
    posting(account, amount, commodity),
    posting('equity:opening', -amount, commodity),
  ]);
  return `\n${day} * "Ace Network" "opening balances"\n${lines.join('')}`;
}

/** beancount looks at a balance in the morning, and by itself allows for a unit of the last decimal. */
function closing(day: string, balances: readonly LedgerBalance[]): string {
  const lines = balances.map(
    ({ account, commodity, amount }) =>
      `${day} balance ${capital(account)}  ${decimal(amount, commodity)} ~ 0 ${currency(commodity)}\n`,
  );
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}

/** Each part of an account's name begins with a capital or a digit. */
function capital(account: string): string {
  return account.replace(/(^|:)[a-z]/g, (start) => start.toUpperCase());
}

function currency(commodity: Commodity): string {
  return commodity.toUpperCase();
}

function quoted(text: string): string {
  return `"${shownName(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
