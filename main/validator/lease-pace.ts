/**
 * How many leases a peer, an address and all strangers together get: each is a row for days. Peers that paid or served before
 * are held to their own pace only; the others share what a shard has for strangers, each address with a little of its own, so
 * that a crowd elsewhere never keeps a household from its first.
 */
import { AceError } from '../../shared/errors.ts';
import { LEASE_RATE } from '../p2p/protocols/shard/constants.ts';
import type { ShardCaller } from '../p2p/protocols/shard/server.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { ADDRESS_LEASE_RATE, STRANGERS_LEASE_RATE } from './limits.ts';

const ALL = 'all';

export class LeasePace {
  readonly #ofPeer: KeyedRateLimiter;
  readonly #ofAddress: KeyedRateLimiter;
  readonly #ofStrangers: KeyedRateLimiter;
  readonly #isProven: (peerId: string) => boolean;

  /** `nowMs` is a clock that nobody sets. */
  constructor(isProven: (peerId: string) => boolean, nowMs: () => number = () => performance.now()) {
    this.#isProven = isProven;
    this.#ofPeer = new KeyedRateLimiter(LEASE_RATE, nowMs);
    this.#ofAddress = new KeyedRateLimiter(ADDRESS_LEASE_RATE, nowMs);
    this.#ofStrangers = new KeyedRateLimiter(STRANGERS_LEASE_RATE, nowMs);
  }

  /** Counts one lease. @throws AceError `TooManyRequests` with `retryAfterMs` */
  take({ peerId, origin }: ShardCaller): void {
    const ofPeer = this.#ofPeer.take(peerId).retryAfterMs;
    if (ofPeer > 0) throw tooMany('The peer asks for more leases than one peer may', ofPeer);
    if (origin === null || this.#isProven(peerId)) return;
    if (this.#ofAddress.take(origin.address).retryAfterMs === 0) return;
    const ofStrangers = this.#ofStrangers.take(ALL).retryAfterMs;
    if (ofStrangers > 0)
      throw tooMany('Peers that never paid ask for more leases than there are', ofStrangers);
  }
}

function tooMany(why: string, retryAfterMs: number): AceError {
  return new AceError('TooManyRequests', why, { details: { retryAfterMs } });
}
