/** The validator's end: checks each request and hands it to the shard. */
import type { Libp2p } from '@libp2p/interface';
import type { z } from 'zod';
import { AceError } from '../../../../shared/errors.ts';
import type { FrameStream } from '../../frames.ts';
import { serveProtocol } from '../../host.ts';
import { PeerLimits } from '../../peer-limits.ts';
import { type PlainMap, sendEvent, serveRequests } from '../../requests.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL, SHARD_RATES } from './constants.ts';
import { checked, methods, type ShardMethod, type ShardParams } from './messages.ts';

/** What the shard does for each method. `peerId` is the libp2p identity that asked. */
export type ShardHandlers = {
  readonly [M in Exclude<ShardMethod, 'watch'>]: (
    params: ShardParams<M>,
    peerId: string,
  ) => Promise<PlainMap>;
};

/** Serves the shard protocol. The answer tells everyone who watches an account that it changed. */
export async function serveShard(
  host: Libp2p,
  handlers: ShardHandlers,
  onError: (error: unknown) => void,
): Promise<(accounts: Iterable<string>) => void> {
  const watchers = new Map<string, Set<FrameStream>>();
  const limits = new PeerLimits(SHARD_RATES, () => performance.now());

  await serveProtocol(
    host,
    SHARD_PROTOCOL,
    SHARD_LIMITS,
    async (frames, connection) => {
      const watched: string[] = [];
      const peerId = connection.remotePeer.toString();
      try {
        await serveRequests(
          frames,
          async (method, params) => {
            if (!Object.hasOwn(methods, method)) {
              throw new AceError('MessageUnexpected', `Unknown method ${method}`, { reaction: 'drop-peer' });
            }
            if (method === 'watch') {
              const { account } = checked(methods.watch.params, params);
              if (watched.length >= 16)
                throw new AceError('TooManyRequests', 'One stream watches 16 accounts at most');
              watched.push(account);
              watchers.set(account, (watchers.get(account) ?? new Set()).add(frames));
              return {};
            }
            return dispatch(handlers, method as Exclude<ShardMethod, 'watch'>, params, peerId);
          },
          onError,
          {
            take: (sizeBytes) => limits.take(peerId, sizeBytes),
            charge: (sizeBytes) => limits.charge(peerId, sizeBytes),
          },
        );
      } finally {
        for (const account of watched) {
          const set = watchers.get(account);
          set?.delete(frames);
          if (set?.size === 0) watchers.delete(account);
        }
      }
    },
    onError,
  );

  return (accounts) => {
    for (const account of accounts) {
      for (const frames of watchers.get(account) ?? []) {
        try {
          sendEvent(frames, 'account', { account });
        } catch (error) {
          onError(error);
        }
      }
    }
  };
}

function dispatch<M extends Exclude<ShardMethod, 'watch'>>(
  handlers: ShardHandlers,
  method: M,
  params: unknown,
  peerId: string,
): Promise<PlainMap> {
  const schema = methods[method].params as unknown as z.ZodType<ShardParams<M>, unknown>;
  return handlers[method](checked(schema, params), peerId);
}
