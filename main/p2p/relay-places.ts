/** Who gets a place at this relay: each is kept for half an hour, with a connection or without, so strangers have shares of them. */
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2';
import type { Libp2p, PeerId } from '@libp2p/interface';
import { isStranger } from './eviction.ts';
import { MAX_RELAYED_PER_ADDRESS, MAX_RELAYED_PER_NETWORK_GROUP, MAX_RELAYED_STRANGERS } from './limits.ts';
import { type Origin, originOf } from './network-group.ts';
import { standingOf } from './peer-standing.ts';

interface Place extends Origin {
  readonly isStranger: boolean;
}

/** Whether one more may have a place beside these. */
export function hasPlace(taken: readonly Place[], { isStranger, address, group }: Place): boolean {
  if (!isStranger) return true;
  const strangers = taken.filter((one) => one.isStranger);
  return (
    strangers.length < MAX_RELAYED_STRANGERS &&
    strangers.filter((one) => one.group === group).length < MAX_RELAYED_PER_NETWORK_GROUP &&
    strangers.filter((one) => one.address === address).length < MAX_RELAYED_PER_ADDRESS
  );
}

/** Whether the host refuses the peer a place. One that it has is kept. */
export function refusesPlace(host: Libp2p, peer: PeerId): boolean {
  const { reservations } = (host.services as { readonly relay: CircuitRelayService }).relay;
  const from = host.getConnections(peer)[0];
  if (!from || reservations.has(peer)) return false;
  const placeOf = (peerId: PeerId, origin: Origin) => ({ ...origin, isStranger: isUnknown(host, peerId) });
  const taken = [...reservations].map(([other, { addr }]) => placeOf(other, originOf(addr)));
  return !hasPlace(taken, placeOf(peer, originOf(from.remoteAddr)));
}

function isUnknown(host: Libp2p, peer: PeerId): boolean {
  return isStranger(standingOf(host).of(peer.toString()), performance.now());
}
