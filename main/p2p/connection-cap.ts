/** Keeps the connections of a host to a number that may change at any time. */
import type { Connection, Libp2p } from '@libp2p/interface';
import { drop, isUsed } from './connection-limits.ts';

export interface ConnectionCap {
  /** The number may be another one now. */
  changed(): void;
}

/**
 * `most` is asked whenever a connection opens; `null` is no cap. Connections to peers of `spared` neither count nor go.
 * Those that nobody uses go first, the newest of them before the older ones.
 */
export function capConnections(
  host: Libp2p,
  most: () => number | null,
  spared: ReadonlySet<string>,
): ConnectionCap {
  const enforce = () => {
    const cap = most();
    if (cap === null) return;
    const keptFirst = host
      .getConnections()
      .filter(({ remotePeer }) => !spared.has(remotePeer.toString()))
      .sort((a, b) => Number(isUsed(b)) - Number(isUsed(a)) || opened(a) - opened(b));
    for (const extra of keptFirst.slice(cap)) drop(extra);
  };
  host.addEventListener('connection:open', enforce);
  return { changed: enforce };
}

function opened(connection: Connection): number {
  return connection.timeline.open;
}
