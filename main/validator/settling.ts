/**
 * Settling of one shard: the only place that turns claims into batches, and the only one that knows whether it still may.
 *
 * States: `open`; `failing` after a try that failed and will be made again; `halted` for good when an invariant did not hold
 * or the main chain has another history. Nothing leaves `halted` before the next start.
 */
import { AceError, isAceError } from '../../shared/errors.ts';
import type { Log } from '../process/log.ts';
import { type BatchingContext, type Settled, settle } from './batching.ts';
import type { ClockGuard } from './clock-guard.ts';
import { SettlementTimer } from './settlement-timer.ts';
import { checkSameHistory } from './shard-history.ts';
import { finishUnlinking } from './unlinking.ts';

export interface SettlingContext extends BatchingContext {
  /** Runs a task alone on the shard (see `serializer`). */
  readonly alone: <T>(task: () => Promise<T>) => Promise<T>;
  readonly clockGuard: ClockGuard;
  /** A batch was settled that names these accounts. */
  readonly onSettled: (accounts: ReadonlySet<string>) => void;
  readonly log: Log;
}

export class Settling {
  readonly #context: SettlingContext;
  readonly #timer: SettlementTimer;
  #state: 'open' | 'failing' | 'halted' = 'open';
  /** Why it has halted. */
  #cause: unknown = null;
  #isSameHistory = false;

  constructor(context: SettlingContext) {
    this.#context = context;
    this.#timer = new SettlementTimer({
      intervalMs: context.chain.settings().settlementIntervalMs,
      settle: async () => (await this.now()) !== null,
      isHalted: () => this.isHalted,
      nowMs: () => performance.now(),
    });
  }

  /** Meets the chain, which may be away: claims are taken all the same, leases and settling wait for it. */
  async begin(): Promise<void> {
    await this.meetChain().catch((error: unknown) => {
      if (!isAceError(error, 'ShardUnavailable')) throw error;
      this.#context.log.warn(
        { err: error },
        'starting without the main chain: claims are taken, leases and settling wait for it',
      );
    });
  }

  startTimer(): void {
    this.#timer.start();
  }

  get isHalted(): boolean {
    return this.#state === 'halted';
  }

  /** Claims were booked: more of them are settled sooner. */
  noticed(claims: number): void {
    this.#timer.noticed(claims);
  }

  /**
   * Before anything that needs the chain, once: it may have been away when this shard started.
   * @throws AceError `DataDirMismatch` (halts), `ShardUnavailable`
   */
  async meetChain(): Promise<void> {
    if (this.#isSameHistory) return;
    const { chain, store, shard } = this.#context;
    try {
      await checkSameHistory(chain, store, shard);
      await finishUnlinking(this.#context);
      this.#isSameHistory = true;
    } catch (error) {
      if (isAceError(error, 'DataDirMismatch')) this.#halt(error);
      throw error;
    }
  }

  /** Settles now instead of at the next interval; nothing while the clock is wrong. @throws why it has halted, or what the chain refuses with */
  now(): Promise<Settled | null> {
    return this.#context.alone(() => this.#settleAll());
  }

  /**
   * Funds that have come repay loans before anything else happens to them. What goes wrong with it is in the log. For a
   * task that is alone on the shard already.
   */
  async repay(): Promise<void> {
    await this.#settleAll().catch(() => undefined);
  }

  /** Settles what is left. What cannot be settled now is in the log, and goes first at the next start. */
  async stop(): Promise<void> {
    this.#timer.stop();
    if (!this.isHalted) await this.now().catch(() => undefined);
  }

  stopTimer(): void {
    this.#timer.stop();
  }

  async #settleAll(): Promise<Settled | null> {
    if (this.#state === 'halted') throw this.#cause;
    if (!this.#context.clockGuard.isRight) return null;
    let last: Settled | null = null;
    try {
      await this.meetChain();
      // A sealed batch of an earlier life goes first, then what is new, in as many batches as it takes.
      for (let settled = await settle(this.#context); settled; settled = await settle(this.#context)) {
        last = settled;
        this.#context.onSettled(settled.accounts);
      }
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    this.#state = 'open';
    return last;
  }

  #failed(error: unknown): void {
    const { log, store } = this.#context;
    if (isAceError(error, 'InvariantViolated')) this.#halt(error);
    const batchNumber = store.batches.last()?.number ?? null;
    if (this.isHalted) log.error({ err: error, batchNumber }, 'settling has stopped');
    // Once for each trouble: a chain that is away is asked again and again.
    else if (this.#state === 'open')
      log.error({ err: error, batchNumber }, 'a batch could not be settled; it will be tried again');
    if (!this.isHalted) this.#state = 'failing';
  }

  #halt(cause: unknown): void {
    this.#state = 'halted';
    this.#cause = cause;
  }

  /** @throws AceError `LeaseRefused`: what is not settled any more would never be paid */
  checkOpen(): void {
    if (!this.isHalted) return;
    throw new AceError('LeaseRefused', 'This shard has stopped settling: its log says why');
  }
}
