/** Keeps what traffic cost: a row a minute at most, where something had changed, an hour once it is a week old. */
import type { MarketPoint } from '../../shared/rpc/traffic.ts';
import type { NodeStore } from '../db/node/store.ts';

const EVERY_MS = 60_000;
const FINE_MS = 7 * 86_400_000;

export class MarketLog {
  readonly #store: NodeStore;
  #last: MarketPoint | null = null;

  constructor(store: NodeStore, nowMs: number) {
    this.#store = store;
    store.commit(() => store.marketHistory.thin(nowMs - FINE_MS));
  }

  /** What is heard now. @throws AceError `StoreFailed` */
  note(point: MarketPoint): void {
    const last = this.#last;
    if (last && (point.atMs - last.atMs < EVERY_MS || sameFigures(point, last))) return;
    this.#store.commit(() => this.#store.marketHistory.add(point));
    this.#last = point;
  }

  /** Oldest first, as it is now last. */
  since(atMs: number, now: MarketPoint | null): MarketPoint[] {
    const rows = this.#store.marketHistory.since(atMs).filter((row) => row.atMs !== now?.atMs);
    return now ? [...rows, now] : rows;
  }
}

function sameFigures(a: MarketPoint, b: MarketPoint): boolean {
  return (
    a.xacPerGb === b.xacPerGb &&
    a.xatPerGb === b.xatPerGb &&
    a.xacPerXat === b.xacPerXat &&
    a.trafficRateGbPerHour === b.trafficRateGbPerHour
  );
}
