/** Which accounts have shown that they pay: credit is free, and so are accounts. */
import type { ValidatorStore } from '../db/validator/store.ts';

/** One that has paid as much as it owes has had no more on credit than it paid for. */
export function isKnownPayer({ watchers, loans }: ValidatorStore, account: string): boolean {
  const everPaidUnits = watchers.everPaidUnits(account);
  return everPaidUnits > 0 && everPaidUnits >= loans.owedUnits(account);
}

/**
 * Units that an account has paid beyond what it owes: so many more are treated as a payer's, so for each unit that its funds
 * paid, an attacker gets one more.
 */
export function unitsOfTrust({ watchers, loans }: ValidatorStore, account: string): number {
  return Math.max(0, watchers.everPaidUnits(account) - loans.owedUnits(account));
}
