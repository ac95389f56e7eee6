/** The validator's end: checks each request and hands it to the shard. */
import type { Libp2p } from '@libp2p/interface';
import { serveProtocol } from '../../host.ts';
import { PeerLimits } from '../../peer-limits.ts';
import { serveRequests } from '../../requests.ts';
import type { RpcHandlers } from '../../typed-rpc.ts';
import type { AccountWatchers } from './account-watchers.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL, SHARD_RATES } from './constants.ts';
import { type methods, shardRpc } from './messages.ts';

/** What the shard does for each method; the caller is the libp2p identity that asked. `watch` is the server's own. */
export type ShardHandlers = Omit<RpcHandlers<typeof methods, string>, 'watch'>;

export interface ShardServerOptions {
  readonly handlers: ShardHandlers;
  /** Hears of changes of the accounts that a stream watches. */
  readonly watchers: AccountWatchers;
  readonly onError: (error: unknown, peerId: string) => void;
}

export async function serveShard(host: Libp2p, options: ShardServerOptions): Promise<void> {
  const { watchers, onError } = options;
  const limits = new PeerLimits(SHARD_RATES, () => performance.now());
  await serveProtocol(
    host,
    SHARD_PROTOCOL,
    SHARD_LIMITS,
    async (frames, connection) => {
      const peerId = connection.remotePeer.toString();
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
          async (name, params) => shardRpc.answer(handlers, shardRpc.methodNamed(name), params, peerId),
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
