/** What went through over a time: asked for when it is looked at, and again while something goes through. */
import type { NodeClient } from '../../shared/rpc/rpc.ts';
import type { TrafficNow, TrafficPeriod, TrafficReport } from '../../shared/rpc/traffic.ts';
import type { ErrorWords } from '../format/error-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

const AGAIN_MS = 5_000;

export class TrafficReports {
  readonly #request: LatestRequest<TrafficReport>;
  period = $state<TrafficPeriod>('today');
  #askedAtMs = 0;

  constructor(client: NodeClient) {
    this.#request = new LatestRequest(() => client.call('trafficReport', { period: this.period }));
  }

  get report(): TrafficReport | null {
    return this.#request.data;
  }

  get error(): ErrorWords | null {
    return this.#request.error;
  }

  async load(): Promise<void> {
    this.#askedAtMs = Date.now();
    await this.#request.refresh();
  }

  /** Something went through, or nothing: figures that have not changed are not asked for. */
  onTraffic(now: TrafficNow): void {
    const moving = now.downBytesPerSecond + now.upBytesPerSecond + now.overheadBytesPerSecond > 0;
    if (moving && Date.now() - this.#askedAtMs >= AGAIN_MS) void this.load();
  }
}
