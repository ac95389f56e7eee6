/**
 * Turns claims into settlement batches and the main chain's answers into loans and statements.
 *
 * Two steps with the chain in between, each one transaction: seal (the batch and what it takes up) and record (the
 * answer). A shard that is killed in between sends the sealed batch again; the chain answers the same, so nothing is
 * settled twice or lost.
 */

import { type PriceSnapshot, planRepayments } from '../../shared/economy/credit.ts';
import { timesDown } from '../../shared/economy/ratio.ts';
import { invariant } from '../../shared/errors.ts';
import {
  type Batch,
  decodeBatch,
  type EntryResult,
  FIRST_PREVIOUS_HASH,
  MAX_BATCH_ENTRIES,
} from '../../shared/settlement/batch.ts';
import { encodeBatchResult } from '../../shared/settlement/batch-result.ts';
import { sealBatch } from '../chain/batch-signature.ts';
import type { MainChain } from '../chain/port.ts';
import { intact } from '../db/store-error.ts';
import type { BatchRow } from '../db/validator/batches.ts';
import type { LeaseRow } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { priceSnapshot } from './accounts.ts';
import { accountsOf } from './accounts-of.ts';
import { countPaid } from './counting.ts';
import type { DebtorWatch } from './debtor-watch.ts';
import { MAX_FORGOTTEN_AT_ONCE, UNUSED_LEASE_KEPT_MS } from './limits.ts';
import { PairBook } from './pairs.ts';
import type { StrangersShare } from './strangers-share.ts';
import { type Viewing, viewingOf } from './watching.ts';

/** An unclaimed lease goes back to its payer this long after it expired: time for the payee's last claim. */
export const CLAIM_GRACE_MS = 3_600_000;

/** XAC base units that a pair's traffic is worth before it is settled while its channel is open. */
const LEAST_SETTLED_XAC = 32n;

export interface BatchingContext {
  readonly chain: MainChain;
  readonly store: ValidatorStore;
  readonly key: DeviceIdentity;
  readonly shard: number;
  readonly nowMs: () => number;
  /** The earliest that it can be: what is released too late is only put off. Left out: `nowMs`. */
  readonly leastMs?: () => number;
  /** Which debtors may repay; without one, each settlement asks for all of them. */
  readonly debtors?: DebtorWatch;
  /** What accounts that have never paid get of each batch; without one, all. */
  readonly strangers?: StrangersShare;
  /** Most pairs of payer and payee that one batch takes up; the next one has the rest. For tests. */
  readonly maxEntries?: number;
}

export interface Settled {
  readonly batchNumber: number;
  /** Accounts that the batch named. */
  readonly accounts: ReadonlySet<string>;
}

/**
 * Leases of strangers that nothing was ever paid on would otherwise stay for ever. By then nothing can be claimed on them
 * (`restoreLease` refuses them too), and nothing that anybody signed is about them.
 */
function forgetUnused(store: ValidatorStore, nowMs: number): void {
  store.commit(() => store.leases.forgetUnused(nowMs - UNUSED_LEASE_KEPT_MS, MAX_FORGOTTEN_AT_ONCE));
}

/** Settles what there is to settle; `null` when there is nothing. Runs alone on the shard (see `serializer`). */
export async function settle(context: BatchingContext): Promise<Settled | null> {
  const { store, nowMs, leastMs = nowMs } = context;
  // First, so that a batch which the chain does not take keeps no capacity reserved.
  store.leases.releaseExpired(leastMs() - CLAIM_GRACE_MS);
  forgetUnused(store, leastMs());
  const unfinished = store.batches.last();
  if (unfinished && unfinished.result === null) return applySealed(context, unfinished);
  const sealed = await seal(context);
  return sealed ? applySealed(context, sealed) : null;
}

async function seal(context: BatchingContext): Promise<BatchRow | null> {
  const { chain, store, key, shard, nowMs, maxEntries = MAX_BATCH_ENTRIES } = context;
  const createdAtMs = nowMs();
  const pairs = new PairBook(maxEntries);

  const repayments = await plannedRepayments(context, pairs);
  // Funds repay loans before they pay for anything new: while loans wait for the next batch, so does consumption.
  const price = priceSnapshot(await chain.market());
  const leases = repayments === 'all' ? await toTakeUp(context, price, createdAtMs, pairs) : [];
  // Watch time goes as the wall clock allows: it rides along with payments, and goes alone once there is no more to wait for.
  const viewed =
    pairs.size > 0
      ? { leases, viewing: viewingOf(store, leases, createdAtMs) }
      : wholly(store, leases, createdAtMs);
  const { watched, watchers } = countPaid(store, viewed.viewing, createdAtMs);
  const saveViewing = () => {
    sealViewing(store, viewed.leases, viewed.viewing);
    for (const watcher of watchers) store.watchers.put(watcher);
  };
  if (pairs.size === 0 && watched.videoUnits + watched.watchMs === 0n) {
    // What nobody has paid for yet, or can never count, leaves the list of what to settle, without a batch.
    if (viewed.leases.length > 0) store.commit(saveViewing);
    return null;
  }

  const previous = store.batches.last();
  const batch: Batch = {
    networkId: chain.settings().networkId,
    shard,
    number: (previous?.number ?? 0) + 1,
    previousHash: previous?.hash ?? FIRST_PREVIOUS_HASH,
    createdAtMs,
    watched,
    entries: pairs.entries(),
  };
  // Once a batch is sealed only the chain's answer gets rid of it, so one that no chain takes must never be.
  const row = { number: batch.number, createdAtMs, ...sealBatch(batch, key) };
  store.commit(() => {
    store.batches.insert(row);
    for (const { payer, payee, channelId, claimedUnits, sealedUnits } of viewed.leases) {
      const units = claimedUnits - sealedUnits;
      if (units > 0) store.batches.addChannel(batch.number, payer, payee, { channelId, units });
    }
    saveViewing();
  });
  return { ...row, result: null };
}

