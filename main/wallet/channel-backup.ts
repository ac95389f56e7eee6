/**
 * Channels as a backup carries them: everything that proves what was earned and what was agreed, and nothing that could
 * pay. The hash chains and the device's key stay behind, so that a restored copy, however old, cannot reveal a tick or
 * sign a checkpoint a second time: on its channels it can only claim, and what it paid on comes back by itself when the
 * leases end (docs/decisions/0015).
 */

import { z } from 'zod';
import type { ChannelStatus } from '../../shared/channel/lifecycle.ts';
import {
  channelIdOf,
  decodeCheckpoint,
  decodeTerms,
  encodeCheckpoint,
  type SignedCheckpoint,
} from '../../shared/channel/records.ts';
import type { MetaKey } from '../db/meta.ts';
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import type { PayerChannelRow } from '../db/node/payer-channels.ts';
import type { NodeStore } from '../db/node/store.ts';
import { sha256 } from '../util/sha256.ts';

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const count = z.number().int().nonnegative();
const STATUSES = ['open', 'paused', 'closing', 'claimed', 'expired', 'disputed'] as const;

const channel = {
  /** Canonical bytes. */
  terms: bytes,
  termsSignature: bytes,
  leaseSignature: bytes,
  status: z.enum(STATUSES),
  openedAtMs: count,
  /** The latest, with the signatures that are there. */
  checkpoint: z.object({ record: bytes, payerSignature: bytes, payeeSignature: bytes.nullable() }).nullable(),
};

export const channelsSchema = z.object({
  earning: z.array(
    z.object({ ...channel, paidUnits: count, tick: bytes, servedBytes: count, claimedUnits: count }),
  ),
  paying: z.array(
    z.object({
      ...channel,
      revealedUnits: count,
      verifiedBytes: count,
      videoBytes: count,
      lostBytes: count,
      watchMs: count,
    }),
  ),
  /** Units of channels that are settled for good and are not carried. */
  settledEarningUnits: count,
  settledPayingUnits: count,
});
export type BackedUpChannels = z.infer<typeof channelsSchema>;

/** In the meta table of a restored node: units of channels that its backup left out, because they were settled. */
const SETTLED_BEFORE = { earned: 'settledBeforeEarned', paid: 'settledBeforePaid' } as const;

export function channelsOf({ payeeChannels, payerChannels, meta }: NodeStore): BackedUpChannels {
  const [earning, paying] = [payeeChannels.all(), payerChannels.all()];
  const isOver = (row: PayeeChannelRow | PayerChannelRow) => row.state.status === 'settled';
  const before = (key: MetaKey) => Number(meta.get(key) ?? 0);
  return {
    earning: earning.flatMap((row) => {
      const carried = carry(row);
      const { paidUnits, tick, servedBytes } = row.state;
      return carried ? [{ ...carried, paidUnits, tick, servedBytes, claimedUnits: row.claimedUnits }] : [];
    }),
    paying: paying.flatMap((row) => {
      const carried = carry(row);
      const { revealedUnits, verifiedBytes, videoBytes, lostBytes, watchMs } = row.state;
      return carried ? [{ ...carried, revealedUnits, verifiedBytes, videoBytes, lostBytes, watchMs }] : [];
    }),
    settledEarningUnits: earning
      .filter(isOver)
      .reduce((sum, { state }) => sum + state.paidUnits, before(SETTLED_BEFORE.earned)),
    settledPayingUnits: paying
      .filter(isOver)
      .reduce((sum, { state }) => sum + state.revealedUnits, before(SETTLED_BEFORE.paid)),
  };
}

/** A channel that was never leased carried nothing; one that is settled has nothing left to claim. */
function carry({
  state,
  terms,
  termsSignature,
  leaseSignature,
  openedAtMs,
  lastCheckpoint,
}: PayeeChannelRow | PayerChannelRow) {
  const status = STATUSES.find((known) => known === state.status);
  if (!leaseSignature || !status) return null;
  return { terms, termsSignature, leaseSignature, openedAtMs, status, checkpoint: recordOf(lastCheckpoint) };
}

