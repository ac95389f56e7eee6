/**
 * One content on its way to this node: it has what is wanted fetched from the providers that have it, several at once,
 * and says why it waits when it waits. What is wanted is in `demand.ts`, who has it in `sources.ts`, which piece comes
 * from whom in `picker.ts`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AceError, isAceError } from '../../shared/errors.ts';
import { PIECE_BYTES, pieceCount, pieceLength } from '../../shared/units.ts';
import type { Permit } from '../limits/download-budget.ts';
import { type ArrivedFrom, ProviderRefusal } from '../p2p/protocols/pieces/fetching.ts';
import type { FirstPiece } from './asking.ts';
import { AwaitedPieces } from './awaited-pieces.ts';
import { Demand, type Reader } from './demand.ts';
import { type Flight, Flights } from './flights.ts';
import { Permits } from './permits.ts';
import { ASSUMED_BYTES_PER_MS, assign, remedies, roomAt, type Source, speedOf, type Want } from './picker.ts';
import type { Provider } from './provider.ts';
import type { Line, Session, SessionUser } from './session-pool.ts';
import { type Member, type ProviderInUse, Sources } from './sources.ts';
import type { TransferContext } from './transfer-context.ts';
import { HARMLESS, PAUSING, RESTING } from './transfer-troubles.ts';
import type { TransportFile } from './transport-file.ts';
import { Watched } from './watched.ts';

export type { Reader } from './demand.ts';
export type { Provider } from './provider.ts';

export type { TransferContext } from './transfer-context.ts';
export type TransferState = 'connecting' | 'fetching' | 'paused' | 'done' | 'failed';

const RETRY_MS = 2_000;
/** How often late requests are looked after. */
const TICK_MS = 100;
const IDLE_TICK_MS = 250;
/** A second provider is worth its channel from so many pieces on, a third from twice as many. */
const PIECES_EACH = 4;
/** Beyond so many missing pieces all providers that are allowed are worth it anyway. */
const MAX_PIECES_COUNTED = 64;
/** Which pieces are rare is worked out anew after a millisecond for so many pieces: it takes a small part of that. */
const RARE_PIECES_PER_MS = 16;
/** What a stop waits for on a session that others use. */
const STOP_MS = 5_000;

export class Transfer implements SessionUser {
  readonly contentId: string;
  readonly file: TransportFile;
  state: TransferState = 'connecting';
  reason: AceError | null = null;
  paidUnits = 0;
  receivedBytes = 0;
  /** Pieces that came a second time, because the first provider was late, and were paid. */
  doubledPieces = 0;
  /** The last provider that would not send for want of a payment, and its words. */
  refusal: { readonly provider: string; readonly code: string } | null = null;
  readonly #context: TransferContext;
  readonly #count: number;
  readonly #have: Set<number>;
  readonly #demand: Demand;
  readonly #sources: Sources;
  readonly #watched: Watched;
  readonly #permits: Permits;
  readonly #flights = new Flights(() => performance.now());
  readonly #running = new Set<Promise<void>>();
  readonly #awaited = new AwaitedPieces();
  /** For the order of a download: two viewers do not take the same pieces first. */
  readonly #salt = Math.floor(Math.random() * 2 ** 31);
  #haves = 0;
  /** When it was worked out which pieces are rare. */
  #rareAtMs = Number.NEGATIVE_INFINITY;
  #last: Member | null = null;
  #stopped = false;
  #wake: () => void = () => undefined;
  #woken = false;
  #loop: Promise<void> | null = null;

