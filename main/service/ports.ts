/** Ports that the user has chosen, kept in node.db, and those that are in use. */
import { multiaddr } from '@multiformats/multiaddr';
import type { PortsView, PortView } from '../../shared/rpc/ports.ts';
import { chosenPort, KEYS, type PortName } from '../peer/chosen-port.ts';
import type { RunningPeer } from '../peer/peer.ts';

export interface GivenPorts {
  readonly http: boolean;
  readonly peers: boolean;
}

/** The procedures about ports. @param httpPort that the server listens on, once it does */
export function portProcedures(
  { store, host }: Pick<RunningPeer, 'store' | 'host'>,
  given: GivenPorts,
  httpPort: () => number | null,
) {
  const view = (name: PortName, now: number | null): PortView => ({
    now,
    chosen: chosenPort(store, name),
    given: given[name],
  });
  const ports = (): PortsView => ({
    http: view('http', httpPort()),
    peers: view('peers', tcpPort(host.getMultiaddrs().map(String))),
  });
  return {
    ports: async () => ports(),
    /** @throws AceError `StoreFailed` */
    async setPorts(choice: { readonly [N in PortName]?: number | null | undefined }) {
      store.commit(() => {
        for (const name of ['http', 'peers'] as const) {
          const port = choice[name];
          if (port === null) store.userSettings.delete(KEYS[name]);
          else if (port !== undefined) store.userSettings.set(KEYS[name], port);
        }
      });
      return ports();
    },
  };
}

function tcpPort(addresses: readonly string[]): number | null {
  const direct = addresses.find((text) => text.includes('/tcp/') && !text.includes('/p2p-circuit'));
  if (direct === undefined) return null;
  const port = multiaddr(direct)
    .getComponents()
    .find(({ name }) => name === 'tcp')?.value;
  return port === undefined ? null : Number(port);
}
