/**
 * The limits that the user has set, as they hold at this moment: kept in node.db, read by all that sends, asks or stores.
 * A change counts at once; what the clock or the data used changes is noticed within a second.
 */
import { type Spent, spendingStop } from '../../shared/economy/spending-limit.ts';
import { TRAFFIC_UNIT_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import {
  type DataTotals,
  LIMIT_KEYS,
  type Limits,
  limitsSchema,
  NO_LIMITS,
  rateNow,
  type Stop,
  spendingLimits,
  spendingStopOf,
  stopNow,
} from '../../shared/limits.ts';
import type { Direction } from '../../shared/schedule.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Meter } from '../p2p/meter.ts';
import type { Log } from '../process/log.ts';
import { DataCounter, SAVE_EVERY_MS } from './data-counter.ts';
import type { Spending } from './spending.ts';
import { stopEndsAtMs } from './stop-end.ts';
import { weekMinuteOf } from './wall-clock.ts';

export interface UserLimitsContext {
  readonly store: NodeStore;
  readonly meter: Meter;
  readonly spending: Pick<Spending, 'spent' | 'priceOf'>;
  readonly nowMs: () => number;
  readonly log: Log;
}

const LOOK_EVERY_MS = 1_000;
export const DIRECTIONS = ['download', 'upload'] as const;

export class UserLimits {
  readonly #context: UserLimitsContext;
  readonly #counter: DataCounter;
  readonly #listeners = new Set<() => void>();
  readonly #timers: NodeJS.Timeout[];
  #limits: Limits;
  /** What held when the listeners were notified last. */
  #notified: string;

  /** @throws AceError `DataDirMismatch` when the stored settings are not what this version understands */
  constructor(context: UserLimitsContext) {
    this.#context = context;
    this.#limits = storedLimits(context.store);
    this.#counter = new DataCounter(context.store, context.meter, context.nowMs);
    this.#notified = this.#picture();
    this.#timers = [
      setInterval(() => this.#look(), LOOK_EVERY_MS),
      setInterval(() => this.#save(), SAVE_EVERY_MS),
    ];
  }

  get limits(): Limits {
    return this.#limits;
  }

  get data(): DataTotals {
    return this.#counter.totals();
  }

  get spent(): Spent {
    return this.#context.spending.spent();
  }

  /** Bytes a second that hold now; 0 stops, `null` is no cap. */
  rate(direction: Direction): number | null {
    return rateNow(this.#limits, direction, weekMinuteOf(this.#context.nowMs()));
  }

  /** Why nothing may go this way now; `null` when it may. `aheadBytes` are on their way already. */
  stop(direction: Direction, aheadBytes = 0): Stop | null {
    const at = weekMinuteOf(this.#context.nowMs());
    const stop = stopNow(this.#limits, direction, at, this.data, aheadBytes);
    return stop ?? (direction === 'download' ? this.#spendingStop(aheadBytes) : null);
  }

  /** Of what is bought at once. @throws AceError `TrafficStopped` when that is more than the user lets be spent */
  checkSpending(priceXac: bigint): void {
    const period = spendingStop(spendingLimits(this.#limits), this.spent, priceXac);
    if (period === null) return;
    const most = period === 'day' ? this.#limits.spendPerDayXac : this.#limits.spendPerMonthXac;
    throw new AceError(
      'TrafficStopped',
      `Your settings allow ${most} XAC a ${period} to be spent, and this would be more: raise it to buy this`,
      { details: { reason: spendingStopOf(period, this.#limits).reason } },
    );
  }

  /** What is on its way and one byte more, in whole units as they are paid, has to fit. */
  #spendingStop(aheadBytes: number): Stop | null {
    const limits = spendingLimits(this.#limits);
    if (limits.perDayXac === null && limits.perMonthXac === null) return null;
    const aheadUnits = Math.ceil((aheadBytes + 1) / TRAFFIC_UNIT_BYTES);
    const period = spendingStop(limits, this.spent, this.#context.spending.priceOf(aheadUnits));
    return period && spendingStopOf(period, this.#limits);
  }

  /** How long a stop of this direction lasts, as far as it ends by itself; `null` where it does not. */
  stoppedForMs(direction: Direction): number | null {
    const stop = this.stop(direction);
    const nowMs = this.#context.nowMs();
    const endsAtMs = stop && stopEndsAtMs(stop, this.#limits, nowMs);
    return endsAtMs === null ? null : Math.max(0, endsAtMs - nowMs);
  }

  /** All that stands still. */
  stops(): Stop[] {
    return DIRECTIONS.flatMap((direction) => this.stop(direction) ?? []);
  }

  /** Sets what is given and keeps the rest. @throws AceError `StoreFailed`; then nothing has changed */
  set(changes: { readonly [K in keyof Limits]?: Limits[K] | undefined }): Limits {
    const given = LIMIT_KEYS.filter((key) => changes[key] !== undefined);
    const { store } = this.#context;
    store.commit(() => {
      for (const key of given) store.userSettings.set(key, changes[key]);
    });
    this.#limits = storedLimits(store);
    this.#notify();
    return this.#limits;
  }

  /** `listener` is called whenever other limits may hold. The answer ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Saves what was counted. @throws AceError `StoreFailed` */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#listeners.clear();
    this.#counter.save();
  }

  #look(): void {
    if (this.#picture() !== this.#notified) this.#notify();
  }

  #notify(): void {
    this.#notified = this.#picture();
    for (const listener of this.#listeners) listener();
  }

  #save(): void {
    try {
      this.#counter.save();
    } catch (error) {
      this.#context.log.error({ err: error }, 'the data used could not be saved; it is tried again');
    }
  }

  #picture(): string {
    return JSON.stringify([DIRECTIONS.map((direction) => this.rate(direction)), this.stops()]);
  }
}

function storedLimits(store: NodeStore): Limits {
  const stored = store.userSettings.all();
  const known = LIMIT_KEYS.filter((key) => key in stored).map((key) => [key, stored[key]]);
  const checked = limitsSchema.safeParse({ ...NO_LIMITS, ...Object.fromEntries(known) });
  if (checked.success) return checked.data;
  const field = checked.error.issues[0]?.path.join('.') ?? 'a setting';
  throw new AceError(
    'DataDirMismatch',
    `node.db has settings that this Ace Node does not understand: ${field}`,
    {
      cause: checked.error,
    },
  );
}
