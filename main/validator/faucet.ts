/** A devnet's faucet: pays tokens out of an account of genesis, within limits. */
import type { Place } from '../../shared/economy/holdings.ts';
import { amount, type Token } from '../../shared/economy/money.ts';
import { type Account, signOperation } from '../wallet/account.ts';
import { type FaucetClient, FaucetLimits } from './faucet-limits.ts';
import type { Settling, SettlingContext } from './settling.ts';

export interface FaucetContext extends Pick<SettlingContext, 'chain' | 'alone' | 'nowMs'> {
  /** Where it pays from. */
  readonly account: Account;
  readonly settling: Settling;
}

export class Faucet {
  readonly #context: FaucetContext;
  readonly #limits: FaucetLimits;

  constructor(context: FaucetContext) {
    this.#context = context;
    this.#limits = new FaucetLimits(context.nowMs);
  }

  get address(): string {
    return this.#context.account.address;
  }

  /**
   * Pays base units to a place of an account; in services they repay loans first. Resolves with the height of the chain's record.
   * @throws AceError `TooManyRequests`, and as `MainChain.submit`
   */
  pay(to: string, place: Place, token: Token, baseUnits: bigint, client: FaucetClient): Promise<number> {
    const { chain, alone, account, settling } = this.#context;
    return alone(async () => {
      await settling.meetChain();
      this.#limits.take(to, baseUnits, client);
      const { nonce } = await chain.account(account.address);
      const operation = {
        kind: 'transfer' as const,
        from: account.address,
        to,
        token,
        amount: amount(baseUnits),
        place,
        nonce,
      };
      try {
        const receipt = await chain.submit(await signOperation(account, chain.settings(), operation));
        await settling.repay();
        return receipt.height;
      } catch (error) {
        this.#limits.giveBack(to, baseUnits, client);
        throw error;
      }
    });
  }
}
