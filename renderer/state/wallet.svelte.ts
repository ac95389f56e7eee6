/** Whether the wallet is open, and how it is kept: asked for once, then told by the feed at every change. */
import type { NodeClient } from '../../shared/rpc/rpc.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

export class WalletState {
  readonly #client: NodeClient;
  view = $state.raw<WalletStateView | null>(null);
  failure = $state.raw<ErrorWords | null>(null);
  busy = $state(false);
  readonly locked = $derived(this.view?.status === 'locked');

  constructor(client: NodeClient) {
    this.#client = client;
  }

  /** The answer stops listening. */
  start(): () => void {
    void this.load();
    return this.#client.subscribe((topic, data) => {
      if (topic === 'wallet') this.view = data as WalletStateView;
    });
  }

  load(): Promise<boolean> {
    return this.#ask(() => this.#client.call('walletState', {}));
  }

  /** Answers whether it is open now. */
  unlock(passphrase: string): Promise<boolean> {
    return this.#ask(() => this.#client.call('walletUnlock', { passphrase }));
  }

  lock(): Promise<boolean> {
    return this.#ask(() => this.#client.call('walletLock', {}));
  }

  async #ask(call: () => Promise<WalletStateView>): Promise<boolean> {
    this.failure = null;
    this.busy = true;
    try {
      this.view = await call();
      return true;
    } catch (error) {
      this.failure = errorWords(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
