/**
 * What nodes and their shard send each other: one schema per method, both for the parameters and for the answer.
 * Everything that comes from the other side passes one of these before anyone looks at it.
 */

import { z } from 'zod';
import { ADDRESS } from '../../../../shared/address.ts';
import { MAX_DEVICES_TOLD, type Market } from '../../../../shared/chain.ts';
import { MAX_PROOF_BYTES } from '../../../../shared/channel/equivocation.ts';
import { PLACES } from '../../../../shared/economy/holdings.ts';
import { TOKENS } from '../../../../shared/economy/money.ts';
import type { Payment } from '../../../../shared/economy/payment.ts';
import { formatRatio, parseRatio, type Ratio } from '../../../../shared/economy/ratio.ts';
import { type NetworkSettings, POOLS, type Pool } from '../../../../shared/economy/settings.ts';
import { MAX_ACCESS_BYTES } from '../../../../shared/settlement/access-certificate.ts';
import { paymentFrom } from '../../../../shared/settlement/batch-result.ts';
import { CHANNELS_TOLD } from '../../../../shared/settlement/statement.ts';
import { type MethodName, type RpcResult, type Sent, typedRpc } from '../../typed-rpc.ts';
import {
  BILLS_ASKED,
  CHANNELS_ASKED,
  LOANS_TOLD,
  MAX_CERTIFICATE_BYTES,
  MAX_CHECKPOINT_BYTES,
  MAX_CONTENTS_ANNOUNCED,
  MAX_MULTIADDR_CHARS,
  MAX_MULTIADDRS,
  MAX_OPERATION_BYTES,
  MAX_PEER_ID_CHARS,
  MAX_PEERS_ANSWERED,
  MAX_SHARDS,
  MAX_TERMS_BYTES,
  OPERATIONS_TOLD,
  STATEMENT_PAGE,
} from './constants.ts';

/** Digits of an exact ratio: prices are products of a few 64-bit numbers. */
const MAX_RATIO_TEXT = 400;

export const bytes = (length: number) =>
  z.custom<Uint8Array>((b) => b instanceof Uint8Array && b.byteLength === length, `must be ${length} bytes`);
export const blob = (max: number) =>
  z.custom<Uint8Array>((b) => b instanceof Uint8Array && b.byteLength <= max, `at most ${max} bytes`);
export const count = z.number().int().nonnegative();
/** dag-cbor gives small integers as numbers. */
export const big = z
  .union([z.bigint(), count])
  .transform((value) => BigInt(value))
  .refine((value) => value >= 0n, 'must not be negative');
/** A change of what is held, base units, either way. */
export const delta = z.union([z.bigint(), z.number().int()]).transform((value) => BigInt(value));
export const address = z.string().regex(ADDRESS);
/** CIDv1 of a dag-cbor block under sha2-256, in base32: what every content of this network has. */
const contentId = z.string().regex(/^bafyrei[a-z2-7]{52}$/);
export const multiaddrs = z.array(z.string().max(MAX_MULTIADDR_CHARS)).max(MAX_MULTIADDRS);
/** `num/den`: the integers of an exact ratio pass the 64 bits that dag-cbor has. */
const exactRatio = z
  .string()
  .max(MAX_RATIO_TEXT)
  .transform((text, context) => {
    try {
      return parseRatio(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'not an exact ratio' });
      return z.NEVER;
    }
  });

export const settingsSchema = z.object({
  networkId: z.string().min(1).max(64),
  chainId: count,
  trafficCreditLimitUnits: count,
  trafficFee: exactRatio,
  premiumPoolAccessFee: exactRatio,
  contentAccessFee: exactRatio,
  trafficPriceUsd: exactRatio,
  initialTrafficRate: exactRatio,
  priorWeightHours: count,
  settlementIntervalMs: count,
  validatorKeys: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(MAX_SHARDS),
  pinnedXacPerXat: exactRatio.nullable(),
  pinnedXacPerXas: exactRatio.nullable(),
  swapFee: exactRatio,
  rateWindowMs: count,
  initialAceBytePriceUsd: exactRatio,
  feedAccount: address.nullable(),
  treasury: address.nullable(),
});

/** Settings with each ratio as exact text, ready for dag-cbor. */
export function plainSettings(settings: NetworkSettings): Sent<z.input<typeof settingsSchema>> {
  const ratio = (value: Ratio | null) => value && formatRatio(value);
  return {
    ...settings,
    trafficFee: formatRatio(settings.trafficFee),
    premiumPoolAccessFee: formatRatio(settings.premiumPoolAccessFee),
    contentAccessFee: formatRatio(settings.contentAccessFee),
    trafficPriceUsd: formatRatio(settings.trafficPriceUsd),
    initialTrafficRate: formatRatio(settings.initialTrafficRate),
    pinnedXacPerXat: ratio(settings.pinnedXacPerXat),
    pinnedXacPerXas: ratio(settings.pinnedXacPerXas),
    swapFee: formatRatio(settings.swapFee),
    initialAceBytePriceUsd: formatRatio(settings.initialAceBytePriceUsd),
  };
}

