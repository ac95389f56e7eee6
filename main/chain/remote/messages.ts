/**
 * What shards and the process that has the main chain say to each other: one schema per method, for the parameters and
 * for the answer. What may be large (a batch, its result, the list of accounts) crosses in parts.
 */
import { z } from 'zod';
import { PLACES } from '../../../shared/economy/holdings.ts';
import { TOKENS, type Token } from '../../../shared/economy/money.ts';
import { POOLS, type Pool } from '../../../shared/economy/settings.ts';
import { MAX_OPERATION_BYTES, MAX_SHARDS, OPERATIONS_TOLD } from '../../p2p/protocols/shard/constants.ts';
import {
  accountDevices,
  accountOperation,
  address,
  balances,
  blob,
  bytes,
  count,
  delta,
  holdings,
  marketResult,
  multiaddrs,
  settingsSchema,
  shardAddresses,
} from '../../p2p/protocols/shard/messages.ts';
import { type MethodName, type RpcResult, typedRpc } from '../../p2p/typed-rpc.ts';
import {
  MAX_ANSWER_BYTES,
  MAX_BATCH_BYTES,
  MAX_CHANGES,
  MAX_CONTENT_ID_CHARS,
  MAX_CURSOR_CHARS,
  MAX_HOLDER_CHARS,
  MAX_SIGNATURE_BYTES,
  PART_BYTES,
} from './constants.ts';

const amount = balances.shape.XAT;
const token = z.enum(TOKENS);

export const accountSchema = z.object({ address, ...holdings, nonce: count, creditUsedUnits: count });

/** What an account has bought of one content. */
export const accessSchema = z.object({
  contentId: z.string().max(MAX_CONTENT_ID_CHARS),
  seller: address,
  priceXac: amount,
  premium: z.boolean(),
  lastsMs: count,
  boughtAtMs: count,
  untilMs: count,
});

/** What `changes` answers, after its parts are put together. */
export const changesSchema = z.object({
  cursor: z.string().max(MAX_CURSOR_CHARS),
  addresses: z.array(z.string()).nullable(),
});

/** The first part of a large answer; `more` has the rest. */
const large = z.object({ totalBytes: count.max(MAX_ANSWER_BYTES), part: blob(PART_BYTES) });

function each<K extends string, T extends z.ZodType>(keys: readonly K[], schema: T) {
  return z.object(Object.fromEntries(keys.map((key) => [key, schema])) as Record<K, T>);
}

export const chainMethods = {
  /** Which network this is. */
  hello: { params: z.object({}), result: z.object({ settings: settingsSchema, devnet: z.boolean() }) },
  account: { params: z.object({ address }), result: accountSchema },
  market: {
    params: z.object({}),
    result: marketResult,
  },
  pools: { params: z.object({}), result: z.object({ pools: each<Pool, typeof balances>(POOLS, balances) }) },
  supply: {
    params: z.object({}),
    result: z.object({
      supply: each(
        TOKENS as readonly Token[],
        z.object({ genesis: amount, emitted: amount, burned: amount }),
      ),
    }),
  },
  deviceLink: {
    params: z.object({ account: address, device: z.string().regex(/^[0-9a-f]{64}$/) }),
    result: z.object({ link: z.enum(['linked', 'unlinked']).nullable() }),
  },
  devices: {
    params: z.object({ account: address }),
    result: z.object({ devices: accountDevices }),
  },
  access: {
    params: z.object({ account: address, contentId: z.string().max(MAX_CONTENT_ID_CHARS), seller: address }),
    result: z.object({ access: accessSchema.nullable() }),
  },
  head: { params: z.object({}), result: z.object({ height: count, hash: bytes(32) }) },
  /** What operations did to an account. */
  accountOperations: {
    params: z.object({ address, fromHeight: count, limit: count.max(OPERATIONS_TOLD) }),
    result: z.object({ operations: z.array(accountOperation).max(OPERATIONS_TOLD) }),
  },
  lastBatch: { params: z.object({ shard: count }), result: z.object({ number: count, hash: bytes(32) }) },

  // For validators only, each of whom the settings name: these change something, or cost much.
  /** All accounts, as a large answer: dag-cbor, a list of what `account` answers. */
  accounts: { params: z.object({}), result: large },
  /** What changed since, as a large answer: dag-cbor of `AccountChanges`. */
  changes: { params: z.object({ cursor: z.string().max(MAX_CURSOR_CHARS).nullable() }), result: large },
  /** The bytes of `encodeBatchResult`, as a large answer; empty when there is no such batch. */
  batchResult: { params: z.object({ shard: count, number: count }), result: large },
  /** The bytes of `encodeSignedOperation`, of an account that is at home on the asking shard. */
  submit: {
    params: z.object({ operation: blob(MAX_OPERATION_BYTES) }),
    result: z.object({
      height: count,
      hash: bytes(32),
      changes: z
        .array(
          z.object({
            holder: z.string().max(MAX_HOLDER_CHARS),
            place: z.enum(PLACES).nullable(),
            token,
            delta,
          }),
        )
        .max(MAX_CHANGES),
    }),
  },
  /** A part of a batch to come, the bytes of `encodeBatch`. One at offset 0 starts anew. */
  part: {
    params: z.object({ offset: count.max(MAX_BATCH_BYTES), bytes: blob(PART_BYTES) }),
    result: z.object({}),
  },
  /** Applies the batch whose parts have come. The bytes of `encodeBatchResult`, as a large answer. */
  applyBatch: { params: z.object({ signature: blob(MAX_SIGNATURE_BYTES) }), result: large },
  /** The next part of this stream's last large answer. */
  more: {
    params: z.object({ offset: count.max(MAX_ANSWER_BYTES) }),
    result: z.object({ part: blob(PART_BYTES) }),
  },
  /** Says where the asking shard listens, and hears where all do. */
  register: {
    params: z.object({ multiaddrs }),
    result: z.object({ shards: z.array(shardAddresses).max(MAX_SHARDS) }),
  },
} as const;

export const chainRpc = typedRpc(chainMethods);

export type ChainMethod = MethodName<typeof chainMethods>;
export type ChainResult<M extends ChainMethod> = RpcResult<typeof chainMethods, M>;
