/** The libp2p host of a peer: where it listens, what it may dial, and the port that the user has chosen. */
import type { Libp2p } from '@libp2p/interface';
import type { NodeStore } from '../db/node/store.ts';
import { DialGuard } from '../p2p/dial-guard.ts';
import { createHost, parseMultiaddr } from '../p2p/host.ts';
import {
  announceMultiaddrs,
  defaultListen,
  listenMultiaddrs,
  onLoopbackOnly,
  scopeOf,
} from '../p2p/listen.ts';
import type { GossipRouter } from '../p2p/protocols/gossip/router.ts';
import { nodeReach, type ReachSettings } from '../p2p/reach.ts';
import type { Log } from '../process/log.ts';
import { chosenPort } from './chosen-port.ts';

export interface PeerHostOptions {
  readonly shardMultiaddr: string;
  /** Left out: the one that the user has chosen, or any that is free. */
  readonly p2pPort?: number | undefined;
  /** IP addresses or multiaddrs to listen on; left out: what fits the place of the validator. */
  readonly listen?: readonly string[] | undefined;
  /** Addresses that the user knows to lead here. */
  readonly announce?: readonly string[] | undefined;
  /** What differs from what fits the place of the validator. */
  readonly reach?: Partial<ReachSettings> | undefined;
}

export interface PeerHost {
  readonly host: Libp2p;
  readonly guard: DialGuard;
}

/** @throws AceError `PortInUse` for a port that was given (a chosen one gives way), `InvalidInput` */
export async function startPeerHost(
  { shardMultiaddr, p2pPort, listen, announce, reach }: PeerHostOptions,
  deviceSeed: Uint8Array,
  { store, router, log }: { readonly store: NodeStore; readonly router: GossipRouter; readonly log: Log },
): Promise<PeerHost> {
  const scope = scopeOf(parseMultiaddr(shardMultiaddr));
  const listenOn = (port: number) => listenMultiaddrs(listen ?? defaultListen(scope), port);
  const guard = new DialGuard(onLoopbackOnly(listenOn(0)));
  const hostOn = (port: number) =>
    createHost({
      gossip: router,
      deviceSeed,
      listen: listenOn(port),
      announce: announceMultiaddrs(announce ?? []),
      guard,
      reach: { ...nodeReach(scope), ...reach },
    });
  const chosen = p2pPort === undefined ? chosenPort(store, 'peers') : null;
  const host = await hostOn(p2pPort ?? chosen ?? 0).catch((error: unknown) => {
    if (chosen === null) throw error;
    // A choice that cannot be had must not keep the node, and the pages to change it, away.
    log.error({ err: error, port: chosen }, 'the chosen port cannot be had: another one is taken');
    return hostOn(0);
  });
  return { host, guard };
}
