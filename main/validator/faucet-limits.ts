/** How much a devnet's faucet gives: enough for anyone who tries things, not all of it to the first who asks. */

import { amount, BASE_UNITS_PER_TOKEN, formatAmount, type TokenAmount } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';

export const MAX_TOP_UP: TokenAmount = amount(1_000n * BASE_UNITS_PER_TOKEN);
export const MAX_TOP_UP_PER_DAY: TokenAmount = amount(5_000n * BASE_UNITS_PER_TOKEN);
const DAY_MS = 24 * 3_600_000;

/** In memory: a validator that starts again counts from nothing, which a devnet can live with. */
export class FaucetLimits {
  readonly #nowMs: () => number;
  readonly #given = new Map<string, bigint>();
  #day = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Books what an account asks for. @throws AceError `InvalidAmount`, `TooManyRequests` */
  take(account: string, asked: bigint): void {
    if (asked <= 0n) throw new AceError('InvalidAmount', 'A top-up is more than 0 XAT');
    if (asked > MAX_TOP_UP) {
      const most = formatAmount(MAX_TOP_UP);
      throw new AceError('InvalidAmount', `The faucet gives at most ${most} XAT at once; ask for less`, {
        details: { mostXat: most },
      });
    }
    const day = Math.floor(this.#nowMs() / DAY_MS);
    if (day !== this.#day) this.#given.clear();
    this.#day = day;
    const given = this.#given.get(account) ?? 0n;
    if (given + asked > MAX_TOP_UP_PER_DAY) {
      const [most, left] = [MAX_TOP_UP_PER_DAY, amount(MAX_TOP_UP_PER_DAY - given)].map(formatAmount);
      throw new AceError(
        'TooManyRequests',
        `The faucet gives an account ${most} XAT a day, ${left} XAT are left today; ask for less or come back tomorrow`,
        { details: { mostXatPerDay: most ?? '', leftXat: left ?? '' } },
      );
    }
    this.#given.set(account, given + asked);
  }

  /** Gives back what could not be paid out. */
  giveBack(account: string, asked: bigint): void {
    this.#given.set(account, (this.#given.get(account) ?? asked) - asked);
  }
}
