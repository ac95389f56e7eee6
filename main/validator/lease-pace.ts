/**
 * How many leases a peer, an address and all strangers together get: each is a row for days. Peers that paid or served before
 * get as many a day as units were paid with them; the others, and what is beyond, share what a shard has for strangers, each
 * address with a little of its own, within what its network has, so that a crowd elsewhere never keeps a household from its first.
 */
import { AceError } from '../../shared/errors.ts';
import type { Origin } from '../p2p/network-group.ts';
import { LEASE_RATE } from '../p2p/protocols/shard/constants.ts';
import type { ShardCaller } from '../p2p/protocols/shard/server.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { ADDRESS_LEASE_RATE, GROUP_LEASE_RATE, PAID_LEASE_RATE, STRANGERS_LEASE_RATE } from './limits.ts';

const ALL = 'all';

export class LeasePace {
  readonly #ofPeer: KeyedRateLimiter;
  readonly #ofAddress: KeyedRateLimiter;
  readonly #ofGroup: KeyedRateLimiter;
  readonly #ofStrangers: KeyedRateLimiter;
  readonly #ofPaid: KeyedRateLimiter;
  readonly #paidUnitsOf: (peerId: string) => number;

  /** `paidUnitsOf`: what was paid between a peer and others. `nowMs` is a clock that nobody sets. */
  constructor(paidUnitsOf: (peerId: string) => number, nowMs: () => number = () => performance.now()) {
    this.#paidUnitsOf = paidUnitsOf;
    this.#ofPaid = new KeyedRateLimiter(PAID_LEASE_RATE, nowMs);
    this.#ofPeer = new KeyedRateLimiter(LEASE_RATE, nowMs);
    this.#ofAddress = new KeyedRateLimiter(ADDRESS_LEASE_RATE, nowMs);
    this.#ofGroup = new KeyedRateLimiter(GROUP_LEASE_RATE, nowMs);
    this.#ofStrangers = new KeyedRateLimiter(STRANGERS_LEASE_RATE, nowMs);
  }

  /** Counts one lease. @throws AceError `TooManyRequests` with `retryAfterMs` */
  take({ peerId, origin }: ShardCaller): void {
    const ofPeer = this.#ofPeer.take(peerId).retryAfterMs;
    if (ofPeer > 0) throw tooMany('The peer asks for more leases than one peer may', ofPeer);
    if (origin === null) return;
    const paidUnits = this.#paidUnitsOf(peerId);
    if (paidUnits > 0 && this.#ofPaid.take(peerId, PAID_LEASE_RATE.burst / paidUnits).retryAfterMs === 0)
      return;
    if (this.#takesOwn(origin)) return;
    const ofStrangers = this.#ofStrangers.take(ALL).retryAfterMs;
    if (ofStrangers > 0)
      throw tooMany('Peers that paid little ask for more leases than there are', ofStrangers);
  }

  /** Whether the address has one of its own left: an owner of many addresses has no more than its network. */
  #takesOwn({ address, group }: Origin): boolean {
    if (this.#ofGroup.retryAfterMs(group) > 0 || this.#ofAddress.take(address).retryAfterMs > 0) return false;
    this.#ofGroup.charge(group, 1);
    return true;
  }
}

function tooMany(why: string, retryAfterMs: number): AceError {
  return new AceError('TooManyRequests', why, { details: { retryAfterMs } });
}
