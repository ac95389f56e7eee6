/**
 * What a provider is ready to lose to accounts that have not paid it yet: pieces sent ahead of payment, and pieces paid
 * on credit that may never be repaid. A fresh account costs nothing, so neither is worth more than it was before: what
 * counts for an account is what settlements say it paid here in money, or repaid.
 *
 * - As many units as it paid so it may have ahead of payment, up to its window. What it has beyond that counts against a
 *   bound for all such accounts; when that is used up, it pays each unit before it gets it (`PrepaymentDue`).
 * - As many units as it paid so it may owe, unpaid ones included. What it owes beyond that counts against a bound for itself and one for all;
 *   when one of them is used up, it is served no more (`LoanRefused`), unless its shard says that its funds cover all
 *   that it has leased.
 */
import { LRUCache } from 'lru-cache';
import type { BucketRate } from '../../shared/token-bucket.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../process/log.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { type OutstandingLimits, OutstandingUnits } from './outstanding-units.ts';

export interface RiskLimits {
  /** Units ahead of payment of accounts that have paid fewer than that. */
  readonly unpaid: OutstandingLimits;
  /** Units that one account may have, unpaid or on credit, beyond what it may have for what it has paid. */
  readonly newcomerUnits: number;
  /** The same of all accounts, in `newcomerWindowMs`. */
  readonly newcomersUnits: number;
  readonly newcomerWindowMs: number;
  /** Units that an account may owe because it has paid as many. */
  readonly loanUnits: number;
  /** Pieces that are sent a second time to accounts that have paid nothing: each is upload for nothing. */
  readonly resends: { readonly group: BucketRate; readonly all: BucketRate };
}

/** All channels of an account here together. */
export interface AccountFigures {
  /** Units that it has revealed ticks for, on credit or not. */
  readonly paidUnits: number;
  /** Units that it has been served and has revealed no tick for. */
  readonly aheadUnits: number;
}

export interface AskedFigures extends AccountFigures {
  /** All that is served on this channel, what is asked for included, is paid by ticks. */
  readonly isPrepaid: boolean;
  /** Units of `aheadUnits` that are served already. */
  readonly servedAheadUnits: number;
}

export interface ProviderRiskContext {
  readonly store: NodeStore;
  readonly limits: RiskLimits;
  /** Whether funds cover all that the account has leased. @throws AceError `ShardUnavailable`, `RequestTimeout` */
  readonly isCovered: (account: string) => Promise<boolean>;
  readonly nowMs: () => number;
  /** A clock that nobody sets. */
  readonly clockMs: () => number;
  readonly log: Log;
}

/** The shard's word that an account's funds cover its leases is asked for again after this. */
const COVER_MS = 30_000;
/** The same where they did not: sooner than its viewer asks again after a top-up. */
const NO_COVER_MS = 3_000;
/** Accounts of which is remembered what they paid, or what their shard said. */
const REMEMBERED_ACCOUNTS = 10_000;
const ALL = '';

/** The bound of all newcomers together, wherever they come from. */
function loansOf({ newcomersUnits, newcomerWindowMs }: RiskLimits): OutstandingLimits {
  return {
    perGroupUnits: Number.POSITIVE_INFINITY,
    inAllUnits: newcomersUnits,
    windowMs: newcomerWindowMs,
  };
}

export type RiskObstacle = 'PrepaymentDue' | 'LoanRefused' | 'PaymentOverdue' | 'CoverUnknown';

export class ProviderRisk {
  readonly #context: ProviderRiskContext;
  #limits: RiskLimits;
  readonly #unpaid: OutstandingUnits;
  readonly #loans: OutstandingUnits;
  readonly #resendsOfGroup: KeyedRateLimiter;
  readonly #resends: KeyedRateLimiter;
  /** Units that settlements say an account paid in money or repaid. */
  readonly #proven = new LRUCache<string, number>({ max: REMEMBERED_ACCOUNTS });
  /** Whether funds cover the account's leases, by its shard's word. */
  readonly #covered: LRUCache<string, boolean>;
  readonly #asking = new Map<string, Promise<void>>();
  /** Called when a shard has answered about an account. */
  onCover: ((account: string) => void) | null = null;

