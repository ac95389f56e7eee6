/** What went through over a time: asked for when it is looked at, and again while something goes through. */
import type { NodeClient } from '../../shared/rpc/rpc.ts';
import type { TrafficNow, TrafficPeriod, TrafficReport } from '../../shared/rpc/traffic.ts';
import { PeriodReports } from './period-reports.svelte.ts';

const AGAIN_MS = 5_000;

export class TrafficReports extends PeriodReports<TrafficPeriod, TrafficReport> {
  constructor(client: NodeClient) {
    super('today', AGAIN_MS, (period) => client.call('trafficReport', { period }));
  }

  /** Something went through, or nothing: figures that have not changed are not asked for. */
  onTraffic(now: TrafficNow): void {
    const moving = now.downBytesPerSecond + now.upBytesPerSecond + now.overheadBytesPerSecond > 0;
    if (moving && this.isOld) void this.load();
  }
}
