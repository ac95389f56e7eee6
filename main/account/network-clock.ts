/**
 * This computer's clock, held against the home shard's: the shard tells its time when it is greeted, and the uptime says
 * what the time is from then on. A lease names times, so a clock that is far off gets none, and without a word of why
 * everything would only stand still. A step is believed after the shard was asked once more: some computers' uptime stands
 * still while they sleep.
 *
 * A home shard may be the one that is wrong: where other shards tell another time, the clock that more of them agree with is right.
 */
import { EventEmitter } from 'node:events';
import { AceError, isAceError } from '../../shared/errors.ts';
import { aboutSpan } from '../../shared/span.ts';
import type { ShardResult } from '../p2p/protocols/shard/messages.ts';
import type { Log } from '../process/log.ts';
import type { Clocks } from '../util/steady-clock.ts';

export interface ClockLimits {
  /** A clock that is further apart is shown to be wrong. */
  readonly shownMs: number;
  /** One that is further apart opens no channels. */
  readonly stopsMs: number;
  /** It is looked at so often. */
  readonly lookMs: number;
  /** While something is wrong, the shard is asked so often. */
  readonly askMs: number;
}

export interface NetworkClockContext {
  readonly clocks: Clocks;
  readonly limits: ClockLimits;
  /** @throws AceError `ShardUnavailable`, … */
  readonly ask: () => Promise<ShardTime>;
  readonly log: Log;
}

export interface ShardTime extends Pick<ShardResult<'hello'>, 'timeMs' | 'clockJumped'> {
  /** What the other shards that can be asked tell at the same moment. */
  readonly othersMs?: readonly number[];
}

/** What is wrong with this computer's clock. */
export interface ClockTrouble {
  /** How far it is ahead of the home shard's; negative when it is behind. */
  readonly aheadMs: number;
  /** No channel is opened until it is right. */
  readonly stops: boolean;
}

export class NetworkClock extends EventEmitter<{ change: [] }> {
  readonly #context: NetworkClockContext;
  /** What the shard said last, and the uptime then. */
  #homeTime: { readonly timeMs: number; readonly uptimeMs: number } | null = null;
  #trouble: ClockTrouble | null = null;
  #shardJumped = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: NetworkClockContext) {
    super();
    this.#context = context;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), this.#context.limits.lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** `null` while the clock is right, as far as the shard has said. */
  get trouble(): ClockTrouble | null {
    return this.#trouble;
  }

  /** Why no channel is opened; `null` unless the clock is too far off for that. */
  get error(): AceError | null {
    return this.#trouble?.stops ? ownClockWrong(this.#trouble) : null;
  }

  /** The home shard said that its own clock has jumped, so it grants no lease. */
  get shardJumped(): boolean {
    return this.#shardJumped;
  }

  /** What ends by time is ended only then. */
  get isRight(): boolean {
    return Math.abs(this.#aheadMs()) <= this.#context.limits.shownMs;
  }

  /** The home shard was greeted. */
  receive({ timeMs, clockJumped = false, othersMs }: ShardTime): void {
    const { clocks } = this.#context;
    const isOutvoted = timeMs !== undefined && this.#isOutvoted(timeMs, othersMs ?? []);
    const rightMs = isOutvoted ? clocks.wallMs() : timeMs;
    this.#homeTime = rightMs === undefined ? null : { timeMs: rightMs, uptimeMs: clocks.uptimeMs() };
    this.#set(this.#judged(), clockJumped || isOutvoted);
    // It only greeted: before a clock is set by its word, the others are asked.
    if (this.#trouble && !othersMs) void this.#ask();
  }

  /** More of the other shards agree with this computer than with the home shard. */
  #isOutvoted(homeMs: number, othersMs: readonly number[]): boolean {
    const { shownMs } = this.#context.limits;
    const wallMs = this.#context.clocks.wallMs();
    const near = (atMs: number) => othersMs.filter((otherMs) => Math.abs(otherMs - atMs) <= shownMs).length;
    return Math.abs(wallMs - homeMs) > shownMs && near(wallMs) > near(homeMs);
  }

  /** What the home shard refused a lease with. */
  leaseRefused(error: unknown): void {
    if (isAceError(error, 'ClockWrong')) this.#set(this.#trouble, true);
  }

  /** Asks the shard first when the clock seems to be apart. @throws AceError `OwnClockWrong` with `aheadSeconds` */
  async check(): Promise<void> {
    // A shard that is away leases nothing, and says so when it is asked for a lease.
    if (!this.isRight && !this.#isAsTold()) await this.#ask();
    this.#look();
    if (this.error) throw this.error;
  }

  /** How far the wall clock is ahead of what the shard's clock shows now; 0 when that is not known. */
  #aheadMs(): number {
    if (!this.#homeTime) return 0;
    const { wallMs, uptimeMs } = this.#context.clocks;
    return wallMs() - (this.#homeTime.timeMs + uptimeMs() - this.#homeTime.uptimeMs);
  }

  #judged(): ClockTrouble | null {
    const aheadMs = this.#aheadMs();
    const { shownMs, stopsMs } = this.#context.limits;
    if (Math.abs(aheadMs) <= shownMs) return null;
    return { aheadMs, stops: Math.abs(aheadMs) > stopsMs };
  }

  /** Whether the clock is as far off as was found when the shard was last asked. */
  #isAsTold(): boolean {
    const { shownMs } = this.#context.limits;
    return Math.abs(this.#aheadMs() - (this.#trouble?.aheadMs ?? 0)) <= shownMs;
  }

  #look(): void {
    if (this.isRight) this.#set(null, this.#shardJumped);
    else if (!this.#isAsTold()) void this.#ask();
    const { clocks, limits } = this.#context;
    const isWrong = this.#trouble !== null || this.#shardJumped;
    if (isWrong && clocks.uptimeMs() - this.#askedAtMs >= limits.askMs) void this.#ask();
  }

  #ask(): Promise<void> {
    const { ask, clocks, log } = this.#context;
    this.#askedAtMs = clocks.uptimeMs();
    this.#asking ??= ask()
      .then(
        (answer) => this.receive(answer),
        (error: unknown) => log.debug({ err: error }, 'the shard did not tell its time; it is asked again'),
      )
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }

  #set(trouble: ClockTrouble | null, shardJumped: boolean): void {
    const { log, limits } = this.#context;
    const before = this.#trouble;
    const isSame =
      shardJumped === this.#shardJumped &&
      trouble?.stops === before?.stops &&
      Math.abs((trouble?.aheadMs ?? 0) - (before?.aheadMs ?? 0)) <= limits.shownMs;
    this.#trouble = trouble;
    this.#shardJumped = shardJumped;
    if (isSame) return;
    if (trouble) log.error({ aheadMs: Math.round(trouble.aheadMs) }, 'the clock of this computer is wrong');
    else if (before) log.info('the clock of this computer is right again');
    this.emit('change');
  }
}

function ownClockWrong({ aheadMs }: ClockTrouble): AceError {
  return new AceError(
    'OwnClockWrong',
    `${ownClockWords(aheadMs)}: set it right, then this goes on by itself`,
    {
      reaction: 'pause-channel',
      details: { aheadSeconds: Math.round(aheadMs / 1_000) },
    },
  );
}

/** What `status` and refusals say. */
export function ownClockWords(aheadMs: number): string {
  const how = aheadMs > 0 ? 'ahead of' : 'behind';
  return `The clock of this computer is about ${aboutSpan(Math.abs(aheadMs))} ${how} the network’s`;
}
