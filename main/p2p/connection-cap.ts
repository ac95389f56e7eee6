/** Keeps the connections of a host to a number that may change at any time. */
import type { Connection, Libp2p } from '@libp2p/interface';
import { drop, isUsed, leastUseful } from './connection-limits.ts';

export interface ConnectionCap {
  /** The number may be another one now. */
  changed(): void;
}

/**
 * `most` is asked whenever a connection opens; `null` is no cap. Connections to peers of `spared` neither count nor go.
 * Of those that others opened the least useful go first, then those that nobody uses, the newest before the older ones.
 */
export function capConnections(
  host: Libp2p,
  most: () => number | null,
  spared: ReadonlySet<string>,
): ConnectionCap {
  const enforce = (opened?: Connection) => {
    const cap = most();
    if (cap === null) return;
    for (;;) {
      const counted = host
        .getConnections()
        .filter(({ status, remotePeer }) => status === 'open' && !spared.has(remotePeer.toString()));
      if (counted.length <= cap) return;
      const before = counted.filter((one) => one !== opened);
      const leaving = leastUseful(host, before) ?? counted.sort(byUse)[cap];
      if (!leaving) return;
      drop(leaving);
    }
  };
  host.addEventListener('connection:open', ({ detail }) => enforce(detail));
  return { changed: () => enforce() };
}

const byUse = (a: Connection, b: Connection) =>
  Number(isUsed(b)) - Number(isUsed(a)) || a.timeline.open - b.timeline.open;
