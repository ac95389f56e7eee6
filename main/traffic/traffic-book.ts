/**
 * Traffic as pages show it: what goes through now, and what went through by hour and by day, with whom and of what. What
 * goes through now, and overhead, are the meter's, taken every second; overhead is saved every few seconds, so a kill loses
 * that much of a chart. Content is in the books already, with its piece.
 */
import type { TrafficNow, TrafficPeriod, TrafficReport } from '../../shared/rpc/traffic.ts';
import type { DataUsed } from '../db/node/data-used.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Flow, Meter, MeterTotals } from '../p2p/meter.ts';
import type { Log } from '../process/log.ts';
import { dayOf, monthDays, startOfDay } from '../util/local-day.ts';

export interface TrafficBookContext {
  readonly store: NodeStore;
  readonly meter: Meter;
  readonly nowMs: () => number;
  readonly log: Log;
}

const TAKE_EVERY_MS = 1_000;
const SAVE_EVERY_MS = 5_000;
/** Seconds that a speed is taken over. */
const WINDOW = 3;
const MOST_PEERS_NOW = 20;
const MOST_TITLES_NOW = 100;
const MOST_ROWS = 200;
const FIRST_DAY = '0000-00-00';

interface Second {
  readonly flows: readonly Flow[];
  readonly overheadBytes: number;
}

type DataUsedDay = DataUsed & { readonly day: string };

interface Speed {
  readonly key: string;
  /** Accounts that something was sent to. */
  readonly viewers: number;
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
}

export class TrafficBook {
  readonly #context: TrafficBookContext;
  readonly #timers: NodeJS.Timeout[];
  /** The last few seconds, oldest first. */
  #seconds: Second[] = [];
  /** Overhead since this state of the meter is not saved yet. */
  #saved: MeterTotals;
  #taken: MeterTotals;

