/**
 * One broadcast that somebody watches here: hears of its segments, asks for what was missed, and fetches what comes next
 * in time for the player. It ends by itself once no player asks for anything any more.
 *
 * Only what a player is about to take is fetched: a player that pauses, or that stays behind, makes nobody pay.
 */
import { sameBytes } from '../../shared/bytes.ts';
import { pieceCount } from '../../shared/economy/units.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { HeardRecord, Listed } from '../../shared/live/window.ts';
import { listed } from '../../shared/live/window.ts';
import type { BroadcastRow } from '../db/node/broadcasts.ts';
import type { Provider, Transfer } from '../transfer/transfer.ts';
import { MAX_INIT_BYTES } from './broadcaster.ts';
import { type Fetched, SegmentFetcher } from './segment-fetcher.ts';
import type { WatchContext } from './watch-context.ts';

/** Nobody has asked for so long: players ask for the playlist every few seconds. */
export const IDLE_MS = 30_000;
const TICK_MS = 250;
/** Providers are looked up again after this long, and sooner while something is missing. */
const PROVIDERS_MS = 15_000;
const PROVIDERS_MISSING_MS = 3_000;
/** Peers that are asked at once for what is missing. */
const ASKED_PEERS = 3;
const ASK_FIRST_MS = 1_000;
const ASK_MAX_MS = 5_000;
/** Players begin so many segments before the end of the playlist. */
const START_BEHIND = 3;
/** A player that has taken no segment by then reads playlists only. */
const START_WITHIN_MS = 20_000;
/** Play ahead of what a player took last. */
const AHEAD_MS = 30_000;
const AHEAD_MIN_SEGMENTS = 3;

export class Watch {
  readonly broadcast: string;
  readonly name: string;
  /** Our own broadcast: everything is here. */
  readonly #own: boolean;
  readonly #context: WatchContext;
  readonly #fetcher: SegmentFetcher;
  #providers: readonly Provider[] = [];
  #providersAtMs = Number.NEGATIVE_INFINITY;
  #askAtMs = 0;
  /** What was there before this watch has been asked for. */
  #joined = false;
  #askPauseMs = ASK_FIRST_MS;
  readonly #startedAtMs: number;
  #touchedAtMs: number;
  #heardAtMs: number;
  /** Last segment that a player asked for; -1 before the first. */
  #takenSequence = -1;
  /** A playlist never goes back. */
  #firstSequence = 0;
  #working = false;
  #stopped = false;
  readonly #timer: NodeJS.Timeout;
  #waiters: (() => void)[] = [];
  trouble: AceError | null = null;

  constructor(context: WatchContext, row: BroadcastRow) {
    this.#context = context;
    this.broadcast = row.contentId;
    this.name = row.name;
    this.#own = row.pushKey !== null;
    this.#startedAtMs = context.nowMs();
    this.#touchedAtMs = context.nowMs();
    this.#heardAtMs = context.nowMs();
    this.#fetcher = new SegmentFetcher(context, () => this.#providers);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  get idle(): boolean {
    return this.#context.nowMs() - this.#touchedAtMs > IDLE_MS;
  }

  get fetched(): Fetched {
    return this.#fetcher.fetched;
  }

  get receivedBytes(): number {
    return this.fetched.receivedBytes;
  }

  get paidUnits(): number {
    return this.fetched.paidUnits;
  }

  /** Of its segments, under way or just done. */
  get transfers(): readonly Transfer[] {
    return this.#fetcher.transfers;
  }

  /** Those who were found last, the broadcaster among them. */
  get providers(): readonly Provider[] {
    return this.#providers;
  }

