/**
 * One file that hledger and ledger both take, in their strictest modes: commodities, accounts, payees and tags are
 * declared before they are used, dates ascend, amounts are exact. It ends with the balances, asserted.
 */

import { formatAmount } from '../../../shared/economy/money.ts';
import { priceOfUnits } from '../../../shared/economy/price.ts';
import { UNITS_PER_GB } from '../../../shared/economy/units.ts';
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

/** Whom an entry is with that has no counterparty. */
const NETWORK = 'Ace Network';
const TAGS = ['time', 'kind', 'batch', 'hash', 'xac-per-gb', 'channels', 'content', 'note'];

export function hledgerWriter(context: ExportContext): ExportWriter {
  const balances = new StockBalances();
  let lastDay = context.period.fromMs > 0 ? utcDay(context.period.fromMs) : null;
  return {
    *begin() {
      yield `; Journal of ${context.account} in ${shownName(context.networkId)}. Times are UTC; MiB are traffic.\n`;
      for (const commodity of COMMODITIES) {
        yield `commodity ${commodity}\n    format 1000.${'0'.repeat(commodity === 'MiB' ? 1 : 7)} ${commodity}\n`;
      }
      for (const tag of TAGS) yield `tag ${tag}\n`;
      for (const account of CHART_ACCOUNTS) {
        if (!isPerCounterparty(account)) yield `account ${account}\n`;
      }
      for (const account of context.ledgerAccounts()) {
        if (CHART_ACCOUNTS.every((known) => known !== account)) yield `account ${account}\n`;
      }
      yield `payee ${NETWORK}\n`;
      for (const counterparty of context.counterparties()) yield `payee ${shownAddress(counterparty)}\n`;
      for (const entry of context.earlier()) balances.add(entry);
      if (lastDay !== null) yield opening(lastDay, [...balances.all()]);
    },
    entry(entry) {
      balances.add(entry);
      lastDay = utcDay(entry.atMs);
      return transaction(lastDay, entry);
    },
    end: () => (lastDay === null ? '' : closing(lastDay, [...balances.all()])),
  };
}

function transaction(day: string, entry: ExportEntry): string {
  const lines = entry.postings.map(({ account, commodity, amount }) =>
    posting(ledgerAccount(entry, account), amount, commodity),
  );
  const { price } = entry;
  const tags: [string, string][] = [
    ['time', new Date(entry.atMs).toISOString()],
    ['kind', entry.kind],
    ...(entry.source === 'settlement'
      ? ([['batch', `${entry.batchNumber} of shard ${entry.shard}`]] as [string, string][])
      : []),
    ['hash', toHex(entry.hash)],
    ...(price
      ? ([['xac-per-gb', formatAmount(priceOfUnits(UNITS_PER_GB, price))]] as [string, string][])
      : []),
    ['channels', entry.channels.map(({ channelId }) => toHex(channelId)).join(' ')],
    ...entry.contents.map(({ contentId, name }): [string, string] => [
      'content',
      name === null ? contentId : `${name} (${contentId})`,
    ]),
    ['note', entry.note],
  ];
  const comments = tags.flatMap(([tag, value]) => (value === '' ? [] : `; ${tag}: ${comment(value)}\n`));
  const head = `${day} * (${entryId(entry)}) ${entry.counterparty === null ? NETWORK : shownAddress(entry.counterparty)}`;
  // ledger takes no transaction without postings, and nothing indented outside of one.
  if (lines.length === 0) return `\n; ${head}\n${comments.join('')}`;
  return `\n${head}\n${comments.map((line) => `    ${line}`).join('')}${lines.join('')}`;
}

function posting(account: string, amount: bigint, commodity: Commodity): string {
  return `    ${account}  ${decimal(amount, commodity)} ${commodity}\n`;
}

/** What was there before the period, out of nowhere. */
function opening(day: string, balances: readonly LedgerBalance[]): string {
  if (balances.length === 0) return '';
  const lines = balances.flatMap(({ account, commodity, amount }) => [
    posting(account, amount, commodity),
    posting('equity:opening', -amount, commodity),
  ]);
  return `\n${day} * (opening) ${NETWORK}\n${lines.join('')}`;
}

/** Moves nothing, and asserts what must be there now. */
function closing(day: string, balances: readonly LedgerBalance[]): string {
  if (balances.length === 0) return '';
  const lines = balances.map(
    ({ account, commodity, amount }) =>
      `    ${account}  ${decimal(0n, commodity)} ${commodity} = ${decimal(amount, commodity)} ${commodity}\n`,
  );
  return `\n${day} * (closing) ${NETWORK}\n${lines.join('')}`;
}

/**
 * Another's words as the value of a tag. Both programs read dates in square brackets there, and a comma ends the value:
 * what followed it would be tags of its own, `date:` among them. Neither knows an escape.
 */
function comment(text: string): string {
  return shownName(text).replaceAll('[', '(').replaceAll(']', ')').replaceAll(',', ';');
}
