/** Which accounts have shown that they pay: credit is free, and so are accounts. */
import type { ValidatorStore } from '../db/validator/store.ts';

/** One that has paid as much as it owes, and as was refused it, has had no more for nothing than it paid for. */
export function isKnownPayer(store: ValidatorStore, account: string): boolean {
  const everPaidUnits = store.watchers.everPaidUnits(account);
  return everPaidUnits > 0 && everPaidUnits >= unpaidUnits(store, account);
}

/**
 * Units that an account has paid beyond what it has not: so many more are treated as a payer's, so for each unit that its
 * funds paid, an attacker gets one more.
 */
export function unitsOfTrust(store: ValidatorStore, account: string): number {
  const everPaidUnits = store.watchers.everPaidUnits(account);
  return everPaidUnits === 0 ? 0 : Math.max(0, everPaidUnits - unpaidUnits(store, account));
}

/** What it owes, and what the main chain refused: nobody will ever be paid for that. */
function unpaidUnits({ watchers, loans }: ValidatorStore, account: string): number {
  return loans.owedUnits(account) + watchers.everRefusedUnits(account);
}
