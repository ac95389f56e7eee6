/**
 * The two places where an account's tokens lie (docs/economy.md#places). `main` is what its owner keeps: it moves by the owner's
 * signature alone. `services` is what may be spent: traffic, repayments and bought access are paid from it and from nothing
 * else, and what a payee earns arrives there.
 */
import { type Balances, NO_BALANCES, TOKENS, type Token, ZERO } from './money.ts';
import type { Funds } from './payment.ts';

export const PLACES = ['main', 'services'] as const;
export type Place = (typeof PLACES)[number];

/** Tokens that pay for services. XAB pays for nothing, so it lies in main only. */
export const SERVICES_TOKENS = ['XAC', 'XAT', 'XAS'] as const;
export type ServicesToken = (typeof SERVICES_TOKENS)[number];

/** What an account has, base units. */
export interface Holdings {
  readonly main: Balances;
  readonly services: Funds;
}

export const NO_FUNDS: Funds = { XAC: ZERO, XAT: ZERO, XAS: ZERO };
export const NO_HOLDINGS: Holdings = { main: NO_BALANCES, services: NO_FUNDS };

/** Base units that an account gained in each place, negative where lost. */
export interface HoldingDeltas {
  readonly main: Readonly<Record<Token, bigint>>;
  readonly services: Readonly<Record<ServicesToken, bigint>>;
}

export function isServicesToken(token: Token): token is ServicesToken {
  return token !== 'XAB';
}

/** What is held of a token in both places together, base units: for sums over the network, never for what can be paid. */
export function heldOf({ main, services }: HoldingDeltas, token: Token): bigint {
  return main[token] + (isServicesToken(token) ? services[token] : 0n);
}

/** The tokens that can lie in a place. */
export function tokensOf(place: Place): readonly Token[] {
  return place === 'main' ? TOKENS : SERVICES_TOKENS;
}
