/**
 * What an operation would do to an account, by the same rules that the chain and the shard apply
 * (docs/economy.md#paying, #exchange and #credit): first the operation itself, then the loans that the funds repay right after it. A
 * quote changes nothing. Amounts are base units; rounding is that of the rules.
 */

import { AceError } from '../errors.ts';
import { afterPayment, type Loan, type PriceSnapshot, planRepayments } from './credit.ts';
import { swapOutput } from './exchange.ts';
import { checkFunds, checkHeld, type HoldingAccount } from './held-funds.ts';
import type { Holdings, Place } from './holdings.ts';
import { amount, type Token, type TokenAmount, ZERO } from './money.ts';
import {
  type AccessOperation,
  checkOperation,
  type DepositOperation,
  type MintOperation,
  type Operation,
  type SwapOperation,
  type TransferOperation,
  type WithdrawOperation,
} from './operation.ts';
import { type Funds, type Payment, planPayment } from './payment.ts';
import { mintCostXab, priceOfUnits, type TrafficTotals, trafficRate } from './price.ts';
import { type Ratio, ratio, timesDown, timesUp } from './ratio.ts';
import type { NetworkSettings } from './settings.ts';

/** The figures of one account and one moment. */
export interface OperationBasis {
  readonly account: HoldingAccount;
  /** Oldest first. */
  readonly loans: readonly Loan[];
  readonly price: PriceSnapshot;
  readonly totals: TrafficTotals;
  readonly aceBytePriceUsd: Ratio;
  readonly settings: NetworkSettings;
}

/** Reserves of one pair of the exchange. */
export interface Reserves {
  readonly XAC: TokenAmount;
  /** Of the other token. */
  readonly token: TokenAmount;
}

export interface TokenSum {
  readonly token: Token;
  readonly amount: TokenAmount;
  /** Of the account that signs: where it lies, or arrives. */
  readonly place: Place;
}

export interface OperationEffect {
  readonly gives: readonly (TokenSum & { readonly burned: boolean })[];
  readonly gets: readonly TokenSum[];
  /** Part of what is given. */
  readonly fees: readonly TokenSum[];
  readonly repays: readonly {
    readonly creditor: string;
    readonly units: number;
    readonly stillOwedUnits: number;
    /** At the current price, rounded up once. */
    readonly costXac: TokenAmount;
    readonly payment: Payment;
  }[];
  readonly creditUsedAfterUnits: number;
  /** After the operation and the repayments. */
  readonly after: Holdings;
}

/** Of a mint: what it may cost more when it is booked than when it was quoted, because the traffic rate moved. */
const MINT_TOLERANCE = ratio(1, 100);

/** @throws AceError `InvalidInput`, `InvalidAmount`, `InsufficientFunds` */
export function quoteTransfer(operation: TransferOperation, basis: OperationBasis): OperationEffect {
  const { token, amount: moved } = operation;
  checkOperation(operation);
  checkFunds(basis.account, 'main', token, moved);
  return effect(
    { gives: [{ token, amount: moved, place: 'main', burned: false }], gets: [], fees: [] },
    basis,
  );
}

/**
 * Between the account's own places. @throws AceError `InvalidInput`, `InvalidAmount`, `InsufficientFunds`, `FundsReserved` (a withdrawal of what open channels or
 * loans need)
 */
export function quoteMove(
  operation: DepositOperation | WithdrawOperation,
  basis: OperationBasis,
): OperationEffect {
  const { kind, token, amount: moved } = operation;
  checkOperation(operation);
  const [from, to]: [Place, Place] = kind === 'deposit' ? ['main', 'services'] : ['services', 'main'];
  checkFunds(basis.account, from, token, moved);
  checkReserved(operation, basis);
  return effect(
    {
      gives: [{ token, amount: moved, place: from, burned: false }],
      gets: [{ token, amount: moved, place: to }],
      fees: [],
    },
    basis,
  );
}

/** XAB that minting costs now, and the most that a mint quoted now should be ready to pay. */
export function mintCost(
  amountXat: TokenAmount,
  { totals, aceBytePriceUsd, settings }: OperationBasis,
): { readonly costXab: TokenAmount; readonly maxXab: TokenAmount } {
  const costXab = mintCostXab(amountXat, trafficRate(totals), settings.trafficPriceUsd, aceBytePriceUsd);
  return { costXab, maxXab: amount(costXab + timesUp(costXab, MINT_TOLERANCE)) };
}

/** @throws AceError `InvalidAmount`, `InsufficientFunds`, `SlippageExceeded` (it costs more than the operation allows) */
export function quoteMint(operation: MintOperation, basis: OperationBasis): OperationEffect {
  checkOperation(operation);
  const { costXab } = mintCost(operation.amountXat, basis);
  if (costXab > operation.maxXab) throw new AceError('SlippageExceeded', 'It costs more XAB by now');
  checkFunds(basis.account, 'main', 'XAB', costXab);
  return effect(
    {
      gives: [{ token: 'XAB', amount: costXab, place: 'main', burned: true }],
      gets: [{ token: 'XAT', amount: operation.amountXat, place: 'main' }],
      fees: [],
    },
    basis,
  );
}

