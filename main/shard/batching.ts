/**
 * Turns claims into settlement batches and the main chain's answers into loans and statements.
 *
 * Two steps with the chain in between, each one transaction: seal (the batch and what it takes up) and record (the
 * answer). A shard that is killed in between sends the sealed batch again; the chain answers the same, so nothing is
 * settled twice or lost.
 */
import {
  type Batch,
  decodeBatch,
  type EntryResult,
  encodeBatch,
  FIRST_PREVIOUS_HASH,
} from '../../shared/batch.ts';
import { encodeBatchResult } from '../../shared/batch-result.ts';
import { planRepayments } from '../../shared/credit.ts';
import { invariant } from '../../shared/errors.ts';
import type { TrafficTotals } from '../../shared/price.ts';
import { TRAFFIC_UNIT_BYTES } from '../../shared/units.ts';
import type { MainChain } from '../chain/port.ts';
import { sha256 } from '../channel/sha256.ts';
import type { BatchRow } from '../db/validator/batches.ts';
import type { LeaseRow } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { priceSnapshot } from './accounts.ts';

/** An unclaimed lease goes back to its payer this long after it expired: time for the payee's last claim. */
export const CLAIM_GRACE_MS = 3_600_000;
/** Nobody watches video of less than 64 kbit/s: 1 MiB lasts at most this long. Bounds watch time by media played. */
const MAX_WATCH_MS_PER_UNIT = 131_072;

export interface BatchingContext {
  readonly chain: MainChain;
  readonly store: ValidatorStore;
  readonly key: DeviceIdentity;
  readonly shard: number;
  readonly nowMs: () => number;
}

export interface Settled {
  readonly batchNumber: number;
  /** Accounts that the batch named. */
  readonly accounts: ReadonlySet<string>;
}

/** Settles what there is to settle; `null` when there is nothing. Runs alone on the shard (see `serializer`). */
export async function settle(context: BatchingContext): Promise<Settled | null> {
  const { store, nowMs } = context;
  const unfinished = store.batches.last();
  if (unfinished && unfinished.result === null) return applySealed(context, unfinished);
  store.leases.releaseExpired(nowMs() - CLAIM_GRACE_MS);
  const sealed = await seal(context);
  return sealed ? applySealed(context, sealed) : null;
}

interface PairUnits {
  readonly payer: string;
  readonly payee: string;
  repayUnits: number;
  consumeUnits: number;
}

async function seal(context: BatchingContext): Promise<BatchRow | null> {
  const { chain, store, key, shard, nowMs } = context;
  const createdAtMs = nowMs();
  const pairs = new Map<string, PairUnits>();
  const pair = (payer: string, payee: string): PairUnits => {
    const id = payer + payee;
    const found = pairs.get(id) ?? { payer, payee, repayUnits: 0, consumeUnits: 0 };
    pairs.set(id, found);
    return found;
  };

  const repayments = await plannedRepayments(context);
  const leases = store.leases.toSeal();
  for (const { debtor, creditor, units } of repayments) pair(debtor, creditor).repayUnits += units;
  for (const lease of leases) {
    const units = lease.claimedUnits - lease.sealedUnits;
    if (units > 0) pair(lease.payer, lease.payee).consumeUnits += units;
  }
  const watched = leases.map((lease) => watchedSince(lease, createdAtMs));
  const totals = watched.reduce<TrafficTotals>(
    (sum, w) => ({
      videoUnits: sum.videoUnits + BigInt(w.newVideoUnits),
      watchMs: sum.watchMs + BigInt(w.newWatchMs),
    }),
    { videoUnits: 0n, watchMs: 0n },
  );
  // Watch time is credited as the wall clock allows: it rides along with payments, and has a batch of its own only
  // once there is no more to wait for.
  const worthIt = watched.some((w) => w.whole && w.newVideoUnits + w.newWatchMs > 0);
  if (pairs.size === 0 && !worthIt) return null;

  const previous = store.batches.last();
  const batch: Batch = {
    networkId: chain.settings().networkId,
    shard,
    number: (previous?.number ?? 0) + 1,
    previousHash: previous?.hash ?? FIRST_PREVIOUS_HASH,
    createdAtMs,
    watched: totals,
    entries: [...pairs.values()].sort((a, b) => (a.payer + a.payee < b.payer + b.payee ? -1 : 1)),
  };
  const bytes = encodeBatch(batch);
  const row = { number: batch.number, hash: sha256(bytes), bytes, signature: key.sign(bytes), createdAtMs };
  store.commit(() => {
    store.batches.insert(row);
    leases.forEach((lease, i) => {
      const w = watched[i];
      invariant(w !== undefined, 'each lease has its watch time');
      store.leases.seal(lease.channelId, lease.claimedUnits, w.videoUnits, w.watchMs);
    });
  });
  return { ...row, result: null };
}

