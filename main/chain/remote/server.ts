/**
 * The main chain for shards in other processes. Reading single figures is open to everyone, at a bounded rate; what
 * changes something or costs much is for the validators that the settings name, known by their libp2p identity. A
 * shard submits operations of its own accounts only: funds that another shard has leased out cannot leave behind its
 * back. A batch carries its validator's signature, which the chain checks.
 */

import * as dagCbor from '@ipld/dag-cbor';
import type { Libp2p } from '@libp2p/interface';
import { decodeSignedOperation } from '../../../shared/economy/operation.ts';
import { AceError } from '../../../shared/errors.ts';
import { fromHex, toHex } from '../../../shared/hex.ts';
import { homeShard } from '../../../shared/home-shard.ts';
import { decodeBatch } from '../../../shared/settlement/batch.ts';
import { encodeBatchResult, plainPayment } from '../../../shared/settlement/batch-result.ts';
import { serveProtocol } from '../../p2p/host.ts';
import { plainMarket, plainSettings } from '../../p2p/protocols/shard/messages.ts';
import { serveRequests } from '../../p2p/requests.ts';
import type { RpcHandlers } from '../../p2p/typed-rpc.ts';
import { KeyedRateLimiter } from '../../util/rate-limiter.ts';
import { sha256 } from '../../util/sha256.ts';
import { deviceKeyOf } from '../../wallet/device-peer-id.ts';
import type { MainChain } from '../port.ts';
import { CHAIN_LIMITS, CHAIN_PROTOCOL, MAX_ANSWER_BYTES, PART_BYTES, READS_PER_SECOND } from './constants.ts';
import { type ChainMethod, type chainMethods, chainRpc } from './messages.ts';
import { Parts } from './parts.ts';
import type { ShardDirectory } from './shard-directory.ts';

export interface ChainServerOptions {
  readonly host: Libp2p;
  readonly chain: MainChain;
  readonly directory: ShardDirectory;
  /** Whether shards may run faucets. */
  readonly devnet: boolean;
  readonly nowMs: () => number;
  readonly onError: (error: unknown, peerId: string) => void;
}

/** Who asks, and what is under way on its stream. */
interface Asker {
  readonly peerId: string;
  /** Its shard; −1 when it is no validator. */
  readonly shard: number;
  readonly upload: Parts;
  answer: Uint8Array;
}

type Handlers = RpcHandlers<typeof chainMethods, Asker>;

/** The rest is open to everyone. */
const VALIDATORS_ONLY: readonly ChainMethod[] = [
  'accounts',
  'changes',
  'batchResult',
  'submit',
  'part',
  'applyBatch',
  'more',
  'register',
];

export async function serveChain(options: ChainServerOptions): Promise<void> {
  const { host, chain, nowMs, onError } = options;
  const handlers = chainHandlers(options);
  const { validatorKeys } = chain.settings();
  const reads = new KeyedRateLimiter({ burst: READS_PER_SECOND, perSecond: READS_PER_SECOND }, nowMs);
  await serveProtocol(
    host,
    CHAIN_PROTOCOL,
    CHAIN_LIMITS,
    async (frames, { remotePeer }) => {
      const key = toHex(deviceKeyOf(remotePeer));
      const asker: Asker = {
        peerId: remotePeer.toString(),
        shard: validatorKeys.indexOf(key),
        upload: new Parts(),
        answer: NOTHING,
      };
      const handle = async (name: string, params: unknown) => {
        const method = chainRpc.methodNamed(name);
        if (asker.shard === -1) admit(method, asker.peerId, reads);
        return chainRpc.answer(handlers, method, params, asker);
      };
      await serveRequests(frames, handle, (error) => onError(error, asker.peerId));
    },
    (error, { remotePeer }) => onError(error, remotePeer.toString()),
  );
}

