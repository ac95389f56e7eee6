/**
 * One peer of the network: identity, store, channels of both sides, content, and its line to the shard. A node is a
 * peer with pages; a devnet's sample provider is one without.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import { fileTerms } from '../../shared/economy/access-terms.ts';
import type { TokenAmount } from '../../shared/economy/money.ts';
import { fromHex } from '../../shared/hex.ts';
import type { RiskLimits } from '../channel/provider-risk.ts';
import { type ImportOptions, importFile } from '../content/import-file.ts';
import type { ContentRow } from '../db/node/contents.ts';
import type { UserLimits } from '../limits/user-limits.ts';
import { capConnections } from '../p2p/connection-cap.ts';
import { standingOf } from '../p2p/peer-standing.ts';
import { addressGroup } from '../pieces/address-group.ts';
import { PIECES_TIMEOUTS, type PiecesTimeouts } from '../pieces/constants.ts';
import { closeResources, openResources } from '../util/resources.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { type PeerContent, startContent } from './content.ts';
import { PeerEvents } from './events.ts';
import { joinNetwork, type NetworkOptions, type PeerNetwork } from './network.ts';
import { type Payments, startPayments } from './payments.ts';
import { keepShardLines } from './shard-line.ts';

export interface PeerOptions extends NetworkOptions {
  readonly timeouts?: PiecesTimeouts;
  /** What may be lost to strangers, and who is one; left out: the defaults. */
  readonly riskLimits?: RiskLimits;
  readonly originOf?: (connection: Connection) => string | null;
}

type Network = Pick<
  PeerNetwork,
  | 'account'
  | 'certificate'
  | 'clock'
  | 'device'
  | 'devnet'
  | 'lines'
  | 'log'
  | 'meter'
  | 'settings'
  | 'shard'
  | 'shardClient'
  | 'store'
>;
type Content = Pick<
  PeerContent,
  'access' | 'finder' | 'known' | 'library' | 'limits' | 'live' | 'pieces' | 'traffic'
>;

/** A file to share, and what access to it costs. */
export interface PricedImport extends Omit<ImportOptions, 'access'> {
  /** Left out: nothing. This account gets it. */
  readonly priceXac?: TokenAmount;
  readonly premium?: boolean;
}

export interface RunningPeer extends Network, Content, Pick<Payments, 'claims' | 'gossip' | 'sync'> {
  readonly host: Libp2p;
  readonly events: PeerEvents;
  /** Holds at once; what is above a new limit of the disk is gone when this resolves. @throws AceError `StoreFailed` */
  setLimits(changes: Parameters<UserLimits['set']>[0]): Promise<void>;
  import(options: PricedImport): Promise<ContentRow>;
  /** As `Library.delete`; the content is not announced any more. */
  deleteContent(contentId: string, force: boolean): Promise<void>;
  /** As `Library.pauseSharing`; the content is not announced any more, or again. */
  pauseSharing(contentId: string, paused: boolean): ContentRow;
  stop(): Promise<void>;
}

/** @throws AceError `ShardUnavailable`, `WalletLocked`, `WalletInvalid`, `DataDirMismatch`, `SchemaTooNew`, … */
export function startPeer(options: PeerOptions): Promise<RunningPeer> {
  return openResources(async (resources) => {
    const { dataDir, timeouts = PIECES_TIMEOUTS } = options;
    const events = new PeerEvents();
    const network = await joinNetwork(options, resources);
    const payments = startPayments(network, events, { riskLimits: options.riskLimits }, resources);
    const { originOf = ({ remoteAddr }) => addressGroup(remoteAddr, network.devnet) } = options;
    const context = { ...network, ...payments, events };
    const content = await startContent({ ...context, dataDir, timeouts, originOf }, resources);
    const peer = { ...context, ...content };
    const { limits, library, announcer, live, claims, reports, known } = peer;
    const validators = new Set(peer.settings.validatorKeys.map((key) => peerIdOf(fromHex(key))));
    standingOf(peer.host).spare(validators);
    const connections = capConnections(peer.host, () => limits.limits.maxConnections, validators);
    // Peers may have connected while the contents were opened.
    connections.changed();
    peer.setLoans(limits.limits);
    limits.onChange(() => {
      peer.setLoans(limits.limits);
      connections.changed();
      library.retryAll();
      announcer.soon();
      events.changed();
    });
    peer.clock.on('change', () => {
      library.retryAll();
      events.changed();
    });
    await keepShardLines(peer);
    peer.clock.start();
    live.resume();
    void known.meetSome();
    announcer.soon();
    claims.soon();
    reports.soon();
    return running(peer, resources);
  });
}

function running(
  peer: PeerNetwork & Payments & PeerContent & { readonly events: PeerEvents },
  resources: AsyncDisposableStack,
): RunningPeer {
  const { account, store, pieces, device, limits, library, live, claims, announcer, events, nowMs, log } =
    peer;
  return {
    ...peer,
    async setLimits(changes) {
      limits.set(changes);
      await pieces.cache.setLimit(limits.limits.cacheBytes);
    },
    async import({ priceXac, premium = false, ...rest }) {
      const access = priceXac && fileTerms(account.address, priceXac, premium);
      const row = await importFile(store, pieces, device, nowMs, { ...rest, ...(access && { access }) });
      announcer.now();
      events.contentsChanged();
      return row;
    },
    async deleteContent(contentId, force) {
      await library.delete(contentId, force);
      announcer.soon();
    },
    pauseSharing(contentId, paused) {
      const row = library.pauseSharing(contentId, paused);
      announcer.soon();
      return row;
    },
    async stop() {
      // Channels close first, so that their last claims still reach the shard.
      await live.stop();
      await library.stop();
      await Promise.all([claims.now(), announcer.leave()]).catch((error: unknown) =>
        log.warn({ err: error }, 'the last claims wait for the next start'),
      );
      await closeResources(resources);
    },
  };
}