export interface SwapQuote extends OperationEffect {
  readonly received: TokenAmount;
  /** Of the bought token for one of the sold: in this swap, and at the reserves as they are, without a fee. */
  readonly rate: Ratio;
  readonly spotRate: Ratio;
  /** Part of the spot rate that the amount itself costs, the fee aside: 0 to 1. */
  readonly priceImpact: Ratio;
}

/**
 * @throws AceError `InvalidInput`, `InvalidAmount`, `InsufficientFunds`, `NoMarket`, `SlippageExceeded` (it
 * would get nothing, or less than the operation asks for)
 */
export function quoteSwap(operation: SwapOperation, reserves: Reserves, basis: OperationBasis): SwapQuote {
  const { sell, buy, amount: sold } = operation;
  checkOperation(operation);
  checkFunds(basis.account, 'main', sell, sold);
  const { swapFee } = basis.settings;
  const [into, outOf] = sell === 'XAC' ? [reserves.XAC, reserves.token] : [reserves.token, reserves.XAC];
  const received = swapOutput(sold, into, outOf, swapFee);
  if (received < operation.minReceived) throw new AceError('SlippageExceeded', 'It gets less by now');
  const spotRate = ratio(outOf, into);
  // What constant reserves and no fee would give, less what the moving price takes: sold × r_out / (r_in + sold).
  const priceImpact = ratio(sold, into + sold);
  return {
    ...effect(
      {
        gives: [{ token: sell, amount: sold, place: 'main', burned: false }],
        gets: [{ token: buy, amount: received, place: 'main' }],
        fees: [{ token: sell, amount: timesDown(sold, swapFee) as TokenAmount, place: 'main' }],
      },
      basis,
    ),
    received,
    rate: ratio(received, sold),
    spotRate,
    priceImpact,
  };
}

/** The least that a swap should get, `slippage` (0 to 1) below what was quoted; rounded down, but never nothing. */
export function leastReceived(received: TokenAmount, slippage: Ratio): TokenAmount {
  const least = received - timesUp(received, slippage);
  return amount(least > 0n ? least : 1n);
}

export interface AccessQuote extends OperationEffect {
  readonly payment: Payment;
}

/** @throws AceError `InvalidInput`, `InvalidAmount`, `InsufficientFunds`, `FundsReserved` */
export function quoteAccess(operation: AccessOperation, basis: OperationBasis): AccessQuote {
  checkOperation(operation);
  const { settings, price, account } = basis;
  const fee = operation.premium ? settings.premiumPoolAccessFee : settings.contentAccessFee;
  const payment = planPayment(account.services, operation.priceXac, price.rates, fee, ZERO);
  checkReserved(operation, basis);
  const place = 'services' as const;
  const gives = [
    { token: 'XAC' as const, amount: payment.xacFromPayer, place, burned: false },
    { token: 'XAT' as const, amount: payment.xatBurned, place, burned: true },
    { token: 'XAS' as const, amount: payment.xasFromPayer, place, burned: false },
  ];
  const fees = [
    { token: 'XAC' as const, amount: payment.feeXac, place },
    { token: 'XAS' as const, amount: payment.feeXas, place },
  ];
  return { ...effect({ gives: gives.filter(some), gets: [], fees: fees.filter(some) }, basis), payment };
}

function checkReserved(operation: Operation, { account, price }: OperationBasis): void {
  checkHeld(operation, account, price);
}

function some({ amount }: TokenSum): boolean {
  return amount > 0n;
}

/** The rest of it: what is there afterwards, and which loans that repays. */
function effect(
  moves: Pick<OperationEffect, 'gives' | 'gets' | 'fees'>,
  { account, loans, price, settings }: OperationBasis,
): OperationEffect {
  const [main, services] = [{ ...account.main }, { ...account.services }];
  const places: Record<Place, Partial<Record<Token, TokenAmount>>> = { main, services };
  for (const { token, amount: out, place } of moves.gives) {
    places[place][token] = amount((places[place][token] ?? 0n) - out);
  }
  for (const { token, amount: into, place } of moves.gets) {
    places[place][token] = amount((places[place][token] ?? 0n) + into);
  }
  const repays = planRepayments(loans, services, price, settings.trafficFee).map((repayment, i) => ({
    ...repayment,
    stillOwedUnits: (loans[i]?.units ?? 0) - repayment.units,
    costXac: priceOfUnits(repayment.units, price.unitPriceXac),
  }));
  let left: Funds = services;
  let repaidUnits = 0;
  for (const { units, payment } of repays) {
    left = afterPayment(left, payment);
    repaidUnits += units;
  }
  return {
    ...moves,
    repays,
    creditUsedAfterUnits: account.creditUsedUnits - repaidUnits,
    after: { main, services: left },
  };
}
