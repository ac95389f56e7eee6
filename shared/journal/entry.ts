/**
 * Journal entries: what happened to one account, each balanced per commodity, and their canonical bytes. An entry is
 * made of one record of a main chain or shard and of nothing else, so the same records always give the same bytes.
 */
import * as dagCbor from '@ipld/dag-cbor';
import type { OperationKind } from '../economy/operation.ts';
import { formatRatio, parseRatio, type Ratio } from '../economy/ratio.ts';
import { AceError, invariant } from '../errors.ts';
import type { ChannelUnits } from '../settlement/statement.ts';
import {
  CHART_ACCOUNTS,
  type ChartAccount,
  COMMODITIES,
  type Commodity,
  isPerCounterparty,
} from './chart.ts';

/** In the order of entries of one moment: funds arrive before they pay. */
export const SOURCES = ['operation', 'settlement'] as const;
export type EntrySource = (typeof SOURCES)[number];

/** An operation of another account is named like one's own. `opening`: genesis; `faucet`: its transfer. */
export type EntryKind = 'settlement' | 'repayment' | 'opening' | 'faucet' | OperationKind;

/** Where an entry stands: by time, then by the record that it is made of. */
export interface EntryKey {
  /** UTC milliseconds: of the batch, or the chain's time of an operation. */
  readonly atMs: number;
  readonly source: EntrySource;
  /** The shard that told the settlement; 0 of an operation. */
  readonly shard: number;
  /** The shard's number of its statement; the height of an operation. */
  readonly seq: number;
  /** 0 for the first entry that a record makes, 1 for its second. */
  readonly part: number;
}

export interface Posting {
  readonly account: ChartAccount;
  readonly commodity: Commodity;
  /** Base units of a token, whole MiB of traffic; never 0. */
  readonly amount: bigint;
}

export interface JournalEntry extends EntryKey {
  readonly kind: EntryKind;
  /** Whether value came in, went out, or both (`self`). */
  readonly direction: 'in' | 'out' | 'self';
  /** The other account, lower case; `null` where there is none. */
  readonly counterparty: string | null;
  /** Number of the settlement batch; 0 of an operation. */
  readonly batchNumber: number;
  /** Of the batch, or EIP-712 of the signed operation; 32 bytes. */
  readonly hash: Uint8Array;
  /** XAC base units per MiB that the batch used; `null` of an operation. */
  readonly price: Ratio | null;
  /** Channels whose traffic was settled, those with most units first. */
  readonly channels: readonly ChannelUnits[];
  /** What an operation says itself: a content's id, a reward's purpose, a device. Another's text. */
  readonly note: string;
  readonly postings: readonly Posting[];
}

const TAG = 'ace-journal-1';
const FIELDS = 15;

/** The ledger account of a posting: of a loan, that of its counterparty. */
export function ledgerAccount(entry: Pick<JournalEntry, 'counterparty'>, account: ChartAccount): string {
  return isPerCounterparty(account) ? `${account}:${entry.counterparty}` : account;
}

/** What an entry does to one account. */
export function amountIn(
  entry: Pick<JournalEntry, 'postings'>,
  account: ChartAccount,
  commodity: Commodity,
): bigint {
  let sum = 0n;
  for (const posting of entry.postings) {
    if (posting.account === account && posting.commodity === commodity) sum += posting.amount;
  }
  return sum;
}

/** @throws AceError `InvariantViolated` unless the postings of each commodity add up to 0 */
export function checkBalanced({ postings }: Pick<JournalEntry, 'postings'>): void {
  for (const commodity of COMMODITIES) {
    let sum = 0n;
    for (const posting of postings) if (posting.commodity === commodity) sum += posting.amount;
    invariant(sum === 0n, `the postings of a journal entry add up to 0 ${commodity}`);
  }
}

/** Canonical: one entry has exactly one encoding. */
export function encodeEntry(entry: JournalEntry): Uint8Array {
  return dagCbor.encode([
    TAG,
    entry.atMs,
    entry.source,
    entry.shard,
    entry.seq,
    entry.part,
    entry.kind,
    entry.direction,
    entry.counterparty,
    entry.batchNumber,
    entry.hash,
    entry.price && formatRatio(entry.price),
    entry.channels.map(({ channelId, units }) => [channelId, units]),
    entry.note,
    entry.postings.map(({ account, commodity, amount }) => [
      CHART_ACCOUNTS.indexOf(account),
      COMMODITIES.indexOf(commodity),
      amount,
    ]),
  ]);
}

/** Reads what {@link encodeEntry} wrote into this node's own file. @throws AceError `StoreFailed` for anything else */
export function decodeEntry(bytes: Uint8Array): JournalEntry {
  try {
    const fields = dagCbor.decode<unknown[]>(bytes);
    if (fields.length !== FIELDS || fields[0] !== TAG) throw new Error('not an entry');
    return {
      atMs: fields[1] as number,
      source: fields[2] as EntrySource,
      shard: fields[3] as number,
      seq: fields[4] as number,
      part: fields[5] as number,
      kind: fields[6] as EntryKind,
      direction: fields[7] as JournalEntry['direction'],
      counterparty: fields[8] as string | null,
      batchNumber: fields[9] as number,
      hash: fields[10] as Uint8Array,
      price: fields[11] === null ? null : parseRatio(fields[11]),
      channels: (fields[12] as [Uint8Array, number][]).map(([channelId, units]) => ({ channelId, units })),
      note: fields[13] as string,
      postings: (fields[14] as [number, number, bigint | number][]).map(([account, commodity, amount]) => ({
        account: known(CHART_ACCOUNTS[account]),
        commodity: known(COMMODITIES[commodity]),
        amount: BigInt(amount),
      })),
    };
  } catch (cause) {
    throw new AceError('StoreFailed', 'The journal in node.db is damaged: restore a copy of the file', {
      reaction: 'stop',
      cause,
    });
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('an account or a commodity of another version');
  return value;
}