export const balances = z.object({ XAT: big, XAC: big, XAS: big, XAB: big });

/** What lies in an account's two places, base units. */
export const holdings = { main: balances, services: z.object({ XAC: big, XAT: big, XAS: big }) };

/** The list of `plainPayment`. */
const payment = z.array(big).length(9);

/** The payment that a list of base units stands for. @throws AceError `MessageMalformed`, `InvalidAmount` */
export function paymentFromPlain(plain: z.output<typeof payment>): Payment {
  return paymentFrom(plain);
}

/** What one operation did to an account; see `AccountOperation`. */
export const accountOperation = z.object({
  height: count,
  atMs: count,
  /** Bytes of `encodeSignedOperation`; `null` of genesis. */
  operation: blob(MAX_OPERATION_BYTES).nullable(),
  deltas: z.object({
    main: z.object({ XAT: delta, XAC: delta, XAS: delta, XAB: delta }),
    services: z.object({ XAC: delta, XAT: delta, XAS: delta }),
  }),
  payment: payment.nullable(),
});

export const shardAddresses = z.object({ shard: count, multiaddrs });
export type ShardAddresses = z.output<typeof shardAddresses>;

/** What prices are worked out with. */
export const marketResult = z.object({
  videoUnits: big,
  watchMs: big,
  xacPerXat: exactRatio,
  xacPerXas: exactRatio,
  aceBytePriceUsd: exactRatio,
});

/** A market as it is sent. */
export function plainMarket({ totals, rates, aceBytePriceUsd }: Market): z.input<typeof marketResult> {
  return {
    videoUnits: totals.videoUnits,
    watchMs: totals.watchMs,
    xacPerXat: formatRatio(rates.xacPerXat),
    xacPerXas: formatRatio(rates.xacPerXas),
    aceBytePriceUsd: formatRatio(aceBytePriceUsd),
  };
}

/** The devices of an account, by its operations. */
export const accountDevices = z
  .array(z.object({ device: z.string().regex(/^[0-9a-f]{64}$/), linked: z.boolean() }))
  .max(MAX_DEVICES_TOLD);

/** Reserves of a pair of the exchange, base units. */
const reserves = z.object({ XAC: big, token: big });
const pools = z.object(
  Object.fromEntries(POOLS.map((pool) => [pool, balances])) as Record<Pool, typeof balances>,
);
const tokenSupply = z.object({ genesis: big, emitted: big, burned: big });
const supply = z.object({ XAT: tokenSupply, XAC: tokenSupply, XAS: tokenSupply, XAB: tokenSupply });

const settlementRow = z.object({
  seq: count,
  shard: count,
  batchNumber: count,
  batchHash: bytes(32),
  atMs: count,
  direction: z.enum(['paid', 'earned']),
  counterparty: address,
  paidUnits: count,
  creditUnits: count,
  refusedUnits: count,
  repaidUnits: count,
  grossXac: big,
  feeXac: big,
  xatBurned: big,
  xasPaid: big,
  feeXas: big,
  /** XAC base units per traffic unit. */
  price: exactRatio,
  /** What moved for each part of it, and the channels whose traffic it settled: those with most units. */
  repayment: payment.nullable(),
  payment: payment.nullable(),
  channels: z.array(z.object({ channelId: bytes(32), units: count })).max(CHANNELS_TOLD),
  /** The shard's, over `encodeStatement`. */
  signature: bytes(64),
});

/** True of a lease that ended before its time, because its payer's device was unlinked; left out of others. */
const ended = z.boolean().optional();

