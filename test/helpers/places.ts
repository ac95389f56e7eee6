/** An account's owner who moves what it has to where the next thing takes it from. */
import type { MainChain } from '../../main/chain/port.ts';
import { type Account, signOperation } from '../../main/wallet/account.ts';
import { type Place, SERVICES_TOKENS } from '../../shared/economy/holdings.ts';

/** Moves all that services can hold to one place. Fails while loans are owed and something lies in services. */
export async function gather(chain: MainChain, owner: Account, to: Place): Promise<void> {
  const from = to === 'main' ? 'services' : 'main';
  for (const token of SERVICES_TOKENS) {
    const account = await chain.account(owner.address);
    const amount = account[from][token];
    if (amount === 0n) continue;
    const kind = to === 'main' ? ('withdraw' as const) : ('deposit' as const);
    const operation = { kind, from: owner.address, token, amount, nonce: account.nonce };
    await chain.submit(await signOperation(owner, chain.settings(), operation));
  }
}
