/** Keeps one peer from taking the connections of all: two for each peer id, and none that nobody uses. */
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2';
import type { Connection, Libp2p, PeerId } from '@libp2p/interface';

/** Two peers that dial each other at once have two; nobody needs more. */
const MAX_PER_PEER = 2;
const IDLE_MS = 60_000;

export function limitConnections(host: Libp2p, idleMs = IDLE_MS): void {
  host.addEventListener('connection:open', ({ detail }) => {
    // The oldest go: after a change of network they are dead, and the new one is how the peer comes back.
    const oldestFirst = host
      .getConnections(detail.remotePeer)
      .filter(({ id }) => id !== detail.id)
      .sort((a, b) => a.timeline.open - b.timeline.open);
    for (const extra of oldestFirst.slice(0, Math.max(0, oldestFirst.length + 1 - MAX_PER_PEER))) drop(extra);
  });

  let idle = new Set<string>();
  const sweep = setInterval(() => {
    const unused = host
      .getConnections()
      .filter((connection) => !isUsed(connection) && !isRelay(host, connection.remotePeer));
    for (const connection of unused) if (idle.has(connection.id)) drop(connection);
    idle = new Set(unused.map(({ id }) => id));
  }, idleMs);
  sweep.unref();
  host.addEventListener('stop', () => clearInterval(sweep));
}

/** Has a stream of ours; libp2p's own come and go by themselves. */
export function isUsed(connection: Connection): boolean {
  return connection.streams.some(({ protocol }) => protocol.startsWith('/ace/'));
}

/** A place at a relay lasts as long as the connection to it, on both sides. */
function isRelay(host: Libp2p, peer: PeerId): boolean {
  const relay = 'relay' in host.services ? (host.services.relay as CircuitRelayService) : null;
  if (relay?.reservations.has(peer)) return true;
  return host.getMultiaddrs().some((address) => address.toString().includes(`/p2p/${peer}/p2p-circuit`));
}

export function drop(connection: Connection): void {
  connection.abort(new Error('one connection too many'));
}
