import type { ServicesToken } from '../economy/holdings.ts';
import type { DecimalAmount, Token } from '../economy/money.ts';

/** What lies in the two places of an account (docs/economy.md#places), as decimal token strings. */
export interface HoldingsView {
  /** Kept: moves by a signature alone. */
  readonly main: Readonly<Record<Token, DecimalAmount>>;
  /** To spend: pays for traffic, loans and access. */
  readonly services: Readonly<Record<ServicesToken, DecimalAmount>>;
}
