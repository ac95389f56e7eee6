/**
 * One content on its way to this node: it has what is wanted fetched from the providers that have it, several at once,
 * and shows why it waits when it waits. What is wanted is in `demand.ts`, who has it in `providers.ts`, which piece comes
 * from whom in `picker.ts`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PIECE_BYTES } from '../../shared/economy/units.ts';
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
import { Flights } from './flights.ts';
import { Holdings } from './holdings.ts';
import { Permits } from './permits.ts';
import { PieceRequests, type Refusal } from './piece-requests.ts';
import { type ProviderInUse, TransferProviders } from './providers.ts';
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
/** What a stop waits for on a stream that others use. */
const STOP_MS = 5_000;

export class Transfer implements StreamUser {
  readonly contentId: string;
  readonly file: TransportFile;
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
  readonly #arrivals: Arrivals;
  readonly #requests: PieceRequests;
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
    this.#status = new TransferStatus({
      log,
      onChange,
      askUnpaid: (member) => void this.#requests.askUnpaid(member),
    });
    this.#holdings = new Holdings(file, context.store.contents.pieces.of(contentId));
    this.#demand = new Demand(file);
    const rareFirst = new RareFirst(contentId, this.#holdings.count);
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
        rareFirst.changed();
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
    this.#requests = new PieceRequests(context, {
      contentId,
      file,
      user: this,
      holdings: this.#holdings,
      demand: this.#demand,
      providers: this.#providers,
      permits: this.#permits,
      flights: this.#flights,
      arrivals: this.#arrivals,
      rareFirst,
      status: this.#status,
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

  /** The last provider that would not send for want of a payment, and its words. */
  get refusal(): Refusal | null {
    return this.#requests.refusal;
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
  adopt(first: FirstPiece): void {
    this.#requests.adopt(first);
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
        const wants = this.#requests.isWanting;
        if (wants || this.#flights.size > 0) this.#requests.look(wants);
        else this.#permits.giveBack();
        await this.#wait(this.#flights.size > 0 ? TICK_MS : wants ? IDLE_TICK_MS : undefined);
      } catch (error) {
        this.#context.log.error({ err: error }, 'a transfer failed in an unforeseen way');
        await delay(RETRY_MS);
      }
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
