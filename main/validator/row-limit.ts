/** Counts what a peer is told in rows, which is what they cost: a request may be for one of them or for five hundred. */
import { AceError } from '../../shared/errors.ts';
import type { ShardCaller } from '../p2p/protocols/shard/server.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { ROWS_RATE } from './limits.ts';

export class RowLimit {
  readonly #rows: KeyedRateLimiter;

  /** `nowMs` is a clock that nobody sets. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#rows = new KeyedRateLimiter(ROWS_RATE, nowMs);
  }

  /** The answer, whose rows are counted. @throws AceError `TooManyRequests` with `retryAfterMs` */
  async told<T extends { readonly rows: readonly unknown[] }>(
    { peerId, origin }: ShardCaller,
    tell: () => Promise<T>,
  ): Promise<T> {
    const names = origin ? [peerId, origin.address] : [peerId];
    const retryAfterMs = Math.max(...names.map((name) => this.#rows.retryAfterMs(name)));
    if (retryAfterMs > 0) {
      throw new AceError('TooManyRequests', 'The peer asks for more rows than one peer may', {
        details: { retryAfterMs },
      });
    }
    const answer = await tell();
    for (const name of names) this.#rows.charge(name, answer.rows.length);
    return answer;
  }
}
