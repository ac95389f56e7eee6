import { AceError } from '../../shared/errors.ts';
import { parseAmount } from '../../shared/money.ts';
import type { NodeConfig } from '../config.ts';
import { openSession } from './session.ts';

/** `ace-node topup AMOUNT`: XAT from the devnet's faucet; loans are repaid by themselves. */
export async function topUpCommand(config: NodeConfig, amountXat: string): Promise<void> {
  if (parseAmount(amountXat) === 0n) throw new AceError('InvalidAmount', 'The amount must be more than 0');
  const session = await openSession(config);
  try {
    const before = await session.call('snapshot', {});
    const { balances, creditUsedUnits } = await session.call('topUp', { amountXat });
    const repaidUnits = Math.max(0, before.credit.usedUnits - creditUsedUnits);
    const lines = [`Topped up ${amountXat} XAT from the devnet's faucet (play money).`];
    if (repaidUnits > 0)
      lines.push(`Loans repaid: ${repaidUnits} MiB, with ${creditUsedUnits} MiB still owed.`);
    lines.push(`Balance: ${balances.XAT} XAT, ${balances.XAC} XAC.`);
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await session.close();
  }
}