async function applySealed(context: BatchingContext, row: BatchRow): Promise<Settled> {
  const { chain, store } = context;
  const result = await chain.applyBatch({ batch: decodeBatch(row.bytes), signature: row.signature });
  const creditUsed = new Map<string, number>();
  for (const { payer } of result.entries) creditUsed.set(payer, (await chain.account(payer)).creditUsedUnits);

  const accounts = new Set<string>();
  store.commit(() => {
    store.batches.setResult(row.number, encodeBatchResult(result));
    store.leases.markApplied();
    result.entries.forEach((entry, index) => {
      accounts.add(entry.payer).add(entry.payee);
      bookLoans(store, entry, row);
      store.batches.addStatement(entry.payer, row.number, 'paid', index);
      store.batches.addStatement(entry.payee, row.number, 'earned', index);
    });
    // Invariant 4 of ECONOMY.md. A violation rolls back and stops settling; the batch stays sealed.
    for (const [payer, usedUnits] of creditUsed) {
      invariant(
        store.loans.owedUnits(payer) === usedUnits,
        `the loans of ${payer} are its traffic_credit_used`,
      );
    }
  });
  return { batchNumber: row.number, accounts };
}

/** Loans that an account's funds repay now, for every debtor that has some. */
async function plannedRepayments(
  context: BatchingContext,
): Promise<{ debtor: string; creditor: string; units: number }[]> {
  const { chain, store } = context;
  const price = priceSnapshot(await chain.market());
  const planned: { debtor: string; creditor: string; units: number }[] = [];
  for (const debtor of store.loans.debtors()) {
    const { balances } = await chain.account(debtor);
    const loans = store.loans
      .ofDebtor(debtor)
      .map((loan) => ({ creditor: loan.creditor, units: loan.unitsLeft }));
    for (const { creditor, units } of planRepayments(loans, balances, price, chain.settings().trafficFee)) {
      planned.push({ debtor, creditor, units });
    }
  }
  return planned;
}

function bookLoans(store: ValidatorStore, entry: EntryResult, row: BatchRow): void {
  let repaid = entry.repaidUnits;
  for (const loan of store.loans.ofDebtor(entry.payer)) {
    if (repaid === 0) break;
    if (loan.creditor !== entry.payee) continue;
    const units = Math.min(repaid, loan.unitsLeft);
    store.loans.reduce(loan.id, units);
    repaid -= units;
  }
  invariant(repaid === 0, 'no more is repaid than is owed');
  if (entry.creditUnits > 0) {
    store.loans.insert(entry.payer, entry.payee, entry.creditUnits, row.number, row.createdAtMs);
  }
}

interface Watched {
  /** Credited to the totals, this batch included. */
  readonly videoUnits: number;
  readonly watchMs: number;
  readonly newVideoUnits: number;
  readonly newWatchMs: number;
  /** Nothing that the lease reports is left to be credited later. */
  readonly whole: boolean;
}

/** Viewing that a lease reports, bounded by the units paid, by what so many units can play, and by the wall clock. */
function watchedSince(lease: LeaseRow, nowMs: number): Watched {
  const videoUnits = Math.max(
    lease.sealedVideoUnits,
    Math.min(Math.floor(lease.videoBytes / TRAFFIC_UNIT_BYTES), lease.claimedUnits),
  );
  const playableMs = Math.min(lease.watchMs, videoUnits * MAX_WATCH_MS_PER_UNIT);
  const elapsedMs = Math.max(0, Math.min(nowMs, lease.expiresAtMs) - lease.leasedAtMs);
  const watchMs = Math.max(lease.sealedWatchMs, Math.min(playableMs, elapsedMs));
  return {
    videoUnits,
    watchMs,
    newVideoUnits: videoUnits - lease.sealedVideoUnits,
    newWatchMs: watchMs - lease.sealedWatchMs,
    whole: watchMs >= playableMs,
  };
}
