import { parseAmount } from '../../shared/economy/money.ts';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';

/** Whether there is anything to pay with. Without, everything that arrives is on credit, and the words must say so. */
export function hasFunds({ balances }: Pick<NodeSnapshot, 'balances'>): boolean {
  return [balances.XAC, balances.XAT, balances.XAS].some((value) => parseAmount(value) > 0n);
}
