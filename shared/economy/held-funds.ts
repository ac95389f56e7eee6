/**
 * What of an account's funds it may not take away: a lease is its shard's word that a payee will be paid, so funds behind
 * open channels stay where they are, and so do funds that the next settlement takes for a loan (docs/economy.md#credit).
 * The shard asks before it takes an operation, a wallet asks before it signs one.
 */

import { AceError, isAceError } from '../errors.ts';
import {
  affordableUnits,
  afterPayment,
  coveredUnits,
  creditLeftUnits,
  type PriceSnapshot,
} from './credit.ts';
import { type Balances, formatAmount, type TokenAmount, ZERO } from './money.ts';
import type { Operation } from './operation.ts';
import { planPayment } from './payment.ts';
import { ratio } from './ratio.ts';

/** An account as its home shard sees it. */
export interface HoldingAccount {
  readonly balances: Balances;
  readonly creditUsedUnits: number;
  /** Units leased or claimed and not settled yet. */
  readonly reservedUnits: number;
}

/**
 * @throws AceError `InsufficientFunds` when the account has not enough for the operation itself; `FundsReserved` when what
 * is left would not cover its open channels (`reservedUnits` in the details), or belongs to a loan (`owedUnits`)
 */
export function checkHeld(
  operation: Operation,
  { balances, creditUsedUnits, reservedUnits }: HoldingAccount,
  creditLimitUnits: number,
  price: PriceSnapshot,
): void {
  if (reservedUnits === 0 && creditUsedUnits === 0) return;
  const left = fundsAfter(operation, balances, price);
  if (left === balances) return;
  // By the time the chain looks, the rate may be another: what cannot be paid now is not taken to it.
  if (left === null) throw new AceError('InsufficientFunds', 'The funds do not reach for this');
  if (creditUsedUnits > 0 && affordableUnits(balances, price, 1) > 0) {
    throw new AceError(
      'FundsReserved',
      'These funds repay a loan with the next settlement: try again after it',
      { details: { owedUnits: creditUsedUnits } },
    );
  }
  const coveredBy =
    coveredUnits(left, price, reservedUnits) + creditLeftUnits(creditLimitUnits, creditUsedUnits);
  if (coveredBy >= reservedUnits) return;
  throw new AceError(
    'FundsReserved',
    `${reservedUnits} MiB of open channels are paid from these funds: stop what plays, or keep more`,
    { details: { reservedUnits, coveredUnits: coveredBy } },
  );
}

/** What the account can pay with afterwards, at worst; `null` when it has not enough for the operation itself. */
function fundsAfter(operation: Operation, balances: Balances, { rates }: PriceSnapshot): Balances | null {
  const moved = (out: keyof Balances, amount: bigint): Balances | null =>
    balances[out] < amount ? null : { ...balances, [out]: (balances[out] - amount) as TokenAmount };
  switch (operation.kind) {
    case 'transfer':
      return operation.token === 'XAB' || operation.amount === 0n
        ? balances
        : moved(operation.token, operation.amount);
    case 'swap': {
      const left = moved(operation.sell, operation.amount);
      const { buy, minReceived } = operation;
      return left && { ...left, [buy]: (left[buy] + minReceived) as TokenAmount };
    }
    case 'access':
    case 'reward': {
      const price = operation.kind === 'access' ? operation.priceXac : operation.amountXac;
      try {
        return {
          ...balances,
          ...afterPayment(balances, planPayment(balances, price, rates, ratio(0), ZERO)),
        };
      } catch (error) {
        if (isAceError(error, 'InsufficientFunds')) return null;
        throw error;
      }
    }
    // They pay with XAB, or with nothing.
    case 'mint':
    case 'link':
    case 'unlink':
    case 'feed':
      return balances;
    default:
      return operation satisfies never;
  }
}

/** @throws AceError `InsufficientFunds` that names what is there and what is asked for */
export function checkFunds(balances: Balances, token: keyof Balances, wanted: TokenAmount): void {
  if (balances[token] >= wanted) return;
  throw new AceError(
    'InsufficientFunds',
    `The account has ${formatAmount(balances[token])} ${token}, not ${formatAmount(wanted)}`,
  );
}
