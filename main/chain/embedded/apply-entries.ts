/**
 * How the entries of one batch change the ledger (ECONOMY.md, "Settlement" and "Credit").
 *
 * The order is fixed, so that everyone who applies the batch gets the same answer: payer by payer in order of address;
 * of one payer first all repayments, then all consumption, each in order of payee. What an account earns within the
 * batch is at once part of its funds, so it counts for its own entries when they come later in that order, and for
 * nothing before. One price snapshot holds for all entries.
 */
import type { BatchEntry, EntryResult } from '../../../shared/batch.ts';
import {
  affordableUnits,
  creditLeftUnits,
  type PriceSnapshot,
  payUnits,
  splitUnits,
} from '../../../shared/credit.ts';
import { invariant } from '../../../shared/errors.ts';
import type { Payment } from '../../../shared/payment.ts';
import type { NetworkSettings } from '../../../shared/settings.ts';
import type { Ledger, LedgerAccount } from './ledger.ts';

type Rules = Pick<NetworkSettings, 'trafficFee' | 'trafficCreditLimitUnits'>;

/**
 * Applies the entries in the fixed order and says what became of each.
 * @throws AceError `InvariantViolated` when a payer repays more than it owes: the shard's book of loans is wrong then,
 * and nothing it says can be trusted.
 */
export function applyEntries(
  ledger: Ledger,
  entries: readonly BatchEntry[],
  price: PriceSnapshot,
  rules: Rules,
): EntryResult[] {
  ledger.load(entries.flatMap(({ payer, payee }) => [payer, payee]));
  const results: EntryResult[] = [];
  for (const ofPayer of groupByPayer(entries)) {
    checkRepayments(ledger, ofPayer);
    const repaid = ofPayer.map((entry) => ({ entry, repayment: repay(ledger, entry, price, rules) }));
    for (const { entry, repayment } of repaid) {
      const { payer, payee } = entry;
      results.push({ payer, payee, ...repayment, ...consume(ledger, entry, price, rules) });
    }
  }
  return results;
}

/** What a payer is said to repay is checked before it is known how far the funds reach. */
function checkRepayments(ledger: Ledger, ofPayer: readonly BatchEntry[]): void {
  const repayUnits = ofPayer.reduce((sum, entry) => sum + entry.repayUnits, 0);
  const first = ofPayer[0];
  if (!first || repayUnits === 0) return;
  const { creditUsedUnits } = ledger.account(first.payer);
  invariant(repayUnits <= creditUsedUnits, 'an account repays no more than its traffic_credit_used');
}

/** As many of the loan units as the payer's funds reach; the rest stays owed. */
function repay(ledger: Ledger, entry: BatchEntry, price: PriceSnapshot, rules: Rules) {
  if (entry.repayUnits === 0) return { repaidUnits: 0, repayment: null };
  const payer = ledger.account(entry.payer);
  invariant(
    entry.repayUnits <= payer.creditUsedUnits,
    'an account repays no more than its traffic_credit_used',
  );
  const repaidUnits = affordableUnits(payer.balances, price, entry.repayUnits);
  const repayment = pay(ledger, payer, entry.payee, repaidUnits, price, rules);
  payer.creditUsedUnits -= repaidUnits;
  return { repaidUnits, repayment };
}

function consume(ledger: Ledger, entry: BatchEntry, price: PriceSnapshot, rules: Rules) {
  const payer = ledger.account(entry.payer);
  const creditLeft = creditLeftUnits(rules.trafficCreditLimitUnits, payer.creditUsedUnits);
  const split = splitUnits(entry.consumeUnits, payer.balances, creditLeft, price);
  const payment = pay(ledger, payer, entry.payee, split.paidUnits, price, rules);
  payer.creditUsedUnits += split.creditUnits;
  return { ...split, payment };
}

function pay(
  ledger: Ledger,
  payer: LedgerAccount,
  payee: string,
  units: number,
  price: PriceSnapshot,
  rules: Rules,
): Payment | null {
  if (units === 0) return null;
  const payment = payUnits(units, payer.balances, price, rules.trafficFee, ledger.lockedPoolXat);
  ledger.pay(payer, ledger.account(payee), payment, price.rates, 'trafficFeePool');
  return payment;
}

function* groupByPayer(entries: readonly BatchEntry[]): Generator<readonly BatchEntry[]> {
  for (let start = 0; start < entries.length; ) {
    const payer = entries[start]?.payer;
    let end = start + 1;
    while (entries[end]?.payer === payer) end++;
    yield entries.slice(start, end);
    start = end;
  }
}
