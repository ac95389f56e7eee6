/** What pages ask of the journal: the entries behind a number, the sums, an export, and whether all of it is true. */

import { z } from 'zod';
import { ADDRESS } from '../address.ts';
import { COMMODITIES, type Commodity } from '../journal/chart.ts';
import { type EntryKind, type JournalEntry, SOURCES } from '../journal/entry.ts';
import { EXPORT_FORMATS } from '../journal/export.ts';

export interface PostingView {
  /** With the counterparty's address, where the account has one below it for each. */
  readonly account: string;
  readonly commodity: Commodity;
  /** Tokens with 7 decimals, MiB with one; negative for income, liabilities and what goes out. */
  readonly amount: string;
}

export interface JournalEntryView {
  /** Its name in exports. */
  readonly entry: string;
  readonly atMs: number;
  readonly kind: EntryKind;
  readonly direction: JournalEntry['direction'];
  readonly counterparty: string | null;
  /** Of a settlement or a repayment: what the shard told, and in which batch. */
  readonly settlement: { readonly shard: number; readonly seq: number; readonly batchNumber: number } | null;
  /** Of an operation: the record in the main chain's log. */
  readonly height: number | null;
  /** Of the batch, or of the signed operation; hex. */
  readonly hash: string;
  /** That the batch used: XAC per GB, and XAC base units per MiB exactly. */
  readonly price: { readonly xacPerGb: string; readonly exact: string } | null;
  readonly channels: readonly { readonly channelId: string; readonly units: number }[];
  /** Another node's words. */
  readonly contents: readonly { readonly contentId: string; readonly name: string | null }[];
  /** A deposit that the node made by itself. */
  readonly automatic: boolean;
  readonly note: string;
  readonly postings: readonly PostingView[];
}

/** One line of `journal verify`. */
export interface JournalComparison {
  readonly account: string;
  readonly commodity: Commodity;
  /** What the entries add up to, what this node knows, and what the shard says now; `null` where it cannot be asked. */
  readonly journal: string;
  readonly node: string | null;
  readonly shard: string | null;
  readonly same: boolean;
}

export interface JournalVerification {
  /** Everything agrees. */
  readonly verified: boolean;
  readonly entries: number;
  /** Entries that are missing, too many, or not what their record says. */
  readonly wrongEntries: number;
  /** Records that contradict themselves, by name, twenty at most: they were changed after they were booked. */
  readonly contradicting: readonly string[];
  /** Whether the sums that the node keeps are those of the entries. */
  readonly sumsAgree: boolean;
  /** Channels, in hex, on which statements bill more than was revealed and the shard has shown a tick for. */
  readonly overbilled: readonly string[];
  /** Settlements that bill units without naming their channels. */
  readonly unnamed: number;
  /** Settlements of which the shard has not told yet how their sums came about. */
  readonly withoutDetail: number;
  readonly comparisons: readonly JournalComparison[];
  /** When the shard last told what the node knows; `null` when it never did. */
  readonly nodeAsOfMs: number | null;
  /** Whether the shard answered now. */
  readonly shardAsked: boolean;
}

const date = z.string().min(1).max(40);
const MAX_ENTRIES_PAGE = 500;

/** Of the chart, without a counterparty: it means all below it, too. */
const accountName = z.string().regex(/^[a-z]{1,20}(:[a-z]{1,20}){0,3}$/, 'not an account');
const MAX_ACCOUNTS_ASKED = 8;

export const journalInputs = {
  /** Newest first. Of several accounts: what touches any of them. */
  journalEntries: z
    .object({
      account: z
        .union([accountName, z.array(accountName).min(1).max(MAX_ACCOUNTS_ASKED).readonly()])
        .optional(),
      commodity: z.enum(COMMODITIES).optional(),
      counterparty: z.string().regex(ADDRESS).optional(),
      /** Of settlements only, or of operations only. */
      source: z.enum(SOURCES).optional(),
      /** From this moment on. */
      fromMs: z.number().int().nonnegative().optional(),
      /** Before this moment. */
      untilMs: z.number().int().nonnegative().optional(),
      /** `next` of the page before. */
      cursor: z
        .string()
        .regex(/^\d{1,16}\.[01]\.\d{1,16}\.\d{1,16}\.[01]$/, 'not the end of a page')
        .optional(),
      limit: z.number().int().min(1).max(MAX_ENTRIES_PAGE).default(50),
    })
    .strict(),
  journalBalances: z.object({}).strict(),
  journalVerify: z.object({}).strict(),
  /** Gives an address that serves the file once, within a minute. Dates as on the command line. */
  journalExport: z
    .object({
      format: z.enum(EXPORT_FORMATS),
      from: date.optional(),
      to: date.optional(),
      bom: z.boolean().default(false),
    })
    .strict(),
} as const;

export interface JournalOutputs {
  journalEntries: {
    readonly entries: readonly JournalEntryView[];
    /** Give it as `cursor`; `null` at the end. */
    readonly next: string | null;
  };
  /** Sums that are not 0. */
  journalBalances: { readonly balances: readonly PostingView[] };
  journalVerify: JournalVerification;
  journalExport: { readonly url: string; readonly fileName: string };
}
