/**
 * One peer of the network: identity, store, channels of both sides, content, and its line to the shard. A node is a
 * peer with pages; a devnet's sample provider is one without.
 */
import { join } from 'node:path';
import type { Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { DEFAULT_WINDOW_CAP_UNITS } from '../shared/channel/payee.ts';
import { sameBytes } from '../shared/channel/tuple.ts';
import { AceError, isAceError } from '../shared/errors.ts';
import type { NetworkSettings } from '../shared/settings.ts';
import { Claims } from './channel/claims.ts';
import { PayeeService } from './channel/payee.ts';
import { PayerService } from './channel/payer.ts';
import { Closers } from './closers.ts';
import { type ImportOptions, importFile } from './content/import-file.ts';
import { Library } from './content/library.ts';
import { PieceStore } from './content/piece-store.ts';
import type { Provider } from './content/transfer.ts';
import type { ContentRow } from './db/node/contents.ts';
import type { SettlementRow } from './db/node/settlements.ts';
import { type NodeStore, openNodeStore } from './db/node/store.ts';
import type { Log } from './log.ts';
import { createHost, parseMultiaddr } from './p2p/host.ts';
import { Meter } from './p2p/meter.ts';
import { ViewerSession } from './p2p/protocols/pieces/client.ts';
import { PIECES_TIMEOUTS, type PiecesTimeouts } from './p2p/protocols/pieces/constants.ts';
import { servePieces } from './p2p/protocols/pieces/server.ts';
import { ShardClient } from './p2p/protocols/shard/client.ts';
import { ANNOUNCE_EVERY_MS } from './p2p/protocols/shard/constants.ts';
import { fetchTransportFile, serveTransportFiles } from './p2p/protocols/transport/protocol.ts';
import { AccountSync } from './shard/account-sync.ts';
import { bindStore, meetShard, rememberShard } from './shard/membership.ts';
import { type Account, accountFromPhrase } from './wallet/account.ts';
import {
  decodeCertificate,
  encodeCertificate,
  issueCertificate,
  verifyCertificate,
} from './wallet/certificate.ts';
import { deviceFromSeed } from './wallet/device.ts';
import { openOrCreateWallet } from './wallet/open-or-create.ts';

export interface PeerOptions {
  readonly dir: string;
  readonly shardMultiaddr: string;
  readonly p2pPort: number;
  readonly passphrase?: string | undefined;
  /** Fail when the shard does not answer now, even if it was met before: its address was just given. */
  readonly mustReachShard?: boolean;
  readonly log: Log;
  readonly events: PeerEvents;
  readonly timeouts?: PiecesTimeouts;
}

export interface PeerEvents {
  onChange(): void;
  onContents(): void;
  onSettlements(rows: readonly SettlementRow[]): void;
}

export interface RunningPeer {
  readonly host: Libp2p;
  readonly account: Account;
  readonly settings: NetworkSettings;
  readonly devnet: boolean;
  readonly shard: number;
  readonly shardClient: ShardClient;
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly library: Library;
  readonly meter: Meter;
  readonly sync: AccountSync;
  readonly claims: Claims;
  import(options: ImportOptions): Promise<ContentRow>;
  stop(): Promise<void>;
}

/** @throws AceError `ShardUnavailable`, `WalletLocked`, `WalletInvalid`, `DataDirMismatch`, `SchemaTooNew`, … */
export async function startPeer(options: PeerOptions): Promise<RunningPeer> {
  const { dir, log, events, timeouts = PIECES_TIMEOUTS } = options;
  const nowMs = () => Date.now();
  const closers = new Closers();
  try {
    const store = openNodeStore(join(dir, 'node.db'));
    closers.add(() => store.close());
    const wallet = await openOrCreateWallet(join(dir, 'wallet.json'), options.passphrase);
    const account = accountFromPhrase(wallet.phrase);
    const device = deviceFromSeed(wallet.deviceSeed);

    const host = await createHost({
      deviceSeed: device.seed(),
      listen: [`/ip4/127.0.0.1/tcp/${options.p2pPort}`],
    });
    closers.add(() => host.stop());

    let connected: () => void = () => undefined;
    const shardClient = new ShardClient(host, parseMultiaddr(options.shardMultiaddr), {
      onConnected: () => connected(),
      onDisconnected: () => events.onChange(),
      onAccountChanged: () => {
        sync.changed();
        library.retryAll();
      },
    });
    closers.add(() => shardClient.stop());
    const hello = await meetShard(shardClient, store, options.mustReachShard === true, log);
    const { shard, settings, devnet } = hello;
    if (wallet.unprotected && !devnet) {
      throw new AceError('WalletInvalid', 'This network is no devnet: the wallet needs a passphrase');
    }
    bindStore(store, settings.networkId, account.address, dir);
    rememberShard(store, hello);

    const certificate = encodeCertificate(
      await issueCertificate(account, settings, device.publicKey, nowMs()),
    );
    const checkCertificate = async (bytes: Uint8Array, peerDevice: Uint8Array) => {
      const shown = decodeCertificate(bytes);
      if (!sameBytes(shown.devicePublicKey, peerDevice)) {
        throw new AceError('InvalidCertificate', 'The certificate is for another device', {
          reaction: 'drop-peer',
        });
      }
      await verifyCertificate(shown, settings);
      return shown.account;
    };

    const meter = new Meter(nowMs);
    const pieces = new PieceStore(join(dir, 'pieces'), store);
    closers.add(() => pieces.close());
    const recovered = await pieces.recover();
    if (recovered.lost > 0)
      log.warn(recovered, 'pieces were lost when the computer stopped; they will be fetched again');

    const payee = new PayeeService({
      store,
      settings,
      account: account.address,
      device,
      windowCapUnits: DEFAULT_WINDOW_CAP_UNITS,
      nowMs,
    });
    const payer = new PayerService({
      store,
      settings,
      account: account.address,
      device,
      nowMs,
      leases: {
        shard,
        leasableUnits: async (address) => (await shardClient.call('account', { address })).leasableUnits,
        lease: async (terms, termsSignature) =>
          (await shardClient.call('lease', { terms, termsSignature, certificate })).signature,
      },
    });
    const claims = new Claims(
      store,
      {
        claim: (claim) =>
          shardClient.call('claim', { ...claim, checkpoint: claim.checkpoint && { ...claim.checkpoint } }),
      },
      log,
      (channelId) => payee.refused(channelId),
    );
    closers.add(() => claims.stop());
    const sync = new AccountSync(shardClient, store, account.address, events, nowMs, log);
    closers.add(() => sync.stop());

    await servePieces(host, {
      store,
      pieces,
      payee,
      meter,
      log,
      account: account.address,
      certificate,
      checkCertificate,
      timeouts,
      onChange: () => {
        claims.soon();
        events.onChange();
      },
    });
    await serveTransportFiles(host, store, log);

    const library = new Library({
      store,
      pieces,
      log,
      nowMs,
      findProviders: async (contentId) => {
        const { providers } = await shardClient.call('providers', { contentId });
        return providers.filter(({ peerId }) => peerId !== host.peerId.toString()).flatMap(toProvider);
      },
      openSession: (provider, watchTime) =>
        ViewerSession.open(host, provider.addresses, {
          log,
          store,
          pieces,
          payer,
          meter,
          certificate,
          checkCertificate,
          watchTime,
          timeouts,
        }),
      fetchTransportFile: async ({ addresses }, contentId) =>
        (await fetchTransportFile(host, addresses, contentId)).bytes,
      onChange: () => events.onChange(),
      onComplete: () => {
        announceSoon();
        events.onContents();
      },
      onContents: () => events.onContents(),
    });
    closers.add(() => library.stop());

    const announce = async () => {
      const contentIds = store.contents
        .list()
        .filter(isComplete)
        .map((row) => row.contentId);
      const multiaddrs = host.getMultiaddrs().map(String);
      await shardClient.call('announce', { account: account.address, contentIds, multiaddrs });
    };
    const announceSoon = () => {
      announce().catch((error: unknown) => {
        if (!isAceError(error, 'ShardUnavailable'))
          log.warn({ err: error }, 'contents could not be announced');
      });
    };
    const leave = async () => {
      if (!shardClient.connected) return;
      await shardClient.call('announce', { account: account.address, contentIds: [], multiaddrs: [] });
    };
    const announcing = setInterval(announceSoon, ANNOUNCE_EVERY_MS);
    closers.add(() => clearInterval(announcing));
    const arrive = async () => {
      const met = await shardClient.call('hello', {});
      if (met.settings.networkId !== settings.networkId) {
        throw new AceError(
          'WrongNetwork',
          `The validator is of ${met.settings.networkId}, not ${settings.networkId}`,
        );
      }
      await shardClient.call('watch', { account: account.address });
      await sync.refresh();
      await announce();
    };
    connected = () => {
      arrive().catch((error: unknown) =>
        log.warn({ err: error }, 'the shard was met, but does not answer as it should'),
      );
      claims.soon();
      library.retryAll();
      events.onChange();
    };
    if (shardClient.connected) await arrive();
    shardClient.keepTrying();
    claims.soon();

    return {
      host,
      account,
      settings,
      devnet,
      shard,
      shardClient,
      store,
      pieces,
      library,
      meter,
      sync,
      claims,
      async import(importOptions) {
        const row = await importFile(store, pieces, device, nowMs, importOptions);
        announceSoon();
        events.onContents();
        return row;
      },
      async stop() {
        // Channels close first, so that their last claims still reach the shard.
        await library.stop();
        await Promise.all([claims.now(), leave()]).catch((error: unknown) =>
          log.warn({ err: error }, 'the last claims wait for the next start'),
        );
        await closers.close();
      },
    };
  } catch (error) {
    await closers.close().catch(() => undefined); // what went wrong first is what is told
    throw error;
  }
}

export function isComplete(row: ContentRow): boolean {
  return row.havePieces === Math.ceil(row.sizeBytes / 1_048_576);
}

/** A record that cannot be read is left out: one bad provider must not hide the others. */
function toProvider(record: { account: string; peerId: string; multiaddrs: string[] }): Provider[] {
  try {
    const addresses = record.multiaddrs.map((text) => multiaddr(text));
    return addresses.length > 0 ? [{ peerId: record.peerId, account: record.account, addresses }] : [];
  } catch {
    return [];
  }
}
