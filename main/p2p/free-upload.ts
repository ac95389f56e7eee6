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
const SECONDS_A_DAY = 86_400;

/** What an account may have because it paid. */
interface PaidShare {
  readonly account: string;
  readonly rate: BucketRate;
}

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
    this.#ofPaid = new KeyedRateLimiter(dailyBytes(0), nowMs);
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
      this.#ofPaid.charge(share.account, bytes, share.rate);
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

  /** `null` for an account that paid nothing, or has had all that it may have. */
  #paidShareOf(connection: Connection): PaidShare | null {
    const { paidUnits, account } = this.#standingOf(connection);
    const rate = dailyBytes(paidUnits);
    return paidUnits === 0 || this.#ofPaid.retryAfterMs(account, rate) > 0 ? null : { account, rate };
  }

  #standingOf(connection: Connection): Standing {
    return standingOf(this.#context.host).of(connection.remotePeer.toString());
  }
}

function dailyBytes(units: number): BucketRate {
  const burst = units * TRAFFIC_UNIT_BYTES;
  return { burst, perSecond: burst / SECONDS_A_DAY };
}