function recordOf(signed: SignedCheckpoint | null) {
  if (!signed) return null;
  const { checkpoint, payerSignature, payeeSignature } = signed;
  return { record: encodeCheckpoint(checkpoint), payerSignature, payeeSignature };
}

/**
 * Writes them into a store; runs in its transaction. Those that are there already are left as they are.
 * @throws AceError `MessageMalformed` for terms or checkpoints that are none
 */
export function restoreChannels(store: NodeStore, channels: BackedUpChannels, nowMs: number): void {
  for (const row of channels.earning) {
    const terms = decodeTerms(row.terms);
    const state = {
      ...begun(row, terms),
      paidUnits: row.paidUnits,
      tick: row.tick,
      servedBytes: row.servedBytes,
    };
    if (store.payeeChannels.get(state.channelId)) continue;
    const { termsSignature, leaseSignature, openedAtMs } = row;
    const { payer, payerDevice } = terms;
    store.payeeChannels.insert({
      state: { ...state, ...resting(row.status) },
      payer,
      payerDevice,
      terms: row.terms,
      termsSignature,
      leaseSignature,
      openedAtMs,
    });
    store.payeeChannels.setClaimed(state.channelId, row.claimedUnits);
    const signed = signedOf(row);
    if (signed) store.payeeChannels.saveCheckpoint(state.channelId, signed);
  }
  for (const row of channels.paying) {
    const terms = decodeTerms(row.terms);
    const { revealedUnits, verifiedBytes, videoBytes, lostBytes, watchMs } = row;
    const state = { ...begun(row, terms), revealedUnits, verifiedBytes, videoBytes, lostBytes, watchMs };
    if (store.payerChannels.get(state.channelId)) continue;
    store.payerChannels.insert({
      state: { ...state, checkpointAtMs: nowMs, ...resting(row.status) },
      payee: terms.payee,
      payeeDevice: terms.payeeDevice,
      terms: row.terms,
      termsSignature: row.termsSignature,
      pebbles: NO_CHAIN,
      openedAtMs: row.openedAtMs,
    });
    store.payerChannels.setLease(state.channelId, row.leaseSignature);
    const signed = signedOf(row);
    if (!signed) continue;
    store.payerChannels.saveCheckpoint(state.channelId, signed);
    if (signed.payeeSignature) {
      store.payerChannels.setCountersignature(state.channelId, signed.payeeSignature);
    }
  }
  store.meta.set(SETTLED_BEFORE.earned, String(channels.settledEarningUnits));
  store.meta.set(SETTLED_BEFORE.paid, String(channels.settledPayingUnits));
}

/** No tick can be made of it. */
const NO_CHAIN = new Uint8Array();

/** Whatever it was, nothing is served or paid on it any more. */
function resting(status: (typeof STATUSES)[number]): { status: ChannelStatus; pausedBy: null } {
  return { status: status === 'open' || status === 'paused' ? 'expired' : status, pausedBy: null };
}

function begun(
  row: BackedUpChannels['earning'][number] | BackedUpChannels['paying'][number],
  terms: ReturnType<typeof decodeTerms>,
) {
  const { checkpoint } = row;
  const last = checkpoint && decodeCheckpoint(checkpoint.record);
  return {
    channelId: channelIdOf(row.terms, sha256),
    capacityUnits: terms.capacityUnits,
    expiresAtMs: terms.expiresAtMs,
    checkpointNumber: last?.number ?? 0,
    checkpointUnits: last?.units ?? 0,
  };
}

function signedOf({
  checkpoint,
}: BackedUpChannels['earning'][number] | BackedUpChannels['paying'][number]): SignedCheckpoint | null {
  if (!checkpoint) return null;
  const { record, payerSignature, payeeSignature } = checkpoint;
  return { checkpoint: decodeCheckpoint(record), payerSignature, payeeSignature };
}
