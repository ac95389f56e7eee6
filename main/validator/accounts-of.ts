import type { ChainAccount } from '../../shared/chain.ts';
import type { MainChain } from '../chain/port.ts';

/** Asked for at once: a chain in another process answers them in one round trip's time. */
const AT_ONCE = 64;

/** Accounts of the chain in the order of their addresses here; no more are asked for than are taken and a few. */
export async function* accountsOf(
  chain: MainChain,
  addresses: readonly string[],
): AsyncGenerator<ChainAccount> {
  for (let from = 0; from < addresses.length; from += AT_ONCE) {
    yield* await Promise.all(addresses.slice(from, from + AT_ONCE).map((address) => chain.account(address)));
  }
}
