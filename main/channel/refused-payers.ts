/**
 * Payers whose units the main chain has refused: neither funds nor credit stood behind what they were served. Nothing
 * more is served to them, on whichever channel, before their shard says that they have funds or credit again.
 *
 * What was refused stays refused. The settlement says so in both parties' books, and it is no longer awaited.
 */
import type { SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../process/log.ts';

export interface RefusedPayersContext {
  readonly store: NodeStore;
  /** Whether the account has funds for a unit, or credit. @throws AceError `ShardUnavailable`, `RequestTimeout` */
  readonly canPay: (account: string) => Promise<boolean>;
  readonly log: Log;
  readonly recheckMs?: number;
}

const RECHECK_MS = 5_000;

export class RefusedPayers {
  readonly #context: RefusedPayersContext;
  readonly #refused: Set<string>;
  #timer: NodeJS.Timeout | null = null;
  #checking: Promise<void> | null = null;
  #stopped = false;

  /** Knows what the settlements of earlier runs say. */
  constructor(context: RefusedPayersContext) {
    this.#context = context;
    this.#refused = new Set(context.store.settlements.refusedPayers());
    this.#recheckLater();
  }

  has(payer: string): boolean {
    return this.#refused.has(payer);
  }

  /** New settlements of this account, oldest first. */
  settled(rows: readonly SettlementRow[]): void {
    for (const { direction, counterparty, refusedUnits, batchNumber } of rows) {
      if (direction !== 'earned' || refusedUnits === 0) continue;
      this.#refused.add(counterparty);
      this.#context.log.warn(
        { payer: counterparty, refusedUnits, batchNumber },
        'the main chain refused units of this payer; it is not served until it has funds or credit',
      );
    }
    this.#recheckLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#checking;
  }

  #recheckLater(): void {
    if (this.#stopped || this.#refused.size === 0 || this.#checking) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#checking = this.#recheck().finally(() => {
        this.#checking = null;
        this.#recheckLater();
      });
    }, this.#context.recheckMs ?? RECHECK_MS);
  }

  /** Never rejects. */
  async #recheck(): Promise<void> {
    for (const payer of [...this.#refused]) {
      try {
        if (await this.#context.canPay(payer)) this.#refused.delete(payer);
      } catch (error) {
        this.#context.log.warn(
          { err: error, payer },
          'the shard did not say whether a payer has funds again',
        );
      }
      if (this.#stopped) return;
    }
  }
}
