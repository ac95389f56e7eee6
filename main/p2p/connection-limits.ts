/**
 * Keeps strangers from taking the connections of all: two for each peer id, so many for each address and network group, so
 * many in all, with room for those who are known. Where there is one too many the least useful goes (`eviction.ts`), not
 * the newest: who comes first must not keep the others out.
 */
import type { CircuitRelayService } from '@libp2p/circuit-relay-v2';
import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import { spokeAtMs } from './connection-signs.ts';
import { chooseEviction, type EvictionCandidate, isStranger } from './eviction.ts';
import { CONNECTIONS_FOR_KNOWN, MAX_CONNECTIONS, MAX_PER_ADDRESS, MAX_PER_NETWORK_GROUP } from './limits.ts';
import { originOf } from './network-group.ts';
import { standingOf } from './peer-standing.ts';

/** Two peers that dial each other at once have two; nobody needs more. */
const MAX_PER_PEER = 2;
const IDLE_MS = 60_000;

export interface ConnectionLimitOptions {
  readonly idleMs?: number;
  readonly maxConnections?: number;
  /** A devnet of one's own: everybody has the one address. */
  readonly onLoopbackOnly?: boolean;
}

export function limitConnections(host: Libp2p, options: ConnectionLimitOptions = {}): void {
  const { idleMs = IDLE_MS, maxConnections = MAX_CONNECTIONS, onLoopbackOnly = true } = options;
  const known = Math.min(CONNECTIONS_FOR_KNOWN, Math.floor(maxConnections / 5));
  host.addEventListener('connection:open', ({ detail }) => {
    limitPeer(host, detail);
    const all = host.getConnections();
    if (isOfStranger(host, detail)) {
      const strangers = all.filter((one) => isOfStranger(host, one));
      if (!onLoopbackOnly) limitOrigin(host, detail, strangers);
      makeRoom(host, detail, strangers, Math.max(1, maxConnections - known));
    }
    makeRoom(host, detail, all, maxConnections);
  });

  let idle = new Set<string>();
  const sweep = setInterval(() => {
    const isRelay = relaysOf(host);
    const unused = host
      .getConnections()
      .filter((connection) => !isUsed(connection) && !isRelay(connection.remotePeer));
    for (const connection of unused) if (idle.has(connection.id)) drop(connection);
    idle = new Set(unused.map(({ id }) => id));
  }, idleMs);
  sweep.unref();
  host.addEventListener('stop', () => clearInterval(sweep));
}

/** The oldest go: after a change of network they are dead, and the new one is how the peer comes back. */
function limitPeer(host: Libp2p, opened: Connection): void {
  const oldestFirst = host
    .getConnections(opened.remotePeer)
    .filter(({ id }) => id !== opened.id)
    .sort((a, b) => a.timeline.open - b.timeline.open);
  for (const extra of oldestFirst.slice(0, Math.max(0, oldestFirst.length + 1 - MAX_PER_PEER))) drop(extra);
}

/** Known peers do not count: one household of strangers must not cost a neighbour that pays. */
function limitOrigin(host: Libp2p, opened: Connection, strangers: readonly Connection[]): void {
  const { address, group } = originOf(opened.remoteAddr);
  const neighbours = strangers.filter((one) => originOf(one.remoteAddr).group === group);
  const household = neighbours.filter((one) => originOf(one.remoteAddr).address === address);
  makeRoom(host, opened, household, MAX_PER_ADDRESS);
  makeRoom(host, opened, neighbours, MAX_PER_NETWORK_GROUP);
}

/** Drops some of these connections until `most` are left; the newcomer when nobody is worth less. */
function makeRoom(host: Libp2p, opened: Connection, all: readonly Connection[], most: number): void {
  if (all.length <= most) return;
  const open = all.filter(({ status }) => status === 'open');
  for (let extra = open.length - most; extra > 0 && opened.status === 'open'; extra--) {
    const others = open.filter((one) => one !== opened && one.status === 'open');
    drop(leastUseful(host, others) ?? opened);
  }
}

/** Of those that others opened: what was dialed from here is here for a reason. */
export function leastUseful(host: Libp2p, connections: readonly Connection[]): Connection | null {
  const byId = new Map(connections.map((one) => [one.id, one]));
  const isRelay = relaysOf(host);
  const evictable = connections.filter(
    (one) =>
      one.direction === 'inbound' &&
      !standingOf(host).isSpared(one.remotePeer.toString()) &&
      !isRelay(one.remotePeer),
  );
  const id = chooseEviction(
    evictable.map((one) => candidateOf(host, one)),
    performance.now(),
  );
  return (id !== null && byId.get(id)) || null;
}

function candidateOf(host: Libp2p, connection: Connection): EvictionCandidate {
  const { id, remotePeer, remoteAddr, rtt, timeline } = connection;
  return {
    id,
    group: originOf(remoteAddr).group,
    // libp2p dates connections by the wall clock.
    openedAtMs: performance.now() - Math.max(0, Date.now() - timeline.open),
    spokeAtMs: spokeAtMs(connection),
    roundTripMs: rtt ?? null,
    ...standingOf(host).of(remotePeer.toString()),
  };
}

function isOfStranger(host: Libp2p, { direction, remotePeer }: Connection): boolean {
  const standing = standingOf(host);
  const peerId = remotePeer.toString();
  return (
    direction === 'inbound' &&
    !standing.isSpared(peerId) &&
    isStranger(standing.of(peerId), performance.now())
  );
}

/** Has a stream of ours; libp2p's own come and go by themselves, and one that carries nothing is reset. */
export function isUsed(connection: Connection): boolean {
  return connection.streams.some(({ protocol }) => protocol.startsWith('/ace/'));
}

/** A place at a relay lasts as long as the connection to it, on both sides. */
function relaysOf(host: Libp2p): (peer: PeerId) => boolean {
  const relay = 'relay' in host.services ? (host.services.relay as CircuitRelayService) : null;
  // Asked once: to put its addresses together is work for a host.
  const places = host
    .getMultiaddrs()
    .map(String)
    .filter((address) => address.includes('/p2p-circuit'));
  return (peer) =>
    relay?.reservations.has(peer) === true ||
    places.some((address) => address.includes(`/p2p/${peer}/p2p-circuit`));
}

export function drop(connection: Connection): void {
  connection.abort(new Error('one connection too many'));
}
