import type { Multiaddr } from '@multiformats/multiaddr';

/** Who says that it has a content. */
export interface Provider {
  readonly peerId: string;
  readonly account: string;
  readonly addresses: readonly Multiaddr[];
}
