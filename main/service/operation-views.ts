/** What an operation would do, and what loans were repaid, as `shared/rpc/wallet.ts` shows them. */
import { formatAmount, type TokenAmount } from '../../shared/economy/money.ts';
import type { AccessQuote, OperationEffect, SwapQuote } from '../../shared/economy/operation-quote.ts';
import type { Payment } from '../../shared/economy/payment.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { type Ratio, ratioToDecimal } from '../../shared/economy/ratio.ts';
import { UNITS_PER_GB } from '../../shared/economy/units.ts';
import {
  type OperationQuoteView,
  QUOTE_LIFE_MS,
  type RepaymentView,
  type SwapQuoteView,
} from '../../shared/rpc/wallet.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import { holdingsView } from './views.ts';

export function effectView(
  kind: OperationQuoteView['kind'],
  effect: OperationEffect,
  asOfMs: number,
): OperationQuoteView {
  const { gives, gets, fees, repays, creditUsedAfterUnits, after } = effect;
  const shown = <T extends { readonly amount: TokenAmount }>(sum: T) => ({
    ...sum,
    amount: formatAmount(sum.amount),
  });
  return {
    kind,
    gives: gives.map(shown),
    gets: gets.map(shown),
    fees: fees.map(shown),
    repays: repays.map(({ creditor, units, stillOwedUnits, costXac, payment }) => ({
      creditor,
      units,
      stillOwedUnits,
      costXac: formatAmount(costXac),
      ...paidFrom(payment),
    })),
    creditUsedAfterUnits,
    holdingsAfter: holdingsView(after),
    asOfMs,
    expiresAtMs: asOfMs + QUOTE_LIFE_MS,
  };
}

function paidFrom(payment: Payment) {
  return {
    fromXac: formatAmount(payment.xacFromPayer),
    fromXat: formatAmount(payment.xatBurned),
    fromXas: formatAmount(payment.xasFromPayer),
  };
}

export function accessView(quote: AccessQuote, asOfMs: number) {
  const { payeeXac, payeeXas } = quote.payment;
  return {
    ...effectView('access', quote, asOfMs),
    ...paidFrom(quote.payment),
    sellerXac: formatAmount(payeeXac),
    sellerXas: formatAmount(payeeXas),
  };
}

export function swapView(
  quote: SwapQuote,
  least: TokenAmount,
  slippage: Ratio,
  asOfMs: number,
): SwapQuoteView {
  const percent = ({ num, den }: Ratio) => ratioToDecimal({ num: num * 100n, den }, 2);
  return {
    ...effectView('swap', quote, asOfMs),
    received: formatAmount(quote.received),
    leastReceived: formatAmount(least),
    rate: ratioToDecimal(quote.rate, 7),
    spotRate: ratioToDecimal(quote.spotRate, 7),
    priceImpactPercent: percent(quote.priceImpact),
    slippagePercent: percent(slippage),
  };
}

/** A row of the history in which loans were repaid. */
export function repaymentView(row: SettlementRow): RepaymentView {
  return {
    seq: row.seq,
    shard: row.shard,
    shardSeq: row.shardSeq,
    batchNumber: row.batchNumber,
    atMs: row.atMs,
    creditor: row.counterparty,
    units: row.repaidUnits,
    costXac: formatAmount(priceOfUnits(row.repaidUnits, row.price)),
    xacPerGb: formatAmount(priceOfUnits(UNITS_PER_GB, row.price)),
  };
}
