/** Who is connected, as parts of the host have to know it: they are made before the host is. */
import type { Libp2p, PeerId } from '@libp2p/interface';
import { peerIdFromCID, peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats';
import { originOf } from './network-group.ts';
import { refusesPlace } from './relay-places.ts';

/** Those who have gone by now are as one network: it must not pay to be gone. */
const GONE = 'gone';

export class Presence {
  readonly #onLoopbackOnly: boolean;
  #host: Libp2p | null = null;

  constructor(onLoopbackOnly: boolean) {
    this.#onLoopbackOnly = onLoopbackOnly;
  }

  /** The host is made: before, nobody was connected. */
  begin(host: Libp2p): void {
    this.#host = host;
  }

  /** The network group that the peer is connected from; `null` on loopback, where everybody is of one. */
  networkOf(peerId: string): string | null {
    if (this.#onLoopbackOnly || !this.#host) return null;
    const [connection] = this.#host.getConnections(peerIdFromString(peerId));
    return connection ? originOf(connection.remoteAddr).group : GONE;
  }

  /** @param cid of the id of a peer; the host itself is always present */
  isPresent(cid: string): boolean {
    if (!this.#host) return true;
    const peer = peerIdFromCID(CID.parse(cid));
    return this.#host.peerId.equals(peer) || this.#host.getConnections(peer).length > 0;
  }

  /** Whether this relay has no place for the peer. */
  refusesPlace(peer: PeerId): boolean {
    return !this.#onLoopbackOnly && this.#host !== null && refusesPlace(this.#host, peer);
  }
}
