/** What sharing brought in a time: asked for when it is looked at, and again when something of it has changed. */
import type { NodeClient, NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { SharingPeriod, SharingReport } from '../../shared/rpc/sharing.ts';
import { PeriodReports } from './period-reports.svelte.ts';

const AGAIN_MS = 2_000;

export class SharingReports extends PeriodReports<SharingPeriod, SharingReport> {
  #askedFor = '';

  constructor(client: NodeClient) {
    super('week', AGAIN_MS, (period) => client.call('sharing', { period }));
  }

  /** Looks every second whether the figures are others by now: those that have not changed are not asked for. */
  onSecond({ traffic, pending, settlementCount, price }: NodeSnapshot): void {
    const state = [traffic.upBytes, pending.earnedUnits, settlementCount, price?.exact.xacPerUnit].join();
    if (state === this.#askedFor || !this.isOld) return;
    this.#askedFor = state;
    void this.load();
  }
}
