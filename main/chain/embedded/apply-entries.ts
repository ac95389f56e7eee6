/**
 * How the entries of one batch change the ledger (docs/economy.md#settlement, docs/economy.md#credit).
 *
 * The order is fixed, so that everyone who applies the batch gets the same answer: payer by payer in order of address;
 * of one payer first all repayments, or none, then all consumption, each in order of payee. What an account earns within
 * the batch is at once part of its funds, so it counts for its own entries when they come later in that order, and for
 * nothing before. Funds of an account that still owes wait for its loans. One price snapshot holds for all entries.
 */

import {
  affordableUnits,
  afterPayment,
  creditLeftUnits,
  type PriceSnapshot,
  payUnits,
  splitUnits,
} from '../../../shared/economy/credit.ts';
import { ZERO } from '../../../shared/economy/money.ts';
import type { Funds, Payment } from '../../../shared/economy/payment.ts';
import type { NetworkSettings } from '../../../shared/economy/settings.ts';
import { invariant } from '../../../shared/errors.ts';
import type { BatchEntry, EntryResult } from '../../../shared/settlement/batch.ts';
import type { Ledger, LedgerAccount } from './ledger.ts';

type Rules = Pick<NetworkSettings, 'trafficFee' | 'trafficCreditLimitUnits'>;

/** What all entries of one batch share. */
interface EntriesContext {
  readonly ledger: Ledger;
  readonly price: PriceSnapshot;
  readonly rules: Rules;
}

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
  const addresses = new Set<string>();
  for (const { payer, payee } of entries) addresses.add(payer).add(payee);
  ledger.load(addresses);
  const context = { ledger, price, rules };
  const results: EntryResult[] = [];
  for (const ofPayer of groupByPayer(entries)) {
    const repays = canRepay(context, ofPayer);
    const repaid = ofPayer.map((entry) => ({
      entry,
      repayment: repays ? repay(context, entry) : NOT_REPAID,
    }));
    for (const { entry, repayment } of repaid) {
      const { payer, payee } = entry;
      results.push({ payer, payee, ...repayment, ...consume(context, entry) });
    }
  }
  return results;
}

const NOT_REPAID = { repaidUnits: 0, repayment: null } as const;

/**
 * Whether the payer's funds reach all that the entries have it repay. The entries do not say which loan is the oldest, so
 * where they do not reach any more (the price has moved since) nothing is repaid: the shard plans anew.
 */
function canRepay({ ledger, price, rules }: EntriesContext, ofPayer: readonly BatchEntry[]): boolean {
  const repayUnits = ofPayer.reduce((sum, entry) => sum + entry.repayUnits, 0);
  const first = ofPayer[0];
  if (!first || repayUnits === 0) return false;
  const payer = ledger.account(first.payer);
  invariant(repayUnits <= payer.creditUsedUnits, 'an account repays no more than its traffic_credit_used');
  let left = ledger.usableFunds(payer, price.rates);
  for (const { repayUnits: units } of ofPayer) {
    if (affordableUnits(left, price, units) < units) return false;
    left = afterPayment(left, payUnits(units, left, price, rules.trafficFee, ZERO));
  }
  return true;
}

function repay(context: EntriesContext, { payer: address, payee, repayUnits }: BatchEntry) {
  if (repayUnits === 0) return NOT_REPAID;
  const { ledger, price } = context;
  const payer = ledger.account(address);
  const funds = ledger.usableFunds(payer, price.rates);
  const repayment = pay(context, { payer, payee, units: repayUnits, funds });
  payer.creditUsedUnits -= repayUnits;
  return { repaidUnits: repayUnits, repayment };
}

function consume(context: EntriesContext, entry: BatchEntry) {
  const { ledger, price, rules } = context;
  const payer = ledger.account(entry.payer);
  const { creditUsedUnits } = payer;
  const creditLeft = creditLeftUnits(rules.trafficCreditLimitUnits, creditUsedUnits);
  const funds = ledger.usableFunds(payer, price.rates);
  const split = splitUnits(entry.consumeUnits, funds, creditLeft, creditUsedUnits > 0, price);
  const payment = pay(context, { payer, payee: entry.payee, units: split.paidUnits, funds });
  payer.creditUsedUnits += split.creditUnits;
  return { ...split, payment };
}

/** What one payer pays one payee now. */
interface Due {
  readonly payer: LedgerAccount;
  readonly payee: string;
  readonly units: number;
  readonly funds: Funds;
}

function pay({ ledger, price, rules }: EntriesContext, { payer, payee, units, funds }: Due): Payment | null {
  if (units === 0) return null;
  const payment = payUnits(units, funds, price, rules.trafficFee, ledger.lockedPoolXat);
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
