/**
 * Topping up, from wherever on the screen. What came of it is kept here: the message that asked for it goes away as
 * soon as peers send again, and its answer must not go with it.
 */
import { formatAmount, type TokenAmount } from '../../shared/economy/money.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { NodeClient, NodeSnapshot, Output } from '../../shared/rpc/rpc.ts';
import { shortAmount, withToken } from '../format/amount.ts';
import { type ErrorWords, faucetWords } from '../format/error-words.ts';
import { formatUnits } from '../format/traffic.ts';
import { LatestRequest } from './latest-request.svelte.ts';

/** What a top-up did has been read by then. */
const READ_WITHIN_MS = 60_000;

export class TopUps {
  readonly #request: LatestRequest<Output<'topUp'>, [amountXat: TokenAmount]>;
  #done = $state.raw<(() => string) | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the last one did, in words, until it is put away or was there for a minute. */
  readonly done = $derived(this.#done?.() ?? null);

  constructor(client: NodeClient) {
    this.#request = new LatestRequest(
      (amountXat) => client.call('topUp', { amountXat: formatAmount(amountXat) }),
      faucetWords,
    );
  }

  get busy(): boolean {
    return this.#request.busy;
  }

  get failure(): ErrorWords | null {
    return this.#request.error;
  }

  /** Answers whether it arrived. */
  async topUp(amountXat: TokenAmount, before: NodeSnapshot): Promise<boolean> {
    if (this.busy) return false;
    clearTimeout(this.#timer);
    this.#done = null;
    const after = await this.#request.load(amountXat);
    if (after === null) return false;
    this.arrived(() => withToken(shortAmount(amountXat, 2), 'XAT'), before, after);
    return true;
  }

  /** Something came to what is spent: how much, in the words of the page. */
  arrived(
    amount: () => string,
    before: Pick<NodeSnapshot, 'credit'>,
    after: Pick<Output<'topUp'>, 'creditUsedUnits'>,
  ): void {
    clearTimeout(this.#timer);
    const repaidUnits = before.credit.usedUnits - after.creditUsedUnits;
    this.#done = () => describe(amount(), repaidUnits, after.creditUsedUnits);
    this.#timer = setTimeout(() => this.putAway(), READ_WITHIN_MS);
  }

  putAway(): void {
    clearTimeout(this.#timer);
    this.#done = null;
    this.#request.thrown = null;
  }
}

function describe(amount: string, repaidUnits: number, owedUnits: number): string {
  if (repaidUnits <= 0)
    return owedUnits > 0 ? m.topup_arrived_owing({ amount }) : m.topup_arrived({ amount });
  const repaid = formatUnits(repaidUnits);
  if (owedUnits <= 0) return m.topup_arrived_all({ amount, repaid });
  return m.topup_arrived_part({ amount, repaid, owed: formatUnits(owedUnits) });
}
