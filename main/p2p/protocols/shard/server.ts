/** The validator's end: checks each request and hands it to the shard. */
import type { Libp2p } from '@libp2p/interface';
import { serveProtocol } from '../../host.ts';
import { isOnLoopbackOnly } from '../../listen.ts';
import { type Origin, originOf } from '../../network-group.ts';
import { PeerLimits } from '../../peer-limits.ts';
import { serveRequests } from '../../requests.ts';
import type { RpcHandlers } from '../../typed-rpc.ts';
import type { AccountWatchers } from './account-watchers.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL, SHARD_RATES } from './constants.ts';
import { type methods, shardRpc } from './messages.ts';

/** Who asks. */
export interface ShardCaller {
  /** Proven by the connection. */
  readonly peerId: string;
  /** Where it comes from; `null` on a devnet of one's own, where everybody comes from the one address. */
  readonly origin: Origin | null;
}

/** What the shard does for each method. `watch` is the server's own. */
export type ShardHandlers = Omit<RpcHandlers<typeof methods, ShardCaller>, 'watch'>;

export interface ShardServerOptions {
  readonly handlers: ShardHandlers;
  /** Hears of changes of the accounts that a stream watches. */
  readonly watchers: AccountWatchers;
  readonly onError: (error: unknown, peerId: string) => void;
}

export async function serveShard(host: Libp2p, options: ShardServerOptions): Promise<void> {
  const { watchers, onError } = options;
  const limits = new PeerLimits(SHARD_RATES, () => performance.now());
  const ownDevnet = isOnLoopbackOnly(host);
  await serveProtocol(
    host,
    SHARD_PROTOCOL,
    SHARD_LIMITS,
    async (frames, connection) => {
      const peerId = connection.remotePeer.toString();
      const caller = { peerId, origin: ownDevnet ? null : originOf(connection.remoteAddr) };
      const handlers = {
        ...options.handlers,
        watch: async ({ account }: { account: string }) => {
          watchers.watch(account, frames);
          return {};
        },
      };
      try {
        await serveRequests(
          frames,
          async (name, params) => shardRpc.answer(handlers, shardRpc.methodNamed(name), params, caller),
          (error) => onError(error, peerId),
          {
            take: (sizeBytes) => limits.take(peerId, sizeBytes),
            charge: (sizeBytes) => limits.charge(peerId, sizeBytes),
          },
        );
      } finally {
        watchers.leave(frames);
      }
    },
    (error, { remotePeer }) => onError(error, remotePeer.toString()),
  );
}
