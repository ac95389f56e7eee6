/**
 * Watch time and video traffic that a settlement adds to the network's totals, which set the price of traffic.
 *
 * What a viewer watched cannot be checked, so what is reported is bounded: by the units paid, by what so many units can
 * play, by the life of the lease, and, over all leases of an account together, by the wall clock. However many devices
 * and leases an account has, an hour of them adds at most an hour.
 */
import { MAX_WATCH_MS_PER_UNIT, MIN_WATCH_MS_PER_UNIT } from '../../shared/economy/price.ts';
import { TRAFFIC_UNIT_BYTES } from '../../shared/economy/units.ts';
import type { LeaseRow } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';

/**
 * What a released lease reports waits this long, after the earliest end of its viewing, for its account's clock: reports
 * of several providers do not arrive in the order of the viewing. Not longer, for each that waits is read each time.
 */
export const RELEASED_WAIT_MS = 3_600_000;

export interface Watched {
  /** Of the lease's viewing, what its account's clock had room for, this batch included. */
  readonly videoUnits: number;
  readonly watchMs: number;
  readonly newVideoUnits: number;
  readonly newWatchMs: number;
  /** What is still worth looking at: no more than is credited once the rest can never be. */
  readonly reportedMs: number;
  readonly reportedBytes: number;
  /** Nothing that the lease reports is left to be credited later. */
  readonly whole: boolean;
}

export interface Viewing {
  /** One for each lease, in their order. */
  readonly watched: readonly Watched[];
  /** By account: what is new, and the moment until which its wall clock is used up now, 0 where that did not move. */
  readonly reported: ReadonlyMap<string, Reported>;
}

export interface Reported {
  readonly units: number;
  readonly ms: number;
  readonly untilMs: number;
}

export function viewingOf(store: ValidatorStore, leases: readonly LeaseRow[], nowMs: number): Viewing {
  const startsMs = clockStarts(store, leases);
  const reported = new Map<string, Reported>();
  const watched = leases.map((lease) => {
    const { payer } = lease;
    const so = reported.get(payer) ?? { units: 0, ms: 0, untilMs: startsMs.get(payer) ?? 0 };
    const one = watchedSince(lease, nowMs, Math.max(0, nowMs - so.untilMs));
    if (one.newVideoUnits + one.newWatchMs > 0) {
      reported.set(payer, {
        units: so.units + one.newVideoUnits,
        ms: so.ms + one.newWatchMs,
        untilMs: so.untilMs + one.newWatchMs,
      });
    }
    return one;
  });
  return { watched, reported };
}

/** From where each account's wall clock is free: not before the oldest lease that reports, for it watched no earlier. */
function clockStarts(store: ValidatorStore, leases: readonly LeaseRow[]): Map<string, number> {
  const oldest = new Map<string, number>();
  for (const { payer, leasedAtMs, watchMs, sealedWatchMs } of leases) {
    if (watchMs > sealedWatchMs) oldest.set(payer, Math.min(oldest.get(payer) ?? leasedAtMs, leasedAtMs));
  }
  for (const [payer, leasedAtMs] of oldest) {
    oldest.set(payer, Math.max(leasedAtMs, store.watchers.get(payer)?.watchedUntilMs ?? leasedAtMs));
  }
  return oldest;
}

function watchedSince(lease: LeaseRow, nowMs: number, budgetMs: number): Watched {
  const { sealedVideoUnits, sealedWatchMs } = lease;
  const reportedUnits = Math.min(
    Math.floor(lease.videoBytes / TRAFFIC_UNIT_BYTES),
    lease.claimedUnits,
    Math.floor(lease.watchMs / MIN_WATCH_MS_PER_UNIT),
  );
  const playableMs = Math.min(lease.watchMs, reportedUnits * MAX_WATCH_MS_PER_UNIT);
  const elapsedMs = Math.max(0, Math.min(nowMs, lease.expiresAtMs) - lease.leasedAtMs);
  const wantedMs = Math.max(0, Math.min(playableMs, elapsedMs) - sealedWatchMs);
  const newWatchMs = Math.min(wantedMs, budgetMs);
  const watchMs = sealedWatchMs + newWatchMs;
  // Units go with their time: as many of them as of it. Rounded up, so that no time goes without.
  const videoUnits = Math.max(
    sealedVideoUnits,
    playableMs > 0 ? Math.ceil((reportedUnits * Math.min(watchMs, playableMs)) / playableMs) : 0,
  );
  // What there is no room for until then on its account's clock was never watched.
  const ended = nowMs >= endsAtMs(lease);
  return {
    videoUnits,
    watchMs,
    newVideoUnits: videoUnits - sealedVideoUnits,
    newWatchMs,
    reportedMs: ended ? watchMs : lease.watchMs,
    reportedBytes: ended ? videoUnits * TRAFFIC_UNIT_BYTES : lease.videoBytes,
    whole: ended || watchMs >= playableMs,
  };
}

function endsAtMs({ leasedAtMs, expiresAtMs, watchMs, released }: LeaseRow): number {
  return released === 1 ? Math.min(expiresAtMs, leasedAtMs + watchMs + RELEASED_WAIT_MS) : expiresAtMs;
}