  constructor(context: TrafficBookContext) {
    this.#context = context;
    this.#saved = context.meter.totals();
    this.#taken = this.#saved;
    this.#timers = [
      setInterval(() => this.#tryTake(), TAKE_EVERY_MS),
      setInterval(() => this.#trySave(), SAVE_EVERY_MS),
    ];
  }

  now(): TrafficNow {
    const today = dayOf(this.#context.nowMs());
    const overhead = this.#seconds.reduce((sum, { overheadBytes }) => sum + overheadBytes, 0);
    return {
      atMs: this.#context.nowMs(),
      ...this.#context.meter.rates(),
      overheadBytesPerSecond: Math.round(overhead / WINDOW),
      today: this.#context.store.traffic.sums(today, today),
      peers: fastest(this.#seconds, ({ account }) => account, MOST_PEERS_NOW).map(
        ({ key, viewers: _, ...rates }) => ({ account: key, ...rates }),
      ),
      contents: fastest(this.#seconds, ({ contentId }) => contentId, MOST_TITLES_NOW).map(
        ({ key, ...rates }) => ({
          contentId: key,
          name: this.#nameOf(key),
          sentBytes: this.#sentBytesOf(key),
          ...rates,
        }),
      ),
    };
  }

  /** Up to this moment. @throws AceError `StoreFailed` */
  report(period: TrafficPeriod): TrafficReport {
    this.#take();
    this.save();
    const { store, nowMs } = this.#context;
    const today = dayOf(nowMs());
    const firstDay = { today, month: monthDays(nowMs()).first, all: FIRST_DAY }[period];
    const hours = period === 'today' ? store.traffic.hoursSince(startOfDay(today)) : null;
    const days = hours === null ? this.#days(firstDay) : [];
    const split = (pick: (hour: MeterTotals) => number) =>
      hours?.reduce((sum, hour) => sum + pick(hour), 0) ?? null;
    return {
      period,
      bars: hours
        ? hours.map(({ hourMs, downBytes, upBytes, paymentBytes, protocolBytes }) => ({
            atMs: hourMs,
            downBytes,
            upBytes,
            overheadBytes: paymentBytes + protocolBytes,
          }))
        : days.map(({ day, ...bytes }) => ({ atMs: startOfDay(day), ...bytes })),
      paymentBytes: split(({ paymentBytes }) => paymentBytes),
      protocolBytes: split(({ protocolBytes }) => protocolBytes),
      peers: store.traffic
        .byAccount(firstDay, MOST_ROWS)
        .map(({ key, ...bytes }) => ({ account: key, ...bytes })),
      contents: store.traffic
        .byContent(firstDay, MOST_ROWS)
        .map(({ key, ...bytes }) => ({ contentId: key, name: this.#nameOf(key), ...bytes })),
    };
  }

  /** @throws AceError `StoreFailed`; then nothing is lost, and the next call tries again */
  save(): void {
    const { store, nowMs } = this.#context;
    const upTo = this.#taken;
    const { paymentBytes, protocolBytes } = difference(upTo, this.#saved);
    if (paymentBytes + protocolBytes === 0) return;
    store.traffic.addOverhead({ paymentBytes, protocolBytes }, nowMs());
    this.#saved = upTo;
  }

  /** @throws AceError `StoreFailed` */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#take();
    this.save();
  }

  #take(): void {
    const { meter } = this.#context;
    const totals = meter.totals();
    const { paymentBytes, protocolBytes } = difference(totals, this.#taken);
    const flows = meter.takeFlows().map((flow) => ({ ...flow, contentId: this.#contentOf(flow.contentId) }));
    this.#taken = totals;
    this.#seconds = [
      ...this.#seconds.slice(1 - WINDOW),
      { flows, overheadBytes: paymentBytes + protocolBytes },
    ];
  }

  /** Content as it was booked, overhead as it was counted; oldest first. */
  #days(firstDay: string): DataUsedDay[] {
    const { traffic, dataUsed } = this.#context.store;
    const days = new Map<string, DataUsedDay>(
      traffic.days(firstDay).map((booked) => [booked.day, { ...booked, overheadBytes: 0 }] as const),
    );
    for (const { day, overheadBytes } of dataUsed.daysSince(firstDay)) {
      const { downBytes, upBytes } = days.get(day) ?? { downBytes: 0, upBytes: 0 };
      days.set(day, { day, downBytes, upBytes, overheadBytes });
    }
    return [...days.values()].toSorted((a, b) => (a.day < b.day ? -1 : 1));
  }

  /** Names of contents come from the store, which may be damaged: no reason to end the process. */
  #tryTake(): void {
    try {
      this.#take();
    } catch (error) {
      this.#context.log.error({ err: error }, 'figures of traffic could not be taken; it is tried again');
    }
  }

  #trySave(): void {
    try {
      this.save();
    } catch (error) {
      this.#context.log.error({ err: error }, 'figures of traffic could not be saved; it is tried again');
    }
  }

  /** A segment's traffic is its broadcast's. */
  #contentOf(contentId: string): string {
    return this.#context.store.liveRecords.broadcastOf(contentId) ?? contentId;
  }

  #sentBytesOf(contentId: string): number {
    const { contents, broadcasts } = this.#context.store;
    return (contents.get(contentId) ?? broadcasts.get(contentId))?.upBytes ?? 0;
  }

  #nameOf(contentId: string): string | null {
    const { contents, broadcasts } = this.#context.store;
    return contents.file(contentId)?.name ?? broadcasts.get(contentId)?.name ?? null;
  }
}

function fastest(seconds: readonly Second[], keyOf: (flow: Flow) => string, most: number): Speed[] {
  const sums = new Map<string, Flow>();
  const viewers = new Map<string, Set<string>>();
  for (const flow of seconds.flatMap(({ flows }) => flows)) {
    const key = keyOf(flow);
    merge(sums, key, flow);
    if (flow.upBytes > 0) viewers.set(key, (viewers.get(key) ?? new Set()).add(flow.account));
  }
  return [...sums]
    .map(([key, { downBytes, upBytes }]) => ({
      key,
      viewers: viewers.get(key)?.size ?? 0,
      downBytesPerSecond: Math.round(downBytes / WINDOW),
      upBytesPerSecond: Math.round(upBytes / WINDOW),
    }))
    .toSorted((a, b) => total(b) - total(a))
    .slice(0, most);
}

function total({ downBytesPerSecond, upBytesPerSecond }: Speed): number {
  return downBytesPerSecond + upBytesPerSecond;
}

function merge(sums: Map<string, Flow>, key: string, flow: Flow): void {
  const sum = sums.get(key);
  if (sum) {
    sum.downBytes += flow.downBytes;
    sum.upBytes += flow.upBytes;
  } else sums.set(key, { ...flow });
}

function difference(now: MeterTotals, before: MeterTotals): MeterTotals {
  return {
    downBytes: now.downBytes - before.downBytes,
    upBytes: now.upBytes - before.upBytes,
    paymentBytes: now.paymentBytes - before.paymentBytes,
    protocolBytes: now.protocolBytes - before.protocolBytes,
  };
}
