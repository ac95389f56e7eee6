/**
 * What pages ask of the settlement history: any part of it by a filter, its sums, and one row down to the signed records
 * that made it. Amounts are decimal token strings, times milliseconds since 1970 UTC.
 */

import { z } from 'zod';
import { ADDRESS } from '../address.ts';
import type { DecimalAmount } from '../economy/money.ts';
import { because } from '../input-words.ts';

/**
 * `paid`: this account's funds paid something, also a loan; `received`: it got something; `repayment`: a loan was repaid,
 * in either direction; `loan`: traffic went on credit, in either direction. One row may be of several kinds.
 */
export const SETTLEMENT_KINDS = ['paid', 'received', 'repayment', 'loan'] as const;

const MAX_SETTLEMENTS_PAGE = 500;

export const settlementFilterSchema = z
  .object({
    /** From this moment on. */
    fromMs: z.number().int().nonnegative().optional(),
    /** Before this moment. */
    untilMs: z.number().int().nonnegative().optional(),
    counterparty: z
      .string()
      .trim()
      .toLowerCase()
      .refine((text) => ADDRESS.test(text), because('form', 'not an account: 0x and 40 digits from 0 to f'))
      .optional(),
    kind: z.enum(SETTLEMENT_KINDS).optional(),
    /** What the traffic was; empty: of no title that this node knows. */
    contentId: z.string().max(120).optional(),
  })
  .strict()
  .refine(({ fromMs, untilMs }) => fromMs === undefined || untilMs === undefined || fromMs < untilMs, {
    ...because('period-reversed', 'the first day is after the last one'),
    path: ['fromMs'],
  });

export type SettlementFilter = z.infer<typeof settlementFilterSchema>;

/** What the settlements of a day are grouped by. */
const SETTLEMENT_GROUPINGS = ['peer', 'title'] as const;
export type SettlementGrouping = (typeof SETTLEMENT_GROUPINGS)[number];
/** Of a day, those with most traffic. */
export const MAX_GROUPS = 500;
const MAX_DAYS_PAGE = 100;
const dayName = z
  .string()
  .refine(
    (text) => /^\d{4,6}-\d{2}-\d{2}$/.test(text),
    because('day', 'not a day: write for example 2026-11-21'),
  );

export const settlementInputs = {
  settlementHistory: z
    .object({
      filter: settlementFilterSchema.default({}),
      /** `next` of an earlier page, whose rows come before these. */
      after: z
        .string()
        .regex(/^\d{1,16}-\d{1,16}$/, 'not the end of a page')
        .optional(),
      /** Rows passed over after that. */
      skip: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).default(0),
      limit: z.number().int().min(1).max(MAX_SETTLEMENTS_PAGE).default(100),
    })
    .strict(),
  /** Of the filter, days without settlements left out. A title is no part of it: that is what a day is opened for. */
  settlementDays: z
    .object({
      filter: settlementFilterSchema.default({}),
      /** `next` of an earlier page, whose days come after these. */
      before: dayName.optional(),
      limit: z.number().int().min(1).max(MAX_DAYS_PAGE).default(31),
    })
    .strict(),
  /** Of one day, by peer or by title. */
  settlementGroups: z
    .object({
      day: dayName,
      by: z.enum(SETTLEMENT_GROUPINGS),
      filter: settlementFilterSchema.default({}),
    })
    .strict(),
  settlementSums: z.object({ filter: settlementFilterSchema.default({}) }).strict(),
  settlementCounterparties: z.object({}).strict(),
  /** By its place in this node's history, or by the shard's number of it. */
  settlementDetail: z.union([
    z.object({ seq: z.number().int().positive() }).strict(),
    z.object({ shard: z.number().int().nonnegative(), shardSeq: z.number().int().positive() }).strict(),
  ]),
} as const;

export interface SettlementPage {
  /** Newest first. */
  readonly rows: readonly SettlementView[];
  /** Give it as `after` for the next page; `null` at the end. */
  readonly next: string | null;
}

/** Sums of one direction: what this account paid, or what it earned. */
export interface DirectionSums {
  readonly count: number;
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
  readonly repaidUnits: number;
  /** What the payers gave; the fee out of it; what the payees got. */
  readonly grossXac: string;
  readonly feeXac: string;
  readonly netXac: string;
  readonly xatBurned: string;
  readonly xasPaid: string;
  readonly feeXas: string;
}

export interface SettlementSums {
  readonly count: number;
  readonly paid: DirectionSums;
  readonly earned: DirectionSums;
}

export interface SettlementCounterparty {
  readonly account: string;
  readonly count: number;
}

