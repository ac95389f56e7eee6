import { LRUCache } from 'lru-cache';
import type { Counterparty } from '../channel/payee.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { PeerStanding } from '../p2p/peer-standing.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { KNOWN_DEVICES_OF_VIEWER, REMEMBERED_VIEWERS } from './limits.ts';

export interface ViewerWorthContext {
  readonly store: Pick<NodeStore, 'settlements'>;
  readonly standing: PeerStanding;
  readonly ownAccount: string;
}

/**
 * Who has paid before, and this account's own devices, keep their connections when strangers crowd in, and share nothing with
 * them. By what settlements say: ticks are revealed on free credit, too. A key costs nothing, so no account makes more
 * devices known than it paid units for. One more that has paid on its stream (`hasPaid`) is known instead of the one that
 * was here least lately; a greeting alone pushes out nobody.
 */
export function viewerWorth({ store, standing, ownAccount }: ViewerWorthContext) {
  /** By account; of its devices the one that was here last comes last. */
  const devicesOf = new LRUCache<string, Set<string>>({ max: REMEMBERED_VIEWERS });
  return ({ account: viewer, device }: Counterparty, hasPaid: boolean): void => {
    const peerId = peerIdOf(device);
    if (viewer === ownAccount) {
      standing.used(peerId);
      return;
    }
    const paidUnits = store.settlements.earnedUnits(viewer);
    const known = devicesOf.get(viewer) ?? new Set();
    if (!known.delete(peerId) && known.size >= Math.min(paidUnits, KNOWN_DEVICES_OF_VIEWER)) {
      const [leastLately] = known;
      if (!hasPaid || leastLately === undefined) return;
      known.delete(leastLately);
      standing.forget(leastLately, viewer);
    }
    devicesOf.set(viewer, known.add(peerId));
    standing.paid(peerId, paidUnits, viewer);
    standing.used(peerId);
  };
}
