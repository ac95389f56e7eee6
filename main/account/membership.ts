/** How a node and its network know each other: what the shard said of itself, kept for the time that it is away. */
import * as dagCbor from '@ipld/dag-cbor';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError, type ErrorCode, isAceError } from '../../shared/errors.ts';
import type { NodeStore } from '../db/node/store.ts';
import { intact } from '../db/store-error.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { methods, plainSettings, type ShardResult } from '../p2p/protocols/shard/messages.ts';
import { checked } from '../p2p/typed-rpc.ts';
import type { Log } from '../process/log.ts';

const HELLO_KEY = 'hello';
const AWAY: ReadonlySet<ErrorCode> = new Set(['ShardUnavailable', 'RequestTimeout', 'PeerClosed']);

/** What the shard says of itself; while it is away, what it said when this node met it last. */
export async function meetShard(
  client: ShardClient,
  store: NodeStore,
  mustReach: boolean,
  log: Log,
): Promise<ShardResult<'hello'>> {
  try {
    await client.connect();
    return await client.call('hello', {});
  } catch (error) {
    const known = store.meta.get(HELLO_KEY);
    if (mustReach || known === null || !isAway(error)) throw error;
    log.warn({ err: error }, 'starting without the shard; it is tried again and again');
    return intact(() => checked(methods.hello.result, dagCbor.decode(Buffer.from(known, 'base64'))));
  }
}

/** The shard does not answer now: it is not there, has no room for this peer, or has stopped in the middle. */
export function isAway(error: unknown): boolean {
  return isAceError(error) && AWAY.has(error.code);
}

export function rememberShard(
  store: NodeStore,
  { shard, devnet, settings, shards }: ShardResult<'hello'>,
): void {
  const plain = dagCbor.encode({ shard, devnet, settings: plainSettings(settings), shards });
  store.commit(() => store.meta.set(HELLO_KEY, Buffer.from(plain).toString('base64')));
}

/** A store belongs to one network and one account; mixing two would mix their money. */
export function bindStore(store: NodeStore, network: string, account: string, dir: string): void {
  const facts = [
    ['network', network],
    ['account', account],
  ] as const;
  for (const [key, value] of facts) {
    const stored = store.meta.get(key);
    if (stored !== null && stored !== value) {
      throw new AceError(
        'DataDirMismatch',
        `${dir} belongs to ${key} ${stored}, not ${value}: choose another --data-dir`,
      );
    }
    if (stored === null) store.commit(() => store.meta.set(key, value));
  }
}

/** A shard that is met again must be of the same network. @throws AceError `WrongNetwork` */
export function checkNetwork(
  met: Pick<NetworkSettings, 'networkId'>,
  own: Pick<NetworkSettings, 'networkId'>,
): void {
  if (met.networkId === own.networkId) return;
  throw new AceError('WrongNetwork', `The validator is of ${met.networkId}, not ${own.networkId}`);
}
