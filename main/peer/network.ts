/** How a peer comes into its network: identity, store, libp2p host, and its lines to the shards. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Libp2p } from '@libp2p/interface';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import { ShardLines } from '../account/lines.ts';
import { bindStore } from '../account/membership.ts';
import { NetworkClock } from '../account/network-clock.ts';
import type { DataDir } from '../data-dir/data-dir.ts';
import { type NodeStore, openNodeStore } from '../db/node/store.ts';
import { catchUpDays } from '../journal/day-book.ts';
import { Meter } from '../p2p/meter.ts';
import { GossipRouter } from '../p2p/protocols/gossip/router.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import type { CertificateCheck } from '../pieces/remote.ts';
import type { Log } from '../process/log.ts';
import { type Clocks, SYSTEM_CLOCKS } from '../util/steady-clock.ts';
import type { Account } from '../wallet/account.ts';
import { certificates } from '../wallet/certificates.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { type Identity, openIdentity } from '../wallet/identity.ts';
import { type PeerHostOptions, startPeerHost } from './host.ts';
import { CLOCK_LIMITS, OTHER_SHARDS_WAIT_MS } from './limits.ts';

export interface NetworkOptions extends PeerHostOptions {
  readonly dataDir: DataDir;
  /** Who the peer is; left out: the wallet in its folder, which has no passphrase. */
  readonly identity?: Identity;
  /** Fail when the shard does not answer now, even if it was met before: its address was just given. */
  readonly mustReachShard?: boolean;
  /** Left out: the computer's. */
  readonly clocks?: Clocks;
  readonly log: Log;
}

/** What every part of a peer stands on. */
export interface PeerNetwork {
  readonly store: NodeStore;
  readonly account: Account;
  readonly device: DeviceIdentity;
  /** This device's certificate, canonical bytes. */
  readonly certificate: Uint8Array;
  readonly checkCertificate: CertificateCheck;
  readonly host: Libp2p;
  readonly router: GossipRouter;
  readonly meter: Meter;
  readonly lines: ShardLines;
  readonly settings: NetworkSettings;
  readonly devnet: boolean;
  /** The account's home shard. */
  readonly shard: number;
  /** The line to it. */
  readonly shardClient: ShardClient;
  /** Whether this computer's clock is right. */
  readonly clock: NetworkClock;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** @throws AceError `ShardUnavailable`, `WalletLocked`, `WalletInvalid`, `DataDirMismatch`, `SchemaTooNew`, … */
export async function joinNetwork(
  options: NetworkOptions,
  resources: AsyncDisposableStack,
): Promise<PeerNetwork> {
  const { dataDir, log, mustReachShard = false, shardMultiaddr, clocks = SYSTEM_CLOCKS } = options;
  const nowMs = clocks.wallMs;
  const store = openNodeStore(dataDir.nodeDb);
  resources.defer(() => store.close());
  await catchUpDays(store);
  const identity = options.identity ?? (await openIdentity(dataDir.wallet, store));
  const { account, device } = identity;

  // Rates, pauses and penalties go by a clock that nobody sets; dates and ends of channels by the wall clock.
  const clockMs = () => performance.now();
  const meter = new Meter(clockMs);
  // Checkpoints are there because of payment, and so is what it costs to pass them on.
  const router = new GossipRouter(clockMs, (bytes) => meter.add({ paymentBytes: bytes }));
  const { host, guard } = await startPeerHost(options, device.seed(), { store, router, log });
  resources.defer(() => host.stop());

  const lines = new ShardLines({
    host,
    guard,
    store,
    joinMultiaddr: shardMultiaddr,
    mustReach: mustReachShard,
    log,
  });
  resources.defer(() => lines.stop());
  const { settings, devnet } = await lines.meet();
  if (identity.status === 'plain' && !devnet) {
    throw new AceError('WalletInvalid', 'This network is no devnet: the wallet needs a passphrase');
  }
  bindStore(store, settings.networkId, account.address, dataDir.path);
  lines.remember();
  const shard = lines.homeOf(account.address);
  const shardClient = lines.of(shard);
  await lines.reach(shard);
  const ask = async () => {
    const others = lines.connected().filter(([number]) => number !== shard);
    const [home, ...told] = await Promise.all([
      shardClient.call('hello', {}),
      // One that is silent keeps nobody waiting.
      ...others.map(([, line]) =>
        Promise.race([
          line.call('hello', {}).catch(() => null),
          delay(OTHER_SHARDS_WAIT_MS, null, { ref: false }),
        ]),
      ),
    ]);
    return { ...home, othersMs: told.flatMap((other) => other?.timeMs ?? []) };
  };
  const clock = new NetworkClock({ clocks, limits: CLOCK_LIMITS, ask, log });
  resources.defer(() => clock.stop());
  const certified = await certificates(account, device, settings, nowMs, identity.certificate);
  return {
    ...{
      store,
      account,
      device,
      host,
      router,
      meter,
      lines,
      settings,
      devnet,
      shard,
      shardClient,
      clock,
      nowMs,
      log,
    },
    ...certified,
  };
}
