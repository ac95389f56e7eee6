/** What is known of the network beyond the snapshot: asked for when it is looked at, and when something changed. */
import type { NodeClient } from '../../shared/rpc/rpc.ts';
import type { NetworkView, PoolsView } from '../../shared/rpc/traffic.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

export class NetworkState {
  readonly #client: NodeClient | null;
  view = $state.raw<NetworkView | null>(null);
  error = $state.raw<ErrorWords | null>(null);
  pools = $state.raw<PoolsView | null>(null);
  poolsError = $state.raw<ErrorWords | null>(null);

  constructor(client: NodeClient | null) {
    this.#client = client;
  }

  async load(): Promise<void> {
    try {
      this.view = (await this.#client?.call('network', {})) ?? null;
      this.error = null;
    } catch (error) {
      this.error = errorWords(error);
    }
  }

  async loadPools(): Promise<void> {
    try {
      this.pools = (await this.#client?.call('pools', {})) ?? null;
      this.poolsError = null;
    } catch (error) {
      this.poolsError = errorWords(error);
    }
  }
}
