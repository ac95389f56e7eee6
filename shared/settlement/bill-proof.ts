/**
 * What a payer keeps when its shard bills it units that it has not revealed: the shard's signed statements, the terms of
 * the channel, and the units that the payer says it revealed. Anyone can check that the shard billed more. That no more
 * was revealed cannot be proven, but the shard can refute it at once: by the tick of the units that it billed, which
 * only the payer could have made.
 */
import * as dagCbor from '@ipld/dag-cbor';
import type { ChannelUnits, SignedStatement, StatementEntry } from './statement.ts';
import { CHANNELS_TOLD } from './statement.ts';

const PROOF_TAG = 'ace-bill-proof-1';
/** Newest statements that a proof holds: all that bill a channel, as a rule. */
export const MAX_BILL_STATEMENTS = 64;

export interface BillProof {
  /** 32 bytes; `null` when a statement bills units without naming their channels. */
  readonly channelId: Uint8Array | null;
  /** Units that the payer revealed on it; `null` when it knows no such channel. */
  readonly revealedUnits: number | null;
  /** Canonical bytes of the channel's terms, as far as the payer knows them. */
  readonly terms: Uint8Array | null;
  /** Oldest first. */
  readonly statements: readonly SignedStatement[];
}

export function encodeBillProof({ channelId, revealedUnits, terms, statements }: BillProof): Uint8Array {
  return dagCbor.encode([
    PROOF_TAG,
    channelId,
    revealedUnits,
    terms,
    statements.map(({ record, signature }) => [record, signature]),
  ]);
}

/**
 * Units that a statement bills without naming their channels; 0 where it names as many as there is room for, because the
 * rest may be theirs.
 */
export function unnamedUnits({
  direction,
  paidUnits,
  creditUnits,
  refusedUnits,
  detail,
}: StatementEntry): number {
  if (direction !== 'paid' || !detail || detail.channels.length >= CHANNELS_TOLD) return 0;
  return Math.max(0, paidUnits + creditUnits + refusedUnits - sumOf(detail.channels));
}

function sumOf(channels: readonly ChannelUnits[]): number {
  return channels.reduce((sum, { units }) => sum + units, 0);
}
