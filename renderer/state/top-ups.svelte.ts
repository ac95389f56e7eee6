/**
 * Topping up, from wherever on the screen. What came of it is kept here: the message that asked for it goes away as
 * soon as peers send again, and its answer must not go with it.
 */
import { formatAmount, type TokenAmount } from '../../shared/money.ts';
import type { NodeClient, NodeSnapshot } from '../../shared/rpc.ts';
import { shortAmount } from '../format/amount.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';
import { formatUnits } from '../format/traffic.ts';

export class TopUps {
  readonly #client: NodeClient | null;
  busy = $state(false);
  /** What the last one did, in words, until it is put away. */
  done = $state<string | null>(null);
  failure = $state.raw<ErrorWords | null>(null);

  constructor(client: NodeClient | null) {
    this.#client = client;
  }

  /** Answers whether it arrived. */
  async topUp(amountXat: TokenAmount, before: NodeSnapshot): Promise<boolean> {
    if (this.busy || this.#client === null) return false;
    this.busy = true;
    this.done = null;
    this.failure = null;
    try {
      const after = await this.#client.call('topUp', { amountXat: formatAmount(amountXat) });
      this.done = describe(amountXat, before.credit.usedUnits - after.creditUsedUnits, after.creditUsedUnits);
      return true;
    } catch (error) {
      this.failure = errorWords(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  putAway(): void {
    this.done = null;
    this.failure = null;
  }
}

function describe(amountXat: TokenAmount, repaidUnits: number, owedUnits: number): string {
  const arrived = `${shortAmount(amountXat, 2)} XAT arrived.`;
  if (owedUnits > 0 && repaidUnits <= 0)
    return `${arrived} What you owe is repaid with it by itself, oldest first.`;
  if (repaidUnits <= 0) return arrived;
  const rest = owedUnits > 0 ? `, ${formatUnits(owedUnits)} are still owed.` : '; you owe nobody any more.';
  return `${arrived} It repaid ${formatUnits(repaidUnits)} of credit${rest}`;
}
