/**
 * Direct connections only: a relay is paid for nothing that crosses it, so all that it carries is what two peers need
 * to connect (docs/decisions/0012).
 */
import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError } from '../../shared/errors.ts';

/** A connection to the peer that no relay is in; waits for the upgrade of one that came up by a relay. */
export async function directConnection(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  signal: AbortSignal,
): Promise<Connection> {
  const connection = await host.dial([...addresses], { signal });
  if (isDirect(connection)) return connection;
  return upgraded(host, connection.remotePeer, signal);
}

export function isDirect(connection: Connection): boolean {
  return connection.limits === undefined && connection.status === 'open';
}

function upgraded(host: Libp2p, peer: PeerId, signal: AbortSignal): Promise<Connection> {
  const known = host.getConnections(peer).find(isDirect);
  if (known) return Promise.resolve(known);
  return new Promise((resolve, reject) => {
    const opened = ({ detail }: CustomEvent<Connection>) => {
      if (detail.remotePeer.equals(peer) && isDirect(detail)) done(() => resolve(detail));
    };
    const late = () =>
      done(() =>
        reject(
          new AceError('PeerUnreachable', 'The peer can be reached by way of a relay only', {
            cause: signal.reason,
          }),
        ),
      );
    const done = (settle: () => void) => {
      host.removeEventListener('connection:open', opened);
      signal.removeEventListener('abort', late);
      settle();
    };
    host.addEventListener('connection:open', opened);
    signal.addEventListener('abort', late);
    if (signal.aborted) late();
  });
}
