/** What went through over a time: asked for when it is looked at, and again while something goes through. */
import type { NodeClient } from '../../shared/rpc/rpc.ts';
import type { TrafficNow, TrafficPeriod, TrafficReport } from '../../shared/rpc/traffic.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

const AGAIN_MS = 5_000;

export class TrafficReports {
  readonly #client: NodeClient | null;
  period = $state<TrafficPeriod>('today');
  report = $state.raw<TrafficReport | null>(null);
  error = $state.raw<ErrorWords | null>(null);
  #askedAtMs = 0;

  constructor(client: NodeClient | null) {
    this.#client = client;
  }

  async load(): Promise<void> {
    const { period } = this;
    this.#askedAtMs = Date.now();
    try {
      const report = await this.#client?.call('trafficReport', { period });
      if (report && period === this.period) this.report = report;
      this.error = null;
    } catch (error) {
      this.error = errorWords(error);
    }
  }

  /** Told what goes through: figures that have not changed are not asked for. */
  heard(now: TrafficNow): void {
    const moving = now.downBytesPerSecond + now.upBytesPerSecond + now.overheadBytesPerSecond > 0;
    if (moving && Date.now() - this.#askedAtMs >= AGAIN_MS) void this.load();
  }
}
