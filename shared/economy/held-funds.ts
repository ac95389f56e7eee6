/**
 * What of an account's services its owner may not take away (docs/economy.md#places): a lease is its shard's word that a payee will
 * be paid, so what is behind open channels stays where it is, and so does what the next settlement takes for a loan. Main is
 * behind nothing. The shard asks before it takes an operation, a wallet asks before it signs one.
 */

import { AceError, isAceError } from '../errors.ts';
import { affordableUnits, afterPayment, coveredUnits, type PriceSnapshot } from './credit.ts';
import { type Holdings, isServicesToken, type Place } from './holdings.ts';
import { formatAmount, type Token, type TokenAmount, ZERO } from './money.ts';
import type { Operation } from './operation.ts';
import { type Funds, planPayment } from './payment.ts';
import { ratio } from './ratio.ts';

/** An account as its home shard sees it. */
export interface HoldingAccount extends Holdings {
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
  { services, creditUsedUnits, reservedUnits }: HoldingAccount,
  price: PriceSnapshot,
): void {
  if (reservedUnits === 0 && creditUsedUnits === 0) return;
  const left = fundsAfter(operation, services, price);
  if (left === services) return;
  if (operation.kind === 'withdraw') checkOwesNothing({ creditUsedUnits });
  // By the time the chain looks, the rate may be another: what cannot be paid now is not taken to it.
  if (left === null) throw new AceError('InsufficientFunds', 'The funds do not reach for this');
  if (creditUsedUnits > 0 && affordableUnits(services, price, 1) > 0) {
    throw new AceError(
      'FundsReserved',
      'These funds repay a loan with the next settlement: try again after it',
      { details: { owedUnits: creditUsedUnits } },
    );
  }
  // Free credit is no cover: payees serve on the word that funds pay, and would be owed instead. A purchase from oneself
  // would be a withdrawal that costs a fee.
  const coveredBy =
    coveredUnits(left, price, reservedUnits) +
    Math.max(0, reservedUnits - coveredUnits(services, price, reservedUnits));
  if (coveredBy >= reservedUnits) return;
  throw new AceError(
    'FundsReserved',
    `${reservedUnits} MiB of open channels are paid from these funds: stop what plays, or keep more`,
    { details: { reservedUnits, coveredUnits: coveredBy } },
  );
}

/** @throws AceError `FundsReserved` while the account owes loans: what lies in services belongs to them first */
export function checkOwesNothing({ creditUsedUnits }: { readonly creditUsedUnits: number }): void {
  if (creditUsedUnits === 0) return;
  throw new AceError(
    'FundsReserved',
    `${creditUsedUnits} MiB are owed: nothing is withdrawn until they are repaid`,
    {
      details: { owedUnits: creditUsedUnits },
    },
  );
}

/** What the account can pay with afterwards; `null` when it has not enough for the operation itself. */
function fundsAfter(operation: Operation, services: Funds, { rates }: PriceSnapshot): Funds | null {
  switch (operation.kind) {
    case 'withdraw': {
      const { token, amount } = operation;
      if (!isServicesToken(token)) return services;
      return services[token] < amount
        ? null
        : { ...services, [token]: (services[token] - amount) as TokenAmount };
    }
    case 'access':
    case 'reward': {
      const price = operation.kind === 'access' ? operation.priceXac : operation.amountXac;
      try {
        return afterPayment(services, planPayment(services, price, rates, ratio(0), ZERO));
      } catch (error) {
        if (isAceError(error, 'InsufficientFunds')) return null;
        throw error;
      }
    }
    // They take from main, or nothing.
    case 'transfer':
    case 'deposit':
    case 'swap':
    case 'mint':
    case 'link':
    case 'unlink':
    case 'feed':
      return services;
    default:
      return operation satisfies never;
  }
}

/** @throws AceError `InsufficientFunds` that names the place, what lies there and what is asked for */
export function checkFunds(holdings: Holdings, place: Place, token: Token, wanted: TokenAmount): void {
  const there =
    place === 'main' ? holdings.main[token] : isServicesToken(token) ? holdings.services[token] : ZERO;
  if (there >= wanted) return;
  const what = place === 'main' ? 'kept' : 'to spend';
  const elsewhere = place === 'main' ? ', or withdraw first' : ', or deposit first';
  throw new AceError(
    'InsufficientFunds',
    `${formatAmount(there)} ${token} ${what}, not ${formatAmount(wanted)}: choose less${isServicesToken(token) ? elsewhere : ''}`,
  );
}
