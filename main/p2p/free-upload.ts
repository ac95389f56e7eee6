/**
 * What is sent for nothing beside pieces: transport files and the records of broadcasts. One peer is bounded by its own rates, but a
 * fresh identity costs nothing, so all strangers together are bounded as well, and each network of them. An account that has
 * paid has as much a day, over all its devices, as it paid for in all; what is beyond counts as strangers'.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import { TRAFFIC_UNIT_BYTES } from '../../shared/economy/units.ts';
import type { BucketRate } from '../../shared/token-bucket.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { isStranger } from './eviction.ts';
import { type Standing, standingOf } from './peer-standing.ts';

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
/** In millionths of what the account may have in a day. */
const PAID_RATE: BucketRate = { perSecond: 1_000_000 / 86_400, burst: 1_000_000 };

export class FreeUpload {
  readonly #context: FreeUploadContext;
  readonly #ofGroup: KeyedRateLimiter;
  readonly #ofAll: KeyedRateLimiter;
  readonly #ofPaid: KeyedRateLimiter;

  constructor(context: FreeUploadContext) {
    const { rates, nowMs } = context;
    this.#context = context;
    this.#ofGroup = new KeyedRateLimiter(rates.group, nowMs);
    this.#ofAll = new KeyedRateLimiter(rates.all, nowMs);
    this.#ofPaid = new KeyedRateLimiter(PAID_RATE, nowMs);
  }

  /** Milliseconds after which the peer may ask again; 0: now. */
  retryAfterMs(connection: Connection): number {
    const group = this.#groupOf(connection);
    if (group === null || this.#paidShareOf(connection)) return 0;
    return Math.max(this.#ofGroup.retryAfterMs(group), this.#ofAll.retryAfterMs(ALL));
  }

  /** The peer was sent so much. */
  charge(connection: Connection, bytes: number): void {
    const group = this.#groupOf(connection);
    if (group === null || bytes === 0) return;
    const share = this.#paidShareOf(connection);
    if (share) {
      this.#ofPaid.charge(share.account, (bytes / share.bytesADay) * PAID_RATE.burst);
      return;
    }
    this.#ofGroup.charge(group, bytes);
    this.#ofAll.charge(ALL, bytes);
  }

  /** `null` for who has paid nothing and was of use lately, as this account's own devices are. */
  #groupOf(connection: Connection): string | null {
    const standing = this.#standingOf(connection);
    if (standing.paidUnits === 0 && !isStranger(standing, performance.now())) return null;
    return this.#context.originOf(connection);
  }

  /** What the account of the peer may have because it paid; `null` when it paid nothing, or has had all of it. */
  #paidShareOf(connection: Connection): { readonly account: string; readonly bytesADay: number } | null {
    const { paidUnits, account } = this.#standingOf(connection);
    if (paidUnits === 0 || this.#ofPaid.retryAfterMs(account) > 0) return null;
    return { account, bytesADay: paidUnits * TRAFFIC_UNIT_BYTES };
  }

  #standingOf(connection: Connection): Standing {
    return standingOf(this.#context.host).of(connection.remotePeer.toString());
  }
}