  constructor(context: TransferContext, contentId: string, file: TransportFile) {
    this.#context = context;
    this.contentId = contentId;
    this.file = file;
    this.#count = pieceCount(file.sizeBytes);
    this.#have = new Set(context.store.contents.pieces(contentId));
    this.#demand = new Demand(file);
    this.#watched = new Watched(file, context.nowMs);
    this.#permits = new Permits({
      budget: context.budget,
      contentId,
      pieceBytes: Math.min(PIECE_BYTES, file.sizeBytes),
      onChange: () => this.#wakeUp(),
    });
    this.#sources = new Sources({
      contentId,
      file,
      pool: context.pool,
      user: this,
      log: context.log,
      findProviders: context.findProviders,
      onChange: () => {
        this.#haves += 1;
        this.#wakeUp();
      },
    });
    if (this.complete) this.state = 'done';
  }

  get complete(): boolean {
    return this.#have.size === this.#count;
  }

  get haveBytes(): number {
    const last = this.#count - 1;
    const missingOfLast = this.#have.has(last) ? PIECE_BYTES - pieceLength(this.file.sizeBytes, last) : 0;
    return this.#have.size * PIECE_BYTES - missingOfLast;
  }

  get fetchingMs(): number {
    return this.#flights.busyMs;
  }

  /** The account of the provider that sent last, or is about to. */
  get providerAccount(): string | null {
    const live = this.#sources.live;
    const member = live.find((m) => m === this.#last) ?? live[0];
    return member?.session?.provider.account ?? null;
  }

  get providers(): ProviderInUse[] {
    return this.#sources.inUse();
  }

  get wantedUnits(): number {
    return this.#stopped ? 0 : this.#count - this.#have.size;
  }

  holds(line: Line): boolean {
    if (this.#stopped) return false;
    const rests = this.reason !== null && RESTING.has(this.reason.code);
    if (this.state === 'paused' && !rests && this.#sources.uses(line)) return true;
    return this.#watched.holds(line.watch, this.#demand.hasReaders, this.complete);
  }

  /** Gets a provider ready, so that the first piece need not wait for a session and a lease. `known`: who has it, if just asked. */
  warm(known: readonly Provider[], areAll = true): void {
    if (this.complete) return;
    this.#sources.warm(known, areAll).catch((error: unknown) => {
      this.#context.log.debug({ err: error, contentId: this.contentId }, 'no provider could be made ready');
    });
  }

  /** Takes over a piece that was asked for along with the transport file. */
  adopt({ line, pieceIndex, video, permit, piece, abort }: FirstPiece): void {
    const member = this.#sources.get(line.peerId);
    const session = line.live;
    if (!member || !session || this.#have.has(pieceIndex) || pieceIndex >= this.#count) {
      piece.then(
        ({ bytes }) => permit.done(bytes),
        () => permit.done(0), // whoever wants the piece asks for it
      );
      return;
    }
    const bytes = pieceLength(this.file.sizeBytes, pieceIndex);
    const expectedMs = (line.pace.latencyMs ?? 0) + bytes / (line.pace.bytesPerMs ?? ASSUMED_BYTES_PER_MS);
    const startedAtMs = performance.now();
    const flight: Flight = {
      ...{ pieceIndex, bytes, video, member, abort, startedAtMs, expectedMs },
      sourceId: line.peerId,
      isDouble: false,
    };
    this.#fly(flight, this.#land(flight, session, permit, piece));
  }

  /** Fetches everything, whether someone reads or not. */
  download(): void {
    this.#demand.download();
    this.#start();
  }

  addReader(pieceIndex: number, watches = true): Reader {
    const reader = this.#demand.addReader(pieceIndex, watches);
    this.#start();
    return reader;
  }

  moveReader(reader: Reader, pieceIndex: number): void {
    if (reader.pieceIndex === pieceIndex) return;
    reader.pieceIndex = pieceIndex;
    this.#wakeUp();
  }

  /** A reader has been given so many bytes: who watches them does so from now on. */
  taken(reader: Reader, start: number, lengthBytes: number): void {
    this.#watched.taken(reader, start, lengthBytes);
  }

  removeReader(reader: Reader): void {
    this.#demand.removeReader(reader);
    this.#wakeUp();
  }

  /** Resolves when the piece is stored and verified. @throws AceError `PeerClosed` when the transfer is stopped */
  async piece(pieceIndex: number, signal: AbortSignal): Promise<void> {
    while (!this.#have.has(pieceIndex)) {
      if (this.#stopped) throw new AceError('PeerClosed', 'The transfer was stopped');
      signal.throwIfAborted();
      await this.#awaited.next(pieceIndex, signal);
    }
  }

  /** A piece turned out to be lost from the disk: it is fetched again. */
  forget(pieceIndex: number): void {
    this.#have.delete(pieceIndex);
    this.#demand.forget(pieceIndex);
    if (this.state === 'done') this.#setState('connecting', null);
    this.#start();
  }

  /** Funds or credit may be there again. */
  retry(): void {
    this.#permits.retry();
    this.#sources.retry();
    this.#wakeUp();
  }

  /** Lets what is under way arrive and be paid, then ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeUp();
    this.#awaited.release();
    await this.#loop;
    this.#permits.giveBack();
    this.#watched.end();
    for (const flight of this.#flights.all()) flight.abort.abort();
    await this.#context.pool.leave(this);
    // On a session that others use, a provider may keep its answer to itself.
    await Promise.race([Promise.all(this.#running), delay(STOP_MS, undefined, { ref: false })]);
    this.#context.onChange();
  }

  #start(): void {
    this.#loop ??= this.#run();
    this.#wakeUp();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      try {
        this.#withdrawUnwanted();
        const wants = this.#isWanting();
        if (wants || this.#flights.size > 0) this.#work(wants);
        else this.#permits.giveBack();
        await this.#rest(this.#flights.size > 0 ? TICK_MS : wants ? IDLE_TICK_MS : null);
      } catch (error) {
        this.#context.log.error({ err: error }, 'a transfer failed in an unforeseen way');
        await delay(RETRY_MS);
      }
    }
  }

  /** One look at everything: never waits. */
  #work(wants: boolean): void {
    this.#demand.passOver((index) => this.#have.has(index));
    this.#sources.abandonSilent();
    const wanted = Math.min(this.#count - this.#have.size, MAX_PIECES_COUNTED);
    // Nobody is called before something may be asked for.
    if (wants && (this.#permits.count > 0 || this.#flights.size > 0))
      this.#sources.tend(1 + Math.floor(wanted / PIECES_EACH));
    const sources = this.#sources.forPicker();
    // One at least: what is late may have to be asked for elsewhere.
    this.#permits.want(wants ? Math.max(1, roomAt(sources)) : 1, this.#demand.hasReaders);
    this.#preferRare();
    const speed = sources.reduce((sum, source) => sum + speedOf(source), 0);
    const missingBytes = (this.#count - this.#have.size) * PIECE_BYTES - this.#flights.bytes;
    for (const { want, sourceId, expectedMs } of assign(this.#wants(speed), sources, missingBytes)) {
      if (!this.#ask(want, sourceId, expectedMs, false)) break;
    }
    this.#remedy(sources, speed);
    this.#sayTrouble(sources);
  }

  #wants(speed: number): Generator<Want> {
    return this.#demand.wants((index) => !this.#have.has(index) && !this.#flights.has(index), speed);
  }

  #isWanting(): boolean {
    return !this.#wants(1).next().done;
  }

  #preferRare(): void {
    const partial = this.#sources.partial();
    const live = this.#sources.live;
    if (!this.#demand.downloading || partial.length === 0) {
      this.#demand.preferRare('', null, this.#salt);
      return;
    }
    const nowMs = performance.now();
    if (nowMs - this.#rareAtMs < this.#count / RARE_PIECES_PER_MS) return;
    this.#rareAtMs = nowMs;
    const holders = (index: number) =>
      live.filter(({ session }) => session?.has(this.contentId, index)).length;
    this.#demand.preferRare(String(this.#haves), holders, this.#salt);
  }

  /** Whether it could be asked for. */
  #ask(want: Omit<Want, 'deadlineMs'>, sourceId: string, expectedMs: number, isDouble: boolean): boolean {
    const member = this.#sources.get(sourceId);
    const session = member?.session;
    const permit = member && session ? this.#permits.take() : null;
    if (!member || !session || !permit) return false;
    const flight: Flight = {
      ...want,
      member,
      sourceId,
      startedAtMs: performance.now(),
      expectedMs,
      isDouble,
      abort: new AbortController(),
    };
    const { pieceIndex, video, bytes, abort } = flight;
    const request = { contentId: this.contentId, file: this.file, pieceIndex, video };
    const options = { signal: abort.signal, onAsked: () => this.#setState('fetching', null) };
    const arriving = this.#context.pool.fetch(member.line, this, request, bytes, options);
    this.#fly(flight, this.#land(flight, session, permit, arriving));
    return true;
  }

  #fly(flight: Flight, landing: Promise<void>): void {
    this.#flights.add(flight);
    const running = landing.finally(() => {
      this.#running.delete(running);
      this.#flights.remove(flight);
      this.#wakeUp();
    });
    this.#running.add(running);
  }

  async #land(
    flight: Flight,
    session: Session,
    permit: Permit,
    arriving: Promise<ArrivedFrom>,
  ): Promise<void> {
    try {
      const piece = await arriving;
      permit.done(piece.bytes);
      this.#onArrived(flight, piece);
    } catch (error) {
      permit.done(0);
      await this.#onFailed(flight, session, error);
    }
  }

  #onArrived({ pieceIndex, video, member }: Flight, piece: ArrivedFrom): void {
    this.#sources.delivered(member, piece.bytes, piece.paidUnits);
    this.#last = member;
    if (this.#have.has(pieceIndex)) {
      this.doubledPieces += 1;
      this.paidUnits += piece.paidUnits;
      this.receivedBytes += piece.bytes;
      return;
    }
    this.#watched.arrived(pieceIndex, video, member.line.watch);
    this.#onPiece(pieceIndex, piece.bytes, piece.paidUnits);
    this.#flights.arrived(pieceIndex);
  }

  #onPiece(pieceIndex: number, bytes: number, paidUnits: number): void {
    this.#have.add(pieceIndex);
    this.paidUnits += paidUnits;
    this.receivedBytes += bytes;
    this.#awaited.arrived(pieceIndex);
    if (this.complete) this.#setState('done', null);
    if (this.complete || this.#have.size === 1) this.#context.onServable();
    this.#context.onChange();
  }

  async #onFailed({ member }: Flight, session: Session, error: unknown): Promise<void> {
    if (isAceError(error, 'Withdrawn')) return;
    if (session.failed) {
      if (member.session === session) this.#sources.failed(member, session.failure);
      // What the session still booked need not be fetched, nor paid, again.
      await session.settled();
      this.#takeOver();
      return;
    }
    if (member.session !== session) return;
    if (error instanceof ProviderRefusal) {
      if (error.code === 'PieceUnknown') return;
      this.#sources.failed(member, error);
      if (!HARMLESS.has(error.code)) session.abort(error);
      return;
    }
    this.#onUnpayable(member, error);
  }

  /** Our own shard, credit or disk: the provider has no part in it. */
  #onUnpayable(member: Member, error: unknown): void {
    const known =
      error instanceof AceError ? error : new AceError('Internal', 'Something went wrong', { cause: error });
    if (known.code === 'Internal')
      this.#context.log.error({ err: error }, 'a transfer failed in an unforeseen way');
    const isTold = [this.reason?.code, member.unpayable?.error.code].includes(known.code);
    if (known.code === 'DeviceDisputed' && !isTold)
      this.#context.log.error({ err: known, ...known.details }, 'the shard refuses this device new leases');
    member.unpayable = { error: known, untilMs: performance.now() + RETRY_MS };
  }

  /** Why nothing moves, when nothing moves. */
  #sayTrouble(sources: readonly Source[]): void {
    const { trouble } = this.#permits;
    if (this.complete || this.#flights.size > 0) return;
    if (trouble) {
      this.#setState(PAUSING.has(trouble.code) ? 'paused' : 'connecting', trouble);
      return;
    }
    if (sources.length > 0 || this.#permits.count === 0) return;
    const unpayable = this.#sources.live.find((member) => member.unpayable);
    if (unpayable?.unpayable) {
      const { error } = unpayable.unpayable;
      if (!PAUSING.has(error.code)) this.#setState('connecting', error);
      else if (this.state !== 'paused' || this.reason?.code !== error.code) {
        if (error.code === 'CreditExhausted') void this.#askUnpaid(unpayable);
        this.#setState('paused', error);
      }
      return;
    }
    if (!this.#sources.connecting) this.#setState('connecting', this.#sources.trouble);
  }

  /** A shard that leases nothing is no word of the provider's: it may still be generous. It is asked, once. */
  async #askUnpaid({ line, session }: Member): Promise<void> {
    const next = this.#wants(1).next();
    if (!session || next.done) return;
    const { contentId, file } = this;
    try {
      const request = { contentId, file, pieceIndex: next.value.pieceIndex, video: false };
      const code = await session.refusalOf(request);
      if (code === null) this.#takeOver();
      else this.refusal = { provider: session.provider.account, code };
      this.#context.onChange();
    } catch (error) {
      this.#context.log.debug({ err: error, peer: line.peerId }, 'a provider left instead of answering');
    }
  }

  /** What no reader wants any more is not waited for; a provider that has begun with it is paid for it. */
  #withdrawUnwanted(): void {
    for (const flight of this.#flights.all()) {
      if (!this.#demand.wanted(flight.pieceIndex)) flight.abort.abort();
    }
  }

  #remedy(sources: readonly Source[], speed: number): void {
    const pending = this.#flights.pending((index) => this.#demand.deadlineMs(index, speed));
    const allAsked = sources.length > 1 && !this.#isWanting();
    for (const remedy of remedies(pending, sources, allAsked)) {
      const late = pending.find((one) => one === remedy.pending)?.flight;
      if (!late) continue;
      if (remedy.kind === 'withdraw') late.abort.abort();
      else this.#ask(late, remedy.sourceId, late.expectedMs, true);
    }
  }

  /** Takes up the pieces that were stored without this transfer being told. */
  #takeOver(): void {
    for (const pieceIndex of this.#context.store.contents.pieces(this.contentId)) {
      if (!this.#have.has(pieceIndex)) this.#onPiece(pieceIndex, 0, 0);
    }
  }

  #setState(state: TransferState, reason: AceError | null): void {
    if (this.state === 'done' && state === 'fetching') return;
    const changed = this.state !== state || this.reason?.code !== reason?.code;
    this.state = state;
    this.reason = reason;
    if (changed) this.#context.onChange();
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Until something happens, or so long; `null` is for ever. */
  async #rest(timeoutMs: number | null): Promise<void> {
    if (this.#woken || this.#stopped) {
      await delay(0);
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = timeoutMs === null ? undefined : setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
