/** How much a devnet's faucet gives: enough for anyone who tries things, not all of it to the first who asks. */

import { amount, BASE_UNITS_PER_TOKEN, formatAmount, type TokenAmount } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';

export const MAX_TOP_UP: TokenAmount = amount(1_000n * BASE_UNITS_PER_TOKEN);
export const MAX_TOP_UP_PER_DAY: TokenAmount = amount(5_000n * BASE_UNITS_PER_TOKEN);
/** For all accounts that one client names: a tester tops up several. */
export const MAX_TOP_UP_PER_CLIENT_AND_DAY: TokenAmount = amount(20_000n * BASE_UNITS_PER_TOKEN);
/** For all clients of one address: a household, a class room. */
export const MAX_TOP_UP_PER_ADDRESS_AND_DAY: TokenAmount = amount(50_000n * BASE_UNITS_PER_TOKEN);
const DAY_MS = 24 * 3_600_000;

/** Who asks: accounts cost nothing, so what one client gets for many of them counts, and what one address gets. */
export interface FaucetClient {
  readonly peerId: string;
  /** `null` on a devnet of one's own, where everybody has the one address. */
  readonly address: string | null;
}

/** In memory: a validator that starts again counts from nothing, which a devnet can live with. */
export class FaucetLimits {
  readonly #nowMs: () => number;
  /** Of accounts, clients and addresses, which never look alike. */
  readonly #given = new Map<string, bigint>();
  #day = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Books what a client asks for an account. @throws AceError `InvalidAmount`, `TooManyRequests` */
  take(account: string, asked: bigint, client: FaucetClient | null = null): void {
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
    const shares = sharesOf(account, client);
    for (const { name, whose, perDay } of shares) {
      const given = this.#given.get(name) ?? 0n;
      if (given + asked <= perDay) continue;
      const [most, left] = [perDay, amount(perDay - given)].map(formatAmount);
      throw new AceError(
        'TooManyRequests',
        `The faucet gives ${whose} ${most} XAT a day, ${left} XAT are left today; ask for less or come back tomorrow`,
        { details: { mostXatPerDay: most ?? '', leftXat: left ?? '' } },
      );
    }
    for (const { name } of shares) this.#given.set(name, (this.#given.get(name) ?? 0n) + asked);
  }

  /** Gives back what could not be paid out. */
  giveBack(account: string, asked: bigint, client: FaucetClient | null = null): void {
    for (const { name } of sharesOf(account, client)) {
      this.#given.set(name, (this.#given.get(name) ?? asked) - asked);
    }
  }
}

interface Share {
  readonly name: string;
  readonly whose: string;
  readonly perDay: TokenAmount;
}

function sharesOf(account: string, client: FaucetClient | null): Share[] {
  const ofAccount = { name: account, whose: 'an account', perDay: MAX_TOP_UP_PER_DAY };
  if (!client) return [ofAccount];
  const ofClient = { name: client.peerId, whose: 'one client', perDay: MAX_TOP_UP_PER_CLIENT_AND_DAY };
  if (client.address === null) return [ofAccount, ofClient];
  const perDay = MAX_TOP_UP_PER_ADDRESS_AND_DAY;
  return [ofAccount, ofClient, { name: client.address, whose: 'one address', perDay }];
}