  constructor(context: ProviderRiskContext) {
    const { limits, clockMs } = context;
    this.#context = context;
    this.#limits = limits;
    this.#unpaid = new OutstandingUnits(limits.unpaid, clockMs);
    this.#loans = new OutstandingUnits(loansOf(limits), clockMs);
    this.#resendsOfGroup = new KeyedRateLimiter(limits.resends.group, clockMs);
    this.#resends = new KeyedRateLimiter(limits.resends.all, clockMs);
    this.#covered = new LRUCache({
      max: REMEMBERED_ACCOUNTS,
      ttl: COVER_MS,
      ttlResolution: 0,
      perf: { now: clockMs },
    });
    this.#takeUp();
  }

  /** The limits now. */
  get limits(): RiskLimits {
    return this.#limits;
  }

  /** Other limits from now on; what was served stays served. */
  setLimits(limits: RiskLimits): void {
    this.#limits = limits;
    this.#unpaid.setLimits(limits.unpaid);
    this.#loans.setLimits(loansOf(limits));
  }

  /** Why the account at an address of `group` may not be served so much; `null` when it may. */
  obstacle(account: string, group: string, figures: AskedFigures): RiskObstacle | null {
    return this.#loanObstacle(account, figures) ?? this.#unpaidObstacle(account, group, figures);
  }

  /** What the account has now: something was served or paid. */
  note(account: string, group: string, figures: AccountFigures): void {
    const proven = this.#provenUnits(account);
    this.#unpaid.set(account, group, Math.max(0, figures.aheadUnits - proven));
    if (this.#covered.get(account) !== true) this.#loans.set(account, ALL, this.#lentUnits(account, figures));
  }

  /** Whether a piece that was lost with its stream may be sent to the account once more. */
  mayResend(account: string, group: string): boolean {
    if (this.#provenUnits(account) > 0) return true;
    return this.#resendsOfGroup.retryAfterMs(group) === 0 && this.#resends.retryAfterMs(ALL) === 0;
  }

  noteResend(account: string, group: string): void {
    if (this.#provenUnits(account) > 0) return;
    this.#resendsOfGroup.charge(group, 1);
    this.#resends.charge(ALL, 1);
  }

  /** New settlements of this node's account. */
  settled(rows: readonly SettlementRow[]): void {
    for (const { direction, counterparty } of rows) {
      if (direction === 'earned') this.#proven.delete(counterparty);
    }
  }

  /** Resolves when no shard is being asked. */
  async stop(): Promise<void> {
    await Promise.all(this.#asking.values());
  }

  #unpaidObstacle(account: string, group: string, figures: AskedFigures): RiskObstacle | null {
    if (figures.isPrepaid) return null;
    const units = Math.max(0, figures.aheadUnits - this.#provenUnits(account));
    if (units === 0 || this.#unpaid.allows(account, group, units)) return null;
    // Its payment for what it has is on the way: that makes room.
    return figures.servedAheadUnits > 0 ? 'PaymentOverdue' : 'PrepaymentDue';
  }

  #loanObstacle(account: string, figures: AskedFigures): RiskObstacle | null {
    const lentUnits = this.#lentUnits(account, figures);
    const { newcomerUnits } = this.#limits;
    if (lentUnits === 0) return null;
    if (lentUnits <= newcomerUnits && this.#loans.allows(account, ALL, lentUnits)) return null;
    const covered = this.#covered.get(account);
    if (covered !== undefined) return covered ? null : 'LoanRefused';
    this.#ask(account);
    return 'CoverUnknown';
  }

  /** Units that the account owes, or will once they are settled, beyond what it may owe for what it paid. */
  #lentUnits(account: string, { paidUnits, aheadUnits }: AccountFigures): number {
    const proven = this.#provenUnits(account);
    const owed = paidUnits + aheadUnits - proven;
    return Math.max(0, owed - Math.min(proven, this.#limits.loanUnits));
  }

  #provenUnits(account: string): number {
    const known = this.#proven.get(account);
    if (known !== undefined) return known;
    const units = this.#context.store.settlements.earnedUnits(account);
    this.#proven.set(account, units);
    return units;
  }

  #ask(account: string): void {
    if (this.#asking.has(account)) return;
    const { isCovered, log } = this.#context;
    const asking = isCovered(account)
      .catch((error: unknown) => {
        log.debug(
          { err: error, account },
          'the shard did not say whether the funds of a payer cover its leases',
        );
        return false;
      })
      .then((covered) => {
        this.#covered.set(account, covered, { ttl: covered ? COVER_MS : NO_COVER_MS });
        if (covered) this.#loans.set(account, ALL, 0);
      })
      .finally(() => {
        this.#asking.delete(account);
        this.onCover?.(account);
      });
    this.#asking.set(account, asking);
  }

  /** What was served and lent before this start still counts, as if it were new: where its payers were is not known. */
  #takeUp(): void {
    const { store, limits, nowMs } = this.#context;
    const { payeeChannels } = store;
    const sinceMs = nowMs() - Math.max(limits.unpaid.windowMs, limits.newcomerWindowMs);
    const debtSinceMs = nowMs() - limits.unpaid.windowMs;
    for (const { payer, paidUnits } of payeeChannels.payersServedAfter(sinceMs)) {
      const { unpaidUnits } = payeeChannels.historyOf({ payer, channelId: new Uint8Array(0), debtSinceMs });
      this.note(payer, ALL, { paidUnits, aheadUnits: unpaidUnits });
    }
  }
}
