/**
 * Data used, by day of the computer's clock: the meter's figures, added up durably. They are saved every two seconds,
 * every 64 MiB, and at the end, so a kill loses what came since: at most that.
 */
import type { DataTotals } from '../../shared/limits.ts';
import type { DataUsed } from '../db/node/data-used.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Meter, MeterTotals } from '../p2p/meter.ts';
import { dayOf, monthDays } from '../util/local-day.ts';

export const SAVE_EVERY_MS = 2_000;
const SAVE_EVERY_BYTES = 64 * 1_048_576;

export class DataCounter {
  readonly #store: NodeStore;
  readonly #meter: Meter;
  readonly #nowMs: () => number;
  /** The meter's figures up to which everything is saved. */
  #saved: MeterTotals;
  /** The day that what is not saved belongs to. */
  #day: string;
  #dayBytes = 0;
  #monthBytes = 0;

  constructor(store: NodeStore, meter: Meter, nowMs: () => number) {
    this.#store = store;
    this.#meter = meter;
    this.#nowMs = nowMs;
    this.#saved = meter.totals();
    this.#day = dayOf(nowMs());
    this.#load();
  }

  /** Up to this moment. */
  totals(): DataTotals {
    if (dayOf(this.#nowMs()) !== this.#day) this.save();
    const unsaved = sum(this.#unsaved());
    if (unsaved < SAVE_EVERY_BYTES) return this.#plus(unsaved);
    this.save();
    return this.#plus(0);
  }

  /** @throws AceError `StoreFailed`; then nothing is lost, and the next call tries again */
  save(): void {
    const used = this.#unsaved();
    const today = dayOf(this.#nowMs());
    if (sum(used) > 0) {
      const upTo = this.#meter.totals();
      this.#store.commit(() => this.#store.dataUsed.add(this.#day, used));
      this.#saved = upTo;
    } else if (today === this.#day) return;
    this.#day = today;
    this.#load();
  }

  #load(): void {
    const { first, last } = monthDays(this.#nowMs());
    this.#dayBytes = sum(this.#store.dataUsed.between(this.#day, this.#day));
    this.#monthBytes = sum(this.#store.dataUsed.between(first, last));
  }

  #plus(bytes: number): DataTotals {
    return { dayBytes: this.#dayBytes + bytes, monthBytes: this.#monthBytes + bytes };
  }

  #unsaved(): DataUsed {
    const now = this.#meter.totals();
    return {
      downBytes: now.downBytes - this.#saved.downBytes,
      upBytes: now.upBytes - this.#saved.upBytes,
      overheadBytes:
        now.paymentBytes + now.protocolBytes - this.#saved.paymentBytes - this.#saved.protocolBytes,
    };
  }
}

function sum({ downBytes, upBytes, overheadBytes }: DataUsed): number {
  return downBytes + upBytes + overheadBytes;
}
