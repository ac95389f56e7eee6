/**
 * What is sent to strangers for nothing beside pieces: transport files and the records of broadcasts. One peer is bounded by
 * its own rates, but a fresh identity costs nothing, so all strangers together are bounded as well, and each network of them.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import type { BucketRate } from '../../shared/token-bucket.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { isStranger } from './eviction.ts';
import { standingOf } from './peer-standing.ts';

/** Bytes. */
export interface FreeUploadRates {
  /** Of strangers whose addresses are close to each other. */
  readonly group: BucketRate;
  readonly all: BucketRate;
}

export interface FreeUploadContext {
  readonly host: Pick<Libp2p, 'services'>;
  readonly rates: FreeUploadRates;
  /** Where a peer comes from; `null`: it is no stranger. */
  readonly originOf: (connection: Connection) => string | null;
  /** A clock that nobody sets. */
  readonly nowMs: () => number;
}

const ALL = '';

export class FreeUpload {
  readonly #context: FreeUploadContext;
  readonly #ofGroup: KeyedRateLimiter;
  readonly #ofAll: KeyedRateLimiter;

  constructor(context: FreeUploadContext) {
    const { rates, nowMs } = context;
    this.#context = context;
    this.#ofGroup = new KeyedRateLimiter(rates.group, nowMs);
    this.#ofAll = new KeyedRateLimiter(rates.all, nowMs);
  }

  /** Milliseconds after which the peer may ask again; 0: now. */
  retryAfterMs(connection: Connection): number {
    const group = this.#groupOf(connection);
    if (group === null) return 0;
    return Math.max(this.#ofGroup.retryAfterMs(group), this.#ofAll.retryAfterMs(ALL));
  }

  /** The peer was sent so much. */
  charge(connection: Connection, bytes: number): void {
    const group = this.#groupOf(connection);
    if (group === null || bytes === 0) return;
    this.#ofGroup.charge(group, bytes);
    this.#ofAll.charge(ALL, bytes);
  }

  /** Who has paid, or was of use lately, is no stranger. */
  #groupOf(connection: Connection): string | null {
    const { host, originOf } = this.#context;
    const standing = standingOf(host).of(connection.remotePeer.toString());
    return isStranger(standing, performance.now()) ? originOf(connection) : null;
  }
}
