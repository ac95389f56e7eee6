/**
 * Which viewing counts for the traffic rate (docs/economy.md#price): what was watched, once funds have paid for it, at once or
 * as a repayment; units and their time together. So who moves the price pays the fee on every unit of it.
 */
import type { TrafficTotals } from '../../shared/economy/price.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { Watcher } from '../db/validator/watchers.ts';
import { COUNTED_DAY_MS, COUNTED_MS_PER_DAY, COUNTED_UNITS_PER_DAY } from './limits.ts';
import type { Viewing } from './watching.ts';

export interface Counted {
  /** What the batch adds to the network's totals. */
  readonly watched: TrafficTotals;
  /** Rows to write with it. */
  readonly watchers: readonly Watcher[];
}

/** Adds what `viewing` reports to what waits, and counts of that what is paid for. Writes nothing. */
export function countPaid(store: ValidatorStore, viewing: Viewing, nowMs: number): Counted {
  const rows = new Map(store.watchers.countable().map((row) => [row.account, row]));
  for (const [account, { units, ms, untilMs }] of viewing.reported) {
    const row = rows.get(account) ?? store.watchers.get(account);
    if (!row) continue;
    rows.set(account, {
      ...row,
      watchedUntilMs: untilMs,
      waitingUnits: row.waitingUnits + units,
      waitingMs: row.waitingMs + ms,
    });
  }
  const day = Math.floor(nowMs / COUNTED_DAY_MS);
  let watched: TrafficTotals = { videoUnits: 0n, watchMs: 0n };
  const watchers: Watcher[] = [];
  for (const row of rows.values()) {
    const { units, ms, after } = countOne(row, day);
    // One that has to wait for the next day is looked at each time, and written once.
    if (ms > 0 || units > 0 || viewing.reported.has(row.account)) watchers.push(after);
    watched = { videoUnits: watched.videoUnits + BigInt(units), watchMs: watched.watchMs + BigInt(ms) };
  }
  return { watched, watchers };
}

function countOne(reported: Watcher, today: number): { units: number; ms: number; after: Watcher } {
  const row = withoutRefused(reported);
  const { paidUnits, waitingUnits, waitingMs } = row;
  // A clock that is set back begins no day anew.
  const day = Math.max(today, row.day);
  const [dayUnits, dayMs] = row.day === day ? [row.dayUnits, row.dayMs] : [0, 0];
  const leftMs = Math.max(0, COUNTED_MS_PER_DAY - dayMs);
  const units = Math.max(
    0,
    Math.min(
      waitingUnits,
      paidUnits,
      COUNTED_UNITS_PER_DAY - dayUnits,
      share(waitingUnits, leftMs, waitingMs),
    ),
  );
  // Time alone belongs to units that were counted before it was known.
  const ms = waitingUnits === 0 ? Math.min(waitingMs, leftMs) : share(waitingMs, units, waitingUnits);
  const after = {
    ...row,
    paidUnits: paidUnits - units,
    waitingUnits: waitingUnits - units,
    waitingMs: waitingMs - ms,
    day,
    dayUnits: dayUnits + units,
    dayMs: dayMs + ms,
  };
  return { units, ms, after };
}

/**
 * What the chain refused is never paid for, so as much viewing is dropped. Which of the units were viewed is not known: so
 * that refused viewing never counts on the payment of something else, it goes first.
 */
function withoutRefused(row: Watcher): Watcher {
  const { refusedUnits, waitingUnits, waitingMs } = row;
  const units = Math.min(refusedUnits, waitingUnits);
  if (units === 0) return row;
  const ms = share(waitingMs, units, waitingUnits);
  return {
    ...row,
    refusedUnits: refusedUnits - units,
    waitingUnits: waitingUnits - units,
    waitingMs: waitingMs - ms,
  };
}

/** `whole` × `part` ÷ `of`, rounded down; all of it where `part` reaches `of`. */
function share(whole: number, part: number, of: number): number {
  return part >= of ? whole : Number((BigInt(whole) * BigInt(part)) / BigInt(of));
}
