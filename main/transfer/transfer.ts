/**
 * One content on its way to this node: it has what is wanted fetched from the providers that have it, several at once,
 * and shows why it waits when it waits. What is wanted is in `demand.ts`, who has it in `providers.ts`, which piece comes
 * from whom in `picker.ts`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PIECE_BYTES, pieceLength } from '../../shared/economy/units.ts';
import type { AceError } from '../../shared/errors.ts';
import type { Provider } from '../content/provider.ts';
import type { TransportFile } from '../content/transport-file.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { DownloadBudget } from '../limits/download-budget.ts';
import type { Log } from '../process/log.ts';
import { Signal } from '../util/signal.ts';
import { Arrivals } from './arrivals.ts';
import type { FirstPiece } from './asking.ts';
import { Demand, type Reader } from './demand.ts';
import { type Flight, Flights } from './flights.ts';
import { Holdings } from './holdings.ts';
import { Permits } from './permits.ts';
import {
  ASSUMED_BYTES_PER_MS,
  type AvailableProvider,
  assign,
  remedies,
  roomAt,
  speedOf,
  type Want,
} from './picker.ts';
import { type Member, type ProviderInUse, TransferProviders } from './providers.ts';
import { RareFirst } from './rare-first.ts';
import type { PooledProvider, StreamPool, StreamUser } from './stream-pool.ts';
import { RETRY_MS, type TransferState, TransferStatus } from './transfer-status.ts';
import { Watched } from './watched.ts';

export type { Provider } from '../content/provider.ts';
export type { Reader } from './demand.ts';

export type { TransferState } from './transfer-status.ts';

export interface TransferContext {
  readonly store: NodeStore;
  readonly log: Log;
  readonly pool: StreamPool;
  /** Whether and when another piece may be asked for. */
  readonly budget: Pick<DownloadBudget, 'mayRequest'>;
  /** Why nothing of a content may be asked for now: it is sold and not bought; `null` when it may. */
  readonly accessTrouble: (contentId: string) => AceError | null;
  /** Pieces that may be fetched ahead of each reader, where not all of the content fits on the disk; else `null`. */
  readonly aheadPieces: (contentId: string, sizeBytes: number) => number | null;
  /** Who has this content, best first. @throws AceError `ShardUnavailable` */
  readonly findProviders: (contentId: string) => Promise<Provider[]>;
  readonly nowMs: () => number;
  readonly onChange: () => void;
  /** The first of the content is here, or all of it: others can be served from here. */
  readonly onServable: () => void;
}

/** How often late requests are looked after. */
const TICK_MS = 100;
const IDLE_TICK_MS = 250;
/** A second provider is worth its channel from so many pieces on, a third from twice as many. */
const PIECES_EACH = 4;
/** Beyond so many missing pieces all providers that are allowed are worth it anyway. */
const MAX_PIECES_COUNTED = 64;
/** What a stop waits for on a stream that others use. */
const STOP_MS = 5_000;