function admit(method: ChainMethod, peerId: string, reads: KeyedRateLimiter): void {
  if (VALIDATORS_ONLY.includes(method)) {
    throw new AceError('NotAllowed', `Only a validator of this network may ask for ${method}`);
  }
  const { retryAfterMs } = reads.take(peerId);
  if (retryAfterMs === 0) return;
  throw new AceError('TooManyRequests', `A peer asks the chain ${READS_PER_SECOND} times a second at most`, {
    details: { retryAfterMs },
  });
}

function chainHandlers({ chain, directory, devnet }: ChainServerOptions): Handlers {
  const settings = chain.settings();
  return {
    hello: async () => ({ settings: plainSettings(settings), devnet }),
    account: ({ address }) => chain.account(address),
    market: async () => plainMarket(await chain.market()),
    pools: async () => ({ pools: await chain.pools() }),
    supply: async () => ({ supply: await chain.supply() }),
    deviceLink: async ({ account, device }) => ({ link: await chain.deviceLink(account, device) }),
    devices: async ({ account }) => ({ devices: await chain.devices(account) }),
    accountOperations: async ({ address, fromHeight, limit }) => ({
      operations: (await chain.accountOperations(address, fromHeight, limit)).map(
        ({ payment, ...operation }) => ({ ...operation, payment: payment && plainPayment(payment) }),
      ),
    }),
    access: async ({ account, contentId, seller }) => ({
      access: await chain.access(account, contentId, seller),
    }),
    head: () => chain.head(),
    lastBatch: ({ shard }) => chain.lastBatch(shard),
    accounts: async (_, asker) => keep(asker, dagCbor.encode(await chain.accounts())),
    changes: async ({ cursor }, asker) => {
      return keep(asker, dagCbor.encode(await chain.changes(cursor)));
    },
    batchResult: async ({ shard, number }, asker) => {
      const result = await chain.batchResult(shard, number);
      return keep(asker, result ? encodeBatchResult(result) : NOTHING);
    },
    submit: async ({ operation: bytes }, asker) => {
      const { operation, signature } = decodeSignedOperation(bytes);
      const home = homeShard(operation.from, settings.validatorKeys.length, sha256);
      if (home !== asker.shard) {
        throw new AceError('WrongShard', `${operation.from} is at home on shard ${home}`, {
          details: { shard: home },
        });
      }
      const hex = toHex(signature);
      const receipt = await chain.submit({ operation, signature: `0x${hex}` }).catch(notDropped);
      return {
        height: receipt.height,
        hash: fromHex(receipt.hash.slice(2)),
        changes: receipt.changes,
      };
    },
    part: async ({ offset, bytes }, { upload }) => {
      upload.add(offset, bytes);
      return {};
    },
    applyBatch: async ({ signature }, asker) => {
      const batch = decodeBatch(asker.upload.take());
      return keep(asker, encodeBatchResult(await chain.applyBatch({ batch, signature }).catch(notDropped)));
    },
    more: async ({ offset }, asker) => {
      const part = asker.answer.slice(offset, offset + PART_BYTES);
      if (offset + part.length >= asker.answer.length) asker.answer = NOTHING;
      return { part };
    },
    register: async ({ multiaddrs }, { shard, peerId }) => {
      directory.register(shard, multiaddrs, peerId);
      return { shards: directory.all() };
    },
  };
}

const NOTHING = new Uint8Array();

/** Answers with the first part; the rest is kept for `more`, one answer on each stream. */
function keep(asker: Asker, answer: Uint8Array): { totalBytes: number; part: Uint8Array } {
  if (answer.length > MAX_ANSWER_BYTES) {
    throw new AceError('MessageTooLarge', 'The answer is larger than this protocol can carry');
  }
  asker.answer = answer.length > PART_BYTES ? answer : NOTHING;
  return { totalBytes: answer.length, part: answer.slice(0, PART_BYTES) };
}

/** What the chain refuses is the fault of its signer, not of the shard that handed it on. */
function notDropped(error: unknown): never {
  if (!(error instanceof AceError) || error.reaction !== 'drop-peer') throw error;
  throw new AceError(error.code, error.message, { cause: error, details: error.details });
}
