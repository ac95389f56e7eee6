/** Traffic and the network as the procedures show them. */

import { formatAmount, TOKENS } from '../../shared/economy/money.ts';
import { trafficRate } from '../../shared/economy/price.ts';
import { ratioToDecimal } from '../../shared/economy/ratio.ts';
import { POOLS } from '../../shared/economy/settings.ts';
import { fromHex } from '../../shared/hex.ts';
import type {
  MarketPoint,
  NetworkView,
  PeerView,
  PoolsView,
  TrafficPeriod,
} from '../../shared/rpc/traffic.ts';
import type { AccountPicture } from '../account/account-sync.ts';
import type { RunningPeer } from '../peer/peer.ts';
import type { Log } from '../process/log.ts';
import { MarketLog } from '../traffic/market-log.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { priceView } from './views.ts';

/** What charts of prices reach back. */
const HISTORY_MS = 30 * 86_400_000;

export function trafficProcedures(peer: RunningPeer, log: Log) {
  const { store, sync, settings, lines, shardClient } = peer;
  const marketLog = new MarketLog(store, Date.now());
  const validators = new Map(
    settings.validatorKeys.map((key, shard) => [peerIdOf(fromHex(key)).toString(), shard]),
  );
  const point = () => sync.picture && marketPoint(sync.picture, peer);

  return {
    /** Called when the picture of the account may be a new one. */
    noteMarket() {
      const now = point();
      try {
        if (now) marketLog.note(now);
      } catch (error) {
        log.error({ err: error }, 'a price could not be saved; the next one is tried again');
      }
    },
    procedures: {
      trafficReport: async ({ period }: { period: TrafficPeriod }) => peer.traffic.report(period),
      network: async (): Promise<NetworkView> => {
        const distrusted = new Set(sync.distrusted().map(({ shard }) => shard));
        const connected = new Set(lines.connected().map(([shard]) => shard));
        return {
          shards: settings.validatorKeys.map((_, shard) => ({
            shard,
            connected: connected.has(shard),
            home: shard === peer.shard,
            distrusted: distrusted.has(shard),
          })),
          peers: peerViews(peer, validators),
          history: marketLog.since(Date.now() - HISTORY_MS, point()),
        };
      },
      pools: async (): Promise<PoolsView> => {
        const { pools, supply } = await shardClient.call('pools', {});
        return {
          pools: mapOf(POOLS, (pool) => mapOf(TOKENS, (token) => formatAmount(pools[pool][token]))),
          supply: mapOf(TOKENS, (token) => ({
            genesis: formatAmount(supply[token].genesis),
            emitted: formatAmount(supply[token].emitted),
            burned: formatAmount(supply[token].burned),
          })),
          asOfMs: Date.now(),
        };
      },
    },
  };
}

function marketPoint(picture: AccountPicture, { settings }: RunningPeer): MarketPoint {
  const { xacPerGb, xatPerGb, xacPerXat, asOfMs } = priceView(picture, settings);
  // Finer than prices are shown: a network's average moves slowly.
  const trafficRateGbPerHour = ratioToDecimal(trafficRate(picture.market), 6);
  return { atMs: asOfMs, xacPerGb, xatPerGb, xacPerXat, trafficRateGbPerHour };
}

function peerViews(
  { host, library, store }: RunningPeer,
  validators: ReadonlyMap<string, number>,
): PeerView[] {
  const { payeeChannels, payerChannels } = store;
  const trading = [...payeeChannels.inUse(), ...payerChannels.inUse()];
  const accounts = new Map([
    ...trading.map(({ device, account }) => [peerIdOf(device), account] as const),
    ...library
      .active()
      .flatMap(({ providers }) => providers.map(({ peerId, account }) => [peerId, account] as const)),
  ]);
  return host.getConnections().map(({ remotePeer, remoteAddr, direction, timeline }) => {
    const peerId = remotePeer.toString();
    return {
      peerId,
      account: accounts.get(peerId) ?? null,
      multiaddr: remoteAddr.toString(),
      direction,
      shard: validators.get(peerId) ?? null,
      connectedAtMs: timeline.open,
    };
  });
}

function mapOf<K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}