export class Transfer implements StreamUser {
  readonly contentId: string;
  readonly file: TransportFile;
  /** The last provider that would not send for want of a payment, and its words. */
  refusal: { readonly provider: string; readonly code: string } | null = null;
  readonly #context: TransferContext;
  readonly #status: TransferStatus;
  readonly #holdings: Holdings;
  readonly #demand: Demand;
  readonly #providers: TransferProviders;
  readonly #watched: Watched;
  readonly #permits: Permits;
  readonly #flights = new Flights(
    (pieceIndex) => this.#holdings.has(pieceIndex),
    () => this.#notify(),
  );
  readonly #rareFirst: RareFirst;
  readonly #arrivals: Arrivals;
  #stopped = false;
  readonly #signal = new Signal();
  /** Something happened since the last look. */
  #notified = false;
  #loop: Promise<void> | null = null;

  constructor(context: TransferContext, contentId: string, file: TransportFile) {
    this.#context = context;
    this.contentId = contentId;
    this.file = file;
    const { log, onChange } = context;
    this.#status = new TransferStatus({ log, onChange, askUnpaid: (member) => void this.#askUnpaid(member) });
    this.#holdings = new Holdings(file, context.store.contents.pieces.of(contentId));
    this.#demand = new Demand(file);
    this.#rareFirst = new RareFirst(contentId, this.#holdings.count);
    this.#watched = new Watched(file, context.nowMs);
    this.#permits = new Permits({
      budget: context.budget,
      contentId,
      pieceBytes: Math.min(PIECE_BYTES, file.sizeBytes),
      onChange: () => this.#notify(),
    });
    this.#providers = new TransferProviders({
      contentId,
      file,
      pool: context.pool,
      user: this,
      log: context.log,
      findProviders: context.findProviders,
      nowMs: context.nowMs,
      onChange: () => {
        this.#rareFirst.changed();
        this.#notify();
      },
    });
    this.#arrivals = new Arrivals({
      contentId,
      store: context.store,
      holdings: this.#holdings,
      providers: this.#providers,
      flights: this.#flights,
      watched: this.#watched,
      status: this.#status,
      onChange: context.onChange,
      onServable: context.onServable,
    });
    if (this.complete) this.#status.state = 'done';
  }

  get state(): TransferState {
    return this.#status.state;
  }

  get reason(): AceError | null {
    return this.#status.reason;
  }

  get complete(): boolean {
    return this.#holdings.complete;
  }

  get haveBytes(): number {
    return this.#holdings.bytes;
  }

  get paidUnits(): number {
    return this.#holdings.paidUnits;
  }

  get receivedBytes(): number {
    return this.#holdings.receivedBytes;
  }

  /** Pieces that came a second time, because the first provider was late, and were paid. */
  get doubledPieces(): number {
    return this.#holdings.doubledPieces;
  }

  get fetchingMs(): number {
    return this.#flights.busyMs;
  }

  /** The account of the provider that sent last, or is about to. */
  get providerAccount(): string | null {
    const live = this.#providers.live;
    const member = live.find((m) => m === this.#arrivals.last) ?? live[0];
    return member?.stream?.provider.account ?? null;
  }

  get providers(): ProviderInUse[] {
    return this.#providers.inUse();
  }

  /** Whether there is somebody to fetch it for, or something of it on its way. */
  get isWanted(): boolean {
    if (this.complete || this.#stopped) return false;
    return this.#demand.hasReaders || this.#demand.wantsAll || this.#flights.size > 0;
  }

  get readerPieces(): number[] {
    return this.#demand.readerPieces;
  }

  get wantedUnits(): number {
    return this.#stopped ? 0 : this.#holdings.missing;
  }

  holds(pooled: PooledProvider): boolean {
    if (this.#stopped) return false;
    if (this.state === 'paused' && !this.#status.rests && this.#providers.uses(pooled)) return true;
    return this.#watched.holds(pooled.watch, this.#demand.hasReaders, this.complete);
  }

  /** Gets a provider ready, so that the first piece need not wait for a stream and a lease. `known`: who has it, if just asked. */
  warm(known: readonly Provider[], areAll = true): void {
    if (this.complete || this.#context.accessTrouble(this.contentId)) return;
    this.#providers.warm(known, areAll).catch((error: unknown) => {
      this.#context.log.debug({ err: error, contentId: this.contentId }, 'no provider could be made ready');
    });
  }

  /** Takes over a piece that was asked for along with the transport file. */
  adopt({ pooled, pieceIndex, video, permit, piece, abort }: FirstPiece): void {
    const member = this.#providers.get(pooled.peerId);
    const stream = pooled.live;
    if (!member || !stream || this.#holdings.has(pieceIndex) || pieceIndex >= this.#holdings.count) {
      piece.then(
        ({ bytes }) => permit.done(bytes),
        () => permit.done(0), // a reader that wants the piece asks for it again
      );
      return;
    }
    const bytes = pieceLength(this.file.sizeBytes, pieceIndex);
    const expectedMs =
      (pooled.speed.latencyMs ?? 0) + bytes / (pooled.speed.bytesPerMs ?? ASSUMED_BYTES_PER_MS);
    const startedAtMs = performance.now();
    const flight: Flight = {
      ...{ pieceIndex, bytes, video, member, abort, startedAtMs, expectedMs },
      providerId: pooled.peerId,
      isDouble: false,
    };
    this.#flights.add(flight, this.#arrivals.land(flight, stream, permit, piece));
  }

  /** Fetches everything, whether someone reads or not: what is stopped by `stop` only. */
  download(): void {
    this.#demand.download();
    this.#start();
  }

  addReader(pieceIndex: number, watches = true, takesAll = false): Reader {
    const reader = this.#demand.addReader(pieceIndex, watches, takesAll);
    this.#start();
    return reader;
  }

  moveReader(reader: Reader, pieceIndex: number): void {
    if (reader.pieceIndex === pieceIndex) return;
    reader.pieceIndex = pieceIndex;
    this.#notify();
  }

  /** A reader has been given so many bytes: who watches them does so from now on. */
  taken(reader: Reader, start: number, lengthBytes: number): void {
    this.#watched.taken(reader, start, lengthBytes);
  }

  removeReader(reader: Reader): void {
    this.#demand.removeReader(reader);
    this.#notify();
  }

  /** Resolves when the piece is stored and verified. @throws AceError `PeerClosed` when the transfer is stopped */
  piece(pieceIndex: number, signal: AbortSignal): Promise<void> {
    return this.#holdings.piece(pieceIndex, signal);
  }

  /** Whether anybody can be asked for what is missing, without asking for it. @throws AceError `ProviderStopped`, … */
  async checkOffered(): Promise<void> {
    if (!this.complete && this.#providers.live.length === 0) await this.#providers.find();
  }

  /**
   * Why nothing comes, as it is found out from now on: what is known of an earlier reader may not hold any more. `null` when
   * `until` aborts before.
   */
  nextTrouble(until: AbortSignal): Promise<AceError | null> {
    return this.#status.next(until);
  }

  /** A piece turned out to be lost from the disk: it is fetched again. */
  forget(pieceIndex: number): void {
    this.#holdings.forget(pieceIndex);
    this.#demand.forget(pieceIndex);
    if (this.state === 'done') this.#status.set('connecting', null);
    this.#start();
  }

  /** Pieces that no reader needs next were removed to make room. */
  lost(pieces: readonly number[]): void {
    for (const pieceIndex of pieces) {
      this.#holdings.forget(pieceIndex);
      this.#demand.forget(pieceIndex);
    }
    this.#notify();
  }

  /** Funds or credit may be there again. */
  retry(): void {
    this.#permits.retry();
    this.#providers.retry();
    this.#notify();
  }

  /** Lets what is under way arrive and be paid, then ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#holdings.release();
    this.#notify();
    await this.#loop;
    this.#permits.giveBack();
    this.#watched.end();
    this.#flights.withdraw(() => true);
    await this.#context.pool.leave(this);
    // On a stream that others use, a provider may keep its answer to itself.
    await Promise.race([this.#flights.landed(), delay(STOP_MS, undefined, { ref: false })]);
    this.#context.onChange();
  }

  #start(): void {
    this.#loop ??= this.#run();
    this.#notify();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#notified = false;
      try {
        this.#demand.limitAhead(this.#context.aheadPieces(this.contentId, this.file.sizeBytes));
        // A provider that has begun with it is paid for it.
        this.#flights.withdraw((pieceIndex) => !this.#demand.wanted(pieceIndex));
        const wants = this.#isWanting();
        if (wants || this.#flights.size > 0) this.#work(wants);
        else this.#permits.giveBack();
        await this.#wait(this.#flights.size > 0 ? TICK_MS : wants ? IDLE_TICK_MS : undefined);
      } catch (error) {
        this.#context.log.error({ err: error }, 'a transfer failed in an unforeseen way');
        await delay(RETRY_MS);
      }
    }
  }

  /** One look at everything: never waits. */
  #work(wants: boolean): void {
    this.#demand.passOver((index) => this.#holdings.has(index));
    this.#providers.abandonSilent();
    const closed = wants ? this.#context.accessTrouble(this.contentId) : null;
    if (closed) {
      // Nobody is connected to for it, and what is under way is served as far as it was asked for in time.
      this.#status.set('paused', closed);
      this.#permits.giveBack();
      return;
    }
    const wanted = Math.min(this.#holdings.missing, MAX_PIECES_COUNTED);
    // No provider is connected to before something may be asked for.
    if (wants && (this.#permits.count > 0 || this.#flights.size > 0))
      this.#providers.tend(1 + Math.floor(wanted / PIECES_EACH));
    const providers = this.#providers.forPicker();
    // One at least: what is late may have to be asked for elsewhere.
    this.#permits.want(wants ? Math.max(1, this.#permitsFor(providers)) : 1, this.#demand.hasReaders);
    this.#rareFirst.apply(this.#demand, this.#providers);
    const speed = providers.reduce((sum, provider) => sum + speedOf(provider), 0);
    const missingBytes = this.#holdings.missing * PIECE_BYTES - this.#flights.missingBytes;
    for (const { want, providerId, expectedMs } of assign(this.#wants(speed), providers, missingBytes)) {
      if (!this.#ask(want, providerId, expectedMs, false)) break;
    }
    this.#remedy(providers, speed);
    this.#reportTrouble(providers);
  }

  #wants(speed: number): Generator<Want> {
    return this.#demand.wants((index) => !this.#holdings.has(index) && !this.#flights.has(index), speed);
  }

  /** As many as the providers could take; in a window, where room is short, no more than there is to ask for. */
  #permitsFor(providers: readonly AvailableProvider[]): number {
    const room = roomAt(providers);
    if (!this.#demand.isLimited) return room;
    let count = 0;
    for (const _ of this.#wants(1)) if (++count >= room) break;
    return count;
  }

  #isWanting(): boolean {
    return !this.#wants(1).next().done;
  }

  /** Whether it could be asked for. */
  #ask(want: Omit<Want, 'deadlineMs'>, providerId: string, expectedMs: number, isDouble: boolean): boolean {
    const member = this.#providers.get(providerId);
    const stream = member?.stream;
    const permit = member && stream ? this.#permits.take() : null;
    if (!member || !stream || !permit) return false;
    const flight: Flight = {
      ...want,
      member,
      providerId,
      startedAtMs: performance.now(),
      expectedMs,
      isDouble,
      abort: new AbortController(),
    };
    const { pieceIndex, video, bytes, abort } = flight;
    const request = { contentId: this.contentId, file: this.file, pieceIndex, video };
    const options = { signal: abort.signal, onAsked: () => this.#onAsked(member) };
    const arriving = this.#context.pool.fetch(member.pooled, this, request, bytes, options);
    this.#flights.add(flight, this.#arrivals.land(flight, stream, permit, arriving));
    return true;
  }

  /** One that said that it sends nothing now is asked in vain, as a rule: until it sends, the reason stands. */
  #onAsked({ stopped }: Member): void {
    if (stopped === null) this.#status.set('fetching', null);
  }

  /** Why nothing moves, when nothing moves. */
  #reportTrouble(providers: readonly AvailableProvider[]): void {
    const { trouble, count } = this.#permits;
    if (this.complete || this.#flights.size > 0) return;
    if (trouble) this.#status.reportUnpermitted(trouble);
    else if (providers.length === 0 && count > 0) this.#status.reportNobody(this.#providers);
  }

  /** A shard that leases nothing is no word of the provider's: it may still be generous. It is asked, once. */
  async #askUnpaid({ pooled, stream }: Member): Promise<void> {
    const next = this.#wants(1).next();
    if (!stream || next.done) return;
    const { contentId, file } = this;
    try {
      const request = { contentId, file, pieceIndex: next.value.pieceIndex, video: false };
      const code = await stream.refusalOf(request);
      if (code === null) this.#arrivals.takeOver();
      else this.refusal = { provider: stream.provider.account, code };
      this.#context.onChange();
    } catch (error) {
      this.#context.log.debug({ err: error, peer: pooled.peerId }, 'a provider left instead of answering');
    }
  }

  #remedy(providers: readonly AvailableProvider[], speed: number): void {
    const pending = this.#flights.pending((index) => this.#demand.deadlineMs(index, speed));
    const allAsked = providers.length > 1 && !this.#isWanting();
    for (const remedy of remedies(pending, providers, allAsked)) {
      const late = pending.find((one) => one === remedy.pending)?.flight;
      if (!late) continue;
      if (remedy.kind === 'withdraw') late.abort.abort();
      else this.#ask(late, remedy.providerId, late.expectedMs, true);
    }
  }

  #notify(): void {
    this.#notified = true;
    this.#signal.notify();
  }

  /** Until something happens, or so long; `undefined` is for ever. */
  #wait(timeoutMs: number | undefined): Promise<void> {
    return this.#notified || this.#stopped ? delay(0) : this.#signal.wait(timeoutMs);
  }
}
