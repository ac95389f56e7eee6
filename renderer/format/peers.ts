/** Peers as the list of them shows them: each once, with all that is known of it. */
import type { TransferView } from '../../shared/rpc/content.ts';
import type { PeerView } from '../../shared/rpc/traffic.ts';

/**
 * Two nodes that call each other have two connections for a while: the older one stands for the peer. A peer that has not
 * said its account yet is known by it where something comes from it.
 */
export function onePerPeer(
  peers: readonly PeerView[],
  transfers: readonly Pick<TransferView, 'providers'>[],
): readonly PeerView[] {
  const accounts = new Map(
    transfers.flatMap(({ providers }) => providers.map(({ peerId, account }) => [peerId, account] as const)),
  );
  const byId = new Map<string, PeerView>();
  for (const peer of peers) {
    const known = byId.get(peer.peerId);
    const older = known && known.connectedAtMs <= peer.connectedAtMs ? known : peer;
    const account = known?.account ?? peer.account ?? accounts.get(peer.peerId) ?? null;
    byId.set(peer.peerId, { ...older, account });
  }
  return [...byId.values()];
}