/** One day of the clock of the node's machine. */
export interface SettlementDayView extends SettlementSums {
  /** `2026-11-21` */
  readonly day: string;
  /** When it began and ended: a filter for its settlements. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface SettlementDaysPage {
  /** Newest first. */
  readonly days: readonly SettlementDayView[];
  /** Give it as `before` for the next page; `null` at the end. */
  readonly next: string | null;
}

/** All settlements of a day with one peer, or of one title; one that was for several titles is in each of them. */
export interface SettlementGroupView extends SettlementSums {
  /** An account, or a content id; empty for titles that this node does not know. */
  readonly key: string;
  /** Of a title; `null` when it is gone from the library, and of peers. */
  readonly name: string | null;
}

/** A record as it was signed, for anyone to check: hex of the canonical bytes and of the Ed25519 signatures over them. */
export interface SignedRecordView {
  readonly record: string;
  readonly signatures: readonly {
    readonly by: 'payer' | 'payee' | 'shard';
    /** Raw Ed25519 key, hex. */
    readonly key: string;
    readonly signature: string;
    /** Checked anew by this node. */
    readonly valid: boolean;
  }[];
}

/** Units of one channel that a settlement took up. */
export interface SettledChannelView {
  /** SHA-256 of its terms, hex. */
  readonly channelId: string;
  /** Ticks of the channel that this settlement took up: one for each MiB. */
  readonly units: number;
  /** What this node keeps of the channel; `null` when its books are gone, or were another device's. */
  readonly kept: {
    readonly openedAtMs: number;
    readonly capacityUnits: number;
    /** What the payer's device offered, and the shard's lease on it. */
    readonly terms: SignedRecordView;
    readonly lease: SignedRecordView | null;
    /** The latest one; `null` before the first. */
    readonly checkpoint:
      | (SignedRecordView & {
          readonly number: number;
          /** Paid on the channel by then. */
          readonly units: number;
          readonly bytes: number;
          readonly watchMs: number;
          readonly final: boolean;
        })
      | null;
    /** The deepest tick that this side holds: 32 bytes, hex, and its index. A payer holds none. */
    readonly tick: { readonly units: number; readonly value: string } | null;
  } | null;
}

/** Everything that one payment of an entry moved: XAC first, then XAT burned for XAC, then XAS. */
export interface PaymentPartView {
  readonly units: number;
  readonly fromXac: string;
  readonly xatBurned: string;
  /** XAC emitted for the burned XAT. */
  readonly emittedXac: string;
  readonly fromXas: string;
  readonly feeXac: string;
  readonly feeXas: string;
  /** What the payee got. */
  readonly netXac: string;
  readonly netXas: string;
}

export interface SettlementDetail {
  readonly row: SettlementView;
  readonly feeXas: string;
  /** Units of this row's loan that no repayment has taken yet: the oldest loan of a peer is repaid first. */
  readonly stillOwedUnits: number;
  /** XAC base units per traffic unit, exact, `num/den`. */
  readonly xacPerUnit: string;
  /** What the repaid loans and what the new traffic moved; `null` where nothing was paid, or an old shard did not say. */
  readonly repayment: PaymentPartView | null;
  readonly payment: PaymentPartView | null;
  /** The shard's signed word on this entry of the batch. `null` of the time before shards signed any. */
  readonly statement: SignedRecordView | null;
  /** Those that brought the units, as the shard signed; none where loans alone were repaid, or an old shard did not say. */
  readonly channels: readonly SettledChannelView[];
}

export interface SettlementOutputs {
  settlementHistory: SettlementPage;
  settlementDays: SettlementDaysPage;
  /** Those with most traffic first, 500 at most. */
  settlementGroups: readonly SettlementGroupView[];
  /** Of everything that the filter lets pass. */
  settlementSums: SettlementSums;
  /** Those with most settlements first, 500 at most. */
  settlementCounterparties: readonly SettlementCounterparty[];
  settlementDetail: SettlementDetail;
}

export interface SettlementView {
  /** Position in this node's history, ascending. */
  readonly seq: number;
  readonly shard: number;
  /** The shard's number of it: with the shard, its name everywhere (`shared/settlement/name.ts`). */
  readonly shardSeq: number;
  readonly batchNumber: number;
  /** Hash of the batch, hex. */
  readonly batchHash: string;
  readonly atMs: number;
  readonly direction: 'paid' | 'earned';
  /** The other account. */
  readonly counterparty: string;
  /** Consumed units paid from funds, taken on credit, refused; and loan units repaid. */
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
  readonly repaidUnits: number;
  /** What the payer gave, before the fee. */
  readonly grossXac: DecimalAmount;
  readonly feeXac: DecimalAmount;
  readonly netXac: DecimalAmount;
  readonly xatBurned: DecimalAmount;
  readonly xasPaid: DecimalAmount;
  readonly xacPerGb: DecimalAmount;
}