/**
 * Each settlement of a pair rounds its price up to one base unit. What is worth only a few waits until it is more, or
 * until its lease has ended, so that a payee that claims unit by unit does not cost its payer more than a few percent.
 */
function isRipe(lease: LeaseRow, { unitPriceXac }: PriceSnapshot, nowMs: number): boolean {
  const units = lease.claimedUnits - lease.sealedUnits;
  if (units === 0 || lease.released === 1 || nowMs >= lease.expiresAtMs) return true;
  return timesDown(BigInt(units), unitPriceXac) >= LEAST_SETTLED_XAC;
}

async function toTakeUp(
  context: BatchingContext,
  price: PriceSnapshot,
  nowMs: number,
  pairs: PairBook,
): Promise<LeaseRow[]> {
  const { store, strangers } = context;
  const ripe = store.leases.toSeal().filter((lease) => isRipe(lease, price, nowMs));
  const admitted = (await strangers?.admit(context, price, ripe)) ?? ripe;
  return admitted.filter((lease) => takeUp(pairs, lease));
}

/** Whether the lease goes into this batch; one whose pair finds no room waits for the next. */
function takeUp(pairs: PairBook, lease: LeaseRow): boolean {
  const units = lease.claimedUnits - lease.sealedUnits;
  return units === 0 || pairs.add(lease.payer, lease.payee, { repayUnits: 0, consumeUnits: units });
}

/** Those leases alone of whose viewing there is no more to wait for. */
function wholly(store: ValidatorStore, all: readonly LeaseRow[], nowMs: number) {
  const { watched } = viewingOf(store, all, nowMs);
  const leases = all.filter((lease, i) => {
    const w = watched[i];
    if (!w?.whole) return false;
    return (
      w.newVideoUnits + w.newWatchMs > 0 || w.reportedMs < lease.watchMs || w.reportedBytes < lease.videoBytes
    );
  });
  return { leases, viewing: viewingOf(store, leases, nowMs) };
}

function sealViewing(store: ValidatorStore, leases: readonly LeaseRow[], { watched }: Viewing): void {
  leases.forEach((lease, i) => {
    const w = watched[i];
    invariant(w !== undefined, 'each lease has its watch time');
    store.leases.seal({
      channelId: lease.channelId,
      sealedUnits: lease.claimedUnits,
      sealedVideoUnits: w.videoUnits,
      sealedWatchMs: w.watchMs,
      watchMs: w.reportedMs,
      videoBytes: w.reportedBytes,
    });
  });
}

async function applySealed(context: BatchingContext, row: BatchRow): Promise<Settled> {
  const { chain, store } = context;
  const batch = intact(() => decodeBatch(row.bytes), 'validator.db');
  const result = await chain.applyBatch({ batch, signature: row.signature });
  const creditUsed = new Map<string, number>();
  const payers = [...new Set(result.entries.map((entry) => entry.payer))];
  for await (const { address, creditUsedUnits } of accountsOf(chain, payers)) {
    creditUsed.set(address, creditUsedUnits);
  }

  const accounts = new Set<string>();
  store.commit(() => {
    store.batches.setResult(row.number, encodeBatchResult(result));
    store.leases.markApplied();
    result.entries.forEach((entry, index) => {
      accounts.add(entry.payer).add(entry.payee);
      bookLoans(store, entry, row);
      store.watchers.addSettled(entry.payer, entry.paidUnits + entry.repaidUnits, entry.refusedUnits);
      store.batches.addStatement(entry.payer, row.number, 'paid', index);
      store.batches.addStatement(entry.payee, row.number, 'earned', index);
    });
    // Invariant 4 of docs/economy.md#invariants. A violation rolls back and stops settling; the batch stays sealed.
    for (const [payer, usedUnits] of creditUsed) {
      invariant(
        store.loans.owedUnits(payer) === usedUnits,
        `the loans of ${payer} are its traffic_credit_used`,
      );
    }
  });
  return { batchNumber: row.number, accounts };
}

/** Plans the loans that funds repay now, debtor by debtor; `some` when the batch has no room for the rest. */
async function plannedRepayments(context: BatchingContext, pairs: PairBook): Promise<'all' | 'some'> {
  const { chain, store, debtors } = context;
  const price = priceSnapshot(await chain.market());
  const asked = (await debtors?.toAsk(chain, price)) ?? store.loans.debtors();
  for await (const account of accountsOf(chain, asked)) {
    const { address: debtor, services } = account;
    const loans = store.loans
      .ofDebtor(debtor)
      .map((loan) => ({ creditor: loan.creditor, units: loan.unitsLeft }));
    const repayments = planRepayments(loans, services, price, chain.settings().trafficFee);
    if (repayments.length === 0) debtors?.cannotRepay(account);
    for (const { creditor, units } of repayments) {
      if (!pairs.add(debtor, creditor, { repayUnits: units, consumeUnits: 0 })) return 'some';
    }
  }
  return 'all';
}

function bookLoans(store: ValidatorStore, entry: EntryResult, row: BatchRow): void {
  let repaid = entry.repaidUnits;
  for (const loan of repaid > 0 ? store.loans.ofPair(entry.payer, entry.payee) : []) {
    if (repaid === 0) break;
    const units = Math.min(repaid, loan.unitsLeft);
    store.loans.reduce(loan.id, units);
    repaid -= units;
  }
  invariant(repaid === 0, 'no more is repaid than is owed');
  if (entry.creditUnits > 0) {
    store.loans.insert(entry.payer, entry.payee, entry.creditUnits, row.number, row.createdAtMs);
  }
}