  /** Who to fetch a segment from, best first. @throws AceError `ShardUnavailable` */
  async providersOf(contentId: string): Promise<readonly Provider[]> {
    if (this.#providers.length === 0) await this.#lookUp();
    return this.#fetcher.ordered(contentId, this.#broadcasterId());
  }

  /** A record was heard. */
  heard(): void {
    this.#heardAtMs = this.#context.nowMs();
    this.#askPauseMs = ASK_FIRST_MS;
    this.trouble = null;
    for (const resolve of this.#waiters.splice(0)) resolve();
    this.#tick();
  }

  /** What a playlist lists now. Waits for the first segment. @throws AceError `NoProviders` when none comes in time */
  async listed(waitMs: number, signal: AbortSignal): Promise<Listed> {
    this.#touchedAtMs = this.#context.nowMs();
    const untilMs = this.#context.nowMs() + waitMs;
    for (;;) {
      const now = this.#list();
      if (now.segments.length > 0) return now;
      const leftMs = untilMs - this.#context.nowMs();
      if (now.ended) throw new AceError('BroadcastEnded', 'The broadcast has ended');
      if (leftMs <= 0 || this.#stopped || signal.aborted) {
        if (this.trouble) throw this.trouble;
        throw new AceError('NoProviders', 'Nothing of the broadcast has come yet: it may begin later');
      }
      await this.#woken(Math.min(leftMs, 1_000), signal);
    }
  }

  /** The transfer of a segment, for a player. @throws AceError `SegmentUnknown`, `NoProviders`, … */
  async segment(sequence: number): Promise<{ transfer: Transfer; record: HeardRecord }> {
    const record = this.#context.book.window(this.broadcast).find((one) => one.sequence === sequence);
    if (!record || record.contentId === null) {
      throw new AceError('SegmentUnknown', 'The broadcast has no such segment any more');
    }
    this.#touchedAtMs = this.#context.nowMs();
    this.#takenSequence = sequence;
    const transfer = await this.#fetcher.transfer(record.contentId);
    this.#tick();
    return { transfer, record };
  }

  /**
   * The transfer of what shows which tracks there are: of the segment that a player took last, or of its init segment.
   * Asks nobody for anything: it waits until a player does. `null` when none does in time.
   */
  async described(waitMs: number): Promise<Transfer | null> {
    const { book, nowMs } = this.#context;
    const untilMs = nowMs() + waitMs;
    const given = new AbortController();
    while (!this.#stopped && nowMs() < untilMs) {
      const taken = book.window(this.broadcast).find(({ sequence }) => sequence === this.#takenSequence);
      if (taken?.initContentId) return this.init(taken.initContentId);
      if (taken?.contentId) return this.#fetcher.transfer(taken.contentId);
      await this.#woken(Math.min(untilMs - nowMs(), TICK_MS), given.signal);
    }
    return null;
  }

  /** The transfer of an init segment that one of the records names. @throws AceError `SegmentUnknown`, … */
  async init(contentId: string): Promise<Transfer> {
    const { book, claim, disclaim } = this.#context;
    if (!book.window(this.broadcast).some(({ initContentId }) => initContentId === contentId)) {
      throw new AceError('SegmentUnknown', 'The broadcast has no such init segment any more');
    }
    this.#touchedAtMs = this.#context.nowMs();
    if (!claim(contentId, this.broadcast)) throw noInit();
    const transfer = await this.#fetcher.transfer(contentId).catch(async (error: unknown) => {
      await disclaim(contentId);
      throw error;
    });
    // A record only names it. Whatever else it is, nobody is made to pay for it, or loses it with the broadcast.
    const { broadcaster, sizeBytes } = transfer.file;
    if (sizeBytes <= MAX_INIT_BYTES && sameBytes(broadcaster, book.file(this.broadcast).broadcaster))
      return transfer;
    await this.#fetcher.end(contentId);
    await disclaim(contentId);
    throw noInit();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    for (const resolve of this.#waiters.splice(0)) resolve();
    await this.#fetcher.stop();
  }

  #list(): Listed {
    const { book, nowMs } = this.#context;
    const now = listed(book.window(this.broadcast), this.#firstSequence, nowMs());
    this.#firstSequence = now.segments[0]?.sequence ?? this.#firstSequence;
    return now;
  }

  #tick(): void {
    if (this.#working || this.#stopped) return;
    this.#working = true;
    this.#work()
      .catch((error: unknown) => {
        if (isAceError(error)) this.trouble = error;
        else this.#context.log.error({ err: error }, 'watching a broadcast failed in an unforeseen way');
      })
      .finally(() => {
        this.#working = false;
      });
  }

  async #work(): Promise<void> {
    if (!this.#own) {
      await this.#refreshProviders();
      if (this.#stopped) return;
      this.#prefetch();
      await this.#askForMissing();
    }
    this.#fetcher.sweep();
  }

  async #refreshProviders(): Promise<void> {
    const { nowMs } = this.#context;
    const oldMs = nowMs() - this.#providersAtMs;
    const missing = this.#providers.length === 0 || this.#isLate();
    if (oldMs < (missing ? PROVIDERS_MISSING_MS : PROVIDERS_MS)) return;
    this.#providersAtMs = nowMs();
    await this.#lookUp();
  }

  async #lookUp(): Promise<void> {
    const found = await this.#context.findProviders(this.broadcast).catch((error: unknown) => {
      // Those that are known may still have records.
      if (this.#providers.length > 0 && isAceError(error, 'ProviderStopped')) return [];
      throw error;
    });
    if (found.length > 0) this.#providers = found;
    else if (this.#providers.length === 0) {
      throw new AceError('NoProviders', 'Nobody who has this broadcast can be reached right now');
    }
  }

  /** Nothing new for longer than a segment plays, or a record between two others is missing. */
  #isLate(): boolean {
    const { book, nowMs } = this.#context;
    const window = book.window(this.broadcast);
    const newest = window.at(-1);
    if (!newest || !this.#joined) return true;
    const hole = book.completeUpTo(this.broadcast) < newest.sequence;
    if (newest.contentId === null) return hole;
    return hole || nowMs() - this.#heardAtMs > 1.5 * newest.durationMs + 500;
  }

  async #askForMissing(): Promise<void> {
    const { book, nowMs, random, askRecords, log } = this.#context;
    if (!this.#isLate() || nowMs() < this.#askAtMs || this.#providers.length === 0) return;
    this.#askAtMs = nowMs() + this.#askPauseMs;
    this.#askPauseMs = Math.min(ASK_MAX_MS, this.#askPauseMs * 1.5);
    const after = this.#joined ? book.completeUpTo(this.broadcast) : -1;
    // The broadcaster and others alike: it may be away, and they may have heard more.
    const asked = [...this.#providers]
      .map((provider) => ({ provider, place: random() }))
      .sort((a, b) => a.place - b.place)
      .slice(0, ASKED_PEERS);
    const answers = await Promise.allSettled(
      asked.map(({ provider }) => askRecords(provider, this.broadcast, after)),
    );
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'rejected') {
        log.debug(
          { err: answer.reason, peer: asked[i]?.provider.peerId },
          'a peer was asked for live records',
        );
        continue;
      }
      this.#joined = true;
      this.#hearAll(answer.value);
    }
    if (answers.every(({ status }) => status === 'rejected')) {
      throw new AceError('NoProviders', 'Nobody who has this broadcast can be reached right now');
    }
  }

  #hearAll(messages: readonly Uint8Array[]): void {
    const { book, log } = this.#context;
    for (const message of messages) {
      try {
        book.hear(this.broadcast, message);
      } catch (error) {
        if (!isAceError(error) || error.code === 'StoreFailed') throw error;
        log.debug({ err: error }, 'a live record was refused');
        if (error.reaction === 'drop-peer') return;
      }
    }
  }

  #prefetch(): void {
    const { segments } = this.#list();
    if (segments.length === 0) return;
    const started = this.#takenSequence >= 0;
    if (!started && this.#context.nowMs() - this.#startedAtMs > START_WITHIN_MS) return;
    // A player that fell out of the playlist jumps to where it begins.
    const behind = segments.length - START_BEHIND;
    const from = started ? this.#indexAfter(segments) : Math.max(0, behind);
    let aheadMs = 0;
    for (const [i, record] of segments.slice(from).entries()) {
      if (i >= AHEAD_MIN_SEGMENTS && aheadMs >= AHEAD_MS) break;
      aheadMs += record.durationMs;
      if (record.contentId !== null) {
        this.#fetcher.prefetch(record.contentId, pieceCount(record.sizeBytes), this.#broadcasterId());
      }
    }
  }

  #indexAfter(segments: readonly HeardRecord[]): number {
    const next = segments.findIndex(({ sequence }) => sequence > this.#takenSequence);
    return next < 0 ? segments.length : next;
  }

  #broadcasterId(): string {
    return this.#context.book.broadcasterId(this.broadcast);
  }

  #woken(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done, { once: true });
      this.#waiters.push(done);
    });
  }
}

function noInit(): AceError {
  return new AceError('SegmentUnknown', 'What the broadcast names as its init segment is something else');
}
