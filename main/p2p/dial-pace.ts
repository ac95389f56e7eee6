/**
 * Bounds how often this host knocks where nobody answers as who was named: strangers name most addresses, and could else
 * have all nodes of the network knock at one machine. A dial that ends in a connection costs nothing.
 */
import type { Transport } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import type { DialGuard } from './dial-guard.ts';
import { NAMED_DIAL_RATE, NAMED_DIALS_RATE } from './limits.ts';
import { originOf } from './network-group.ts';

const ALL = '';

export class DialPace {
  readonly #perAddress: KeyedRateLimiter;
  readonly #all: KeyedRateLimiter;

  /** `nowMs` is a clock that nobody sets. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#perAddress = new KeyedRateLimiter(NAMED_DIAL_RATE, nowMs);
    this.#all = new KeyedRateLimiter(NAMED_DIALS_RATE, nowMs);
  }

  /** Whether the place may be dialed now: counts it, if so, until `reached`. */
  takes(place: Multiaddr): boolean {
    const { address } = originOf(place);
    if (this.#all.retryAfterMs(ALL) > 0 || this.#perAddress.take(address).retryAfterMs > 0) return false;
    this.#all.charge(ALL, 1);
    return true;
  }

  /** The peer that was named is there. */
  reached(place: Multiaddr): void {
    this.#all.charge(ALL, -1);
    this.#perAddress.charge(originOf(place).address, -1);
  }
}

/** The transport, which dials no more often than this. What the user named is dialed whenever it is wanted. */
export function paced(transport: Transport, pace: DialPace, guard: DialGuard): Transport {
  const dial = transport.dial.bind(transport);
  transport.dial = async (place, options) => {
    if (guard.isTrusted(place)) return dial(place, options);
    if (!pace.takes(place)) throw new Error('dialed too often for nothing');
    const connection = await dial(place, options);
    pace.reached(place);
    return connection;
  };
  return transport;
}
