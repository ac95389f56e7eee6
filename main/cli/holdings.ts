/** What lies in the two places of an account, as lines of the command line. */
import type { DecimalAmount } from '../../shared/economy/money.ts';
import type { HoldingsView } from '../../shared/rpc/holdings.ts';

/** `0.2000000 XAT, 1.0000000 XAC` */
export function amounts(held: Readonly<Record<string, DecimalAmount>>): string {
  return Object.entries(held)
    .map(([token, amount]) => `${amount} ${token}`)
    .join(', ');
}

export function holdingLines({ main, services }: HoldingsView): [toSpend: string, kept: string] {
  return [`To spend: ${amounts(services)}`, `Kept: ${amounts(main)}`];
}
