/** What sharing brought in a time: asked for when it is looked at, and again when something of it has changed. */
import type { NodeClient, NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { SharingPeriod, SharingReport } from '../../shared/rpc/sharing.ts';
import type { ErrorWords } from '../format/error-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

const AGAIN_MS = 2_000;

export class SharingReports {
  readonly #request: LatestRequest<SharingReport>;
  period = $state<SharingPeriod>('week');
  #askedAtMs = 0;
  #askedFor = '';

  constructor(client: NodeClient) {
    this.#request = new LatestRequest(() => client.call('sharing', { period: this.period }));
  }

  get report(): SharingReport | null {
    return this.#request.data;
  }

  get error(): ErrorWords | null {
    return this.#request.error;
  }

  async load(): Promise<void> {
    this.#askedAtMs = Date.now();
    await this.#request.refresh();
  }

  /** Looks every second whether the figures are others by now: those that have not changed are not asked for. */
  onSecond({ traffic, pending, settlementCount, price }: NodeSnapshot): void {
    const state = [traffic.upBytes, pending.earnedUnits, settlementCount, price?.exact.xacPerUnit].join();
    if (state === this.#askedFor || Date.now() - this.#askedAtMs < AGAIN_MS) return;
    this.#askedFor = state;
    void this.load();
  }
}
