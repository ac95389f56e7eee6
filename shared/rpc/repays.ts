import { formatAmount, parseAmount } from '../economy/money.ts';
import type { OperationQuoteView } from './wallet.ts';

export type Repays = OperationQuoteView['repays'];

/** Whom one owes several loans is named once, where the first of them stands, with the sum of all. */
export function byCreditor(repays: Repays): Repays {
  return [...Map.groupBy(repays, ({ creditor }) => creditor)].map(([creditor, loans]) => {
    const units = (pick: (loan: Repays[number]) => number) =>
      loans.reduce((sum, loan) => sum + pick(loan), 0);
    const amount = (pick: (loan: Repays[number]) => string) =>
      formatAmount(loans.reduce((sum, loan) => sum + parseAmount(pick(loan)), 0n));
    return {
      creditor,
      units: units((loan) => loan.units),
      stillOwedUnits: units((loan) => loan.stillOwedUnits),
      costXac: amount((loan) => loan.costXac),
      fromXac: amount((loan) => loan.fromXac),
      fromXat: amount((loan) => loan.fromXat),
      fromXas: amount((loan) => loan.fromXas),
    };
  });
}
