/** Which accounts have shown that they pay: credit is free, and so are accounts. */
import type { ValidatorStore } from '../db/validator/store.ts';

/**
 * One that has paid as much as it owes has had no more on credit than it paid for: so for each unit that its funds paid, an
 * attacker gets at most one more treated as a payer's.
 */
export function isKnownPayer({ watchers, loans }: ValidatorStore, account: string): boolean {
  const everPaidUnits = watchers.everPaidUnits(account);
  return everPaidUnits > 0 && everPaidUnits >= loans.owedUnits(account);
}
