/**
 * Providers that this node has met: whose account a greeting proved, and which of them have served it. Anybody can be named
 * as a provider, of any account; only a greeting shows that it is there and whose device it is.
 */
import { LRUCache } from 'lru-cache';
import { MAX_MET_PROVIDERS } from './limits.ts';

interface Met {
  readonly account: string;
  readonly served: boolean;
}

export class MetProviders {
  readonly #met = new LRUCache<string, Met>({ max: MAX_MET_PROVIDERS });

  /** It has shown that it is a device of this account. */
  greeted(peerId: string, account: string): void {
    this.#met.set(peerId, { account, served: this.#met.peek(peerId)?.served ?? false });
  }

  /** It was paid for pieces that it brought. */
  served(peerId: string, account: string): void {
    this.#met.set(peerId, { account, served: true });
  }

  isDeviceOf(peerId: string, account: string): boolean {
    return this.#met.peek(peerId)?.account === account;
  }

  /** The more the better: 2 has served, 1 has greeted, 0 was only named. */
  rankOf(peerId: string): number {
    const met = this.#met.peek(peerId);
    return met ? (met.served ? 2 : 1) : 0;
  }
}