export const methods = {
  /** Who the shard is and which rules it keeps. */
  hello: {
    params: z.object({}),
    result: z.object({
      shard: count,
      settings: settingsSchema,
      devnet: z.boolean(),
      /** Where the network's shards listen, as far as this one knows. */
      shards: z.array(shardAddresses).max(MAX_SHARDS).default([]),
      /** Some of the peers that were here lately, each as its addresses: to begin with when no shard answers. */
      peers: z.array(multiaddrs).max(MAX_PEERS_ANSWERED).default([]),
      /** The shard's time, to hold one's own clock against. Left out by older shards. */
      timeMs: count.optional(),
      /** Its own clock has jumped: it grants no lease and settles nothing until that is right. */
      clockJumped: z.boolean().optional(),
    }),
  },
  account: {
    params: z.object({ address }),
    result: z.object({
      ...holdings,
      nonce: count,
      creditUsedUnits: count,
      /** Loans, oldest first, as many as one answer has room for. All of them are `creditUsedUnits`. */
      loans: z.array(z.object({ creditor: address, units: count, sinceMs: count })).max(LOANS_TOLD),
      loanCount: count,
      /** Units leased or claimed and not settled yet. */
      reservedUnits: count,
      /** Units that a new lease could still have. */
      leasableUnits: count,
      lastSeq: count,
    }),
  },
  market: {
    params: z.object({}),
    result: marketResult,
  },
  /** What a swap would be worked out with: reserves of each token that trades with XAC. */
  exchange: { params: z.object({}), result: z.object({ XAT: reserves, XAS: reserves, XAB: reserves }) },
  /** Whether an account has bought access to a content: the bytes of `encodeAccess`, signed; `null` for what it has not. */
  access: {
    params: z.object({ account: address, contentId, seller: address }),
    result: z.object({
      certificate: z.object({ record: blob(MAX_ACCESS_BYTES), signature: bytes(64) }).nullable(),
    }),
  },
  devices: { params: z.object({ account: address }), result: z.object({ devices: accountDevices }) },
  /** What the network's pools hold, and how much of each token there is. */
  pools: { params: z.object({}), result: z.object({ pools, supply }) },
  lease: {
    params: z.object({
      terms: blob(MAX_TERMS_BYTES),
      termsSignature: bytes(64),
      certificate: blob(MAX_CERTIFICATE_BYTES),
    }),
    result: z.object({ signature: bytes(64) }),
  },
  claim: {
    params: z.object({
      channelId: bytes(32),
      units: count,
      tick: bytes(32),
      /** Latest checkpoint, canonical bytes, with both signatures; null before the first. */
      checkpoint: z
        .object({
          record: blob(MAX_CHECKPOINT_BYTES),
          payerSignature: bytes(64),
          payeeSignature: bytes(64).nullable(),
        })
        .nullable(),
      /** For a shard that has forgotten it. */
      lease: z
        .object({ terms: blob(MAX_TERMS_BYTES), termsSignature: bytes(64), leaseSignature: bytes(64) })
        .optional(),
    }),
    result: z.object({ claimedUnits: count, released: z.boolean(), ended }),
  },
  /** How far channels have come; one without a lease is left out. */
  channels: {
    params: z.object({ channelIds: z.array(bytes(32)).max(CHANNELS_ASKED) }),
    result: z.object({
      channels: z
        .array(
          z.object({
            channelId: bytes(32),
            claimedUnits: count,
            appliedUnits: count,
            released: z.boolean(),
            ended,
          }),
        )
        .max(CHANNELS_ASKED),
    }),
  },
  /**
   * What a shard bills a channel's payer for: the deepest tick that it holds, and the terms that the payer's device
   * signed. One without a lease is left out.
   */
  bill: {
    params: z.object({ channelIds: z.array(bytes(32)).max(BILLS_ASKED) }),
    result: z.object({
      bills: z
        .array(
          z.object({
            channelId: bytes(32),
            units: count,
            tick: bytes(32),
            terms: blob(MAX_TERMS_BYTES),
            termsSignature: bytes(64),
          }),
        )
        .max(BILLS_ASKED),
    }),
  },
  /** A proof that a payer's device contradicted itself: the bytes of `encodeProof`. */
  report: { params: z.object({ proof: blob(MAX_PROOF_BYTES) }), result: z.object({}) },
  statement: {
    /** For the account's own devices: what it costs to tell is theirs to ask for. */
    params: z.object({ account: address, afterSeq: count, certificate: blob(MAX_CERTIFICATE_BYTES) }),
    result: z.object({ rows: z.array(settlementRow).max(STATEMENT_PAGE), lastSeq: count }),
  },
  announce: {
    /** The certificate says of which account; the connection proves that it is of the device that announces. */
    params: z.object({
      certificate: blob(MAX_CERTIFICATE_BYTES),
      contentIds: z.array(contentId).max(MAX_CONTENTS_ANNOUNCED),
      multiaddrs,
    }),
    result: z.object({ ttlMs: count }),
  },
  providers: {
    params: z.object({ contentId }),
    result: z.object({
      providers: z
        .array(z.object({ account: address, peerId: z.string().max(MAX_PEER_ID_CHARS), multiaddrs }))
        .max(MAX_PEERS_ANSWERED),
    }),
  },
  /** An operation that an account signed: the bytes of `encodeSignedOperation`. */
  submit: {
    params: z.object({ operation: blob(MAX_OPERATION_BYTES) }),
    result: z.object({ height: count, hash: bytes(32) }),
  },
  /** What operations did to an account at home here, in order of height. */
  operations: {
    params: z.object({ account: address, fromHeight: count }),
    result: z.object({
      operations: z
        .array(accountOperation.extend({ /** A gift of this devnet's faucet. */ faucet: z.boolean() }))
        .max(OPERATIONS_TOLD),
    }),
  },
  /** From now on `account` events for this account come over this stream. */
  watch: { params: z.object({ account: address }), result: z.object({}) },
  /** Devnet: tokens from the faucet account, XAT unless another is named. They arrive at `place`. */
  faucet: {
    params: z.object({
      account: address,
      amountXat: big,
      token: z.enum(TOKENS).default('XAT'),
      place: z.enum(PLACES).default('services'),
    }),
    result: z.object({ height: count }),
  },
  /** Devnet: settles now instead of at the next interval. */
  settle: { params: z.object({}), result: z.object({ batchNumber: count.nullable() }) },
} as const;

export const shardRpc = typedRpc(methods);

export type ShardMethod = MethodName<typeof methods>;
export type ShardResult<M extends ShardMethod> = RpcResult<typeof methods, M>;
/** As it is sent. */
export type SettlementMessage = z.input<typeof settlementRow>;
