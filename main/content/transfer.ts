/**
 * One content on its way to this node: which pieces are wanted, from whom, and why it waits when it waits.
 *
 * Readers (players) say where they are; what lies ahead of them is fetched, and no more, so that nobody pays for a
 * video they stop watching. A download wants everything.
 */
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError, isAceError } from '../../shared/errors.ts';
import { PIECE_BYTES, pieceCount, pieceLength } from '../../shared/units.ts';
import type { WatchTime } from '../channel/payer.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../log.ts';
import { isProviderFault, type ViewerSession } from '../p2p/protocols/pieces/client.ts';
import { isMedia, type TransportFile } from './transport-file.ts';
import { Viewing } from './viewing.ts';

export interface Provider {
  readonly peerId: string;
  readonly account: string;
  readonly addresses: readonly Multiaddr[];
}

export interface TransferContext {
  readonly store: NodeStore;
  readonly log: Log;
  /** Who has this content, best first. @throws AceError `ShardUnavailable` */
  readonly findProviders: (contentId: string) => Promise<Provider[]>;
  /** A session whose checkpoints report `watchTime`. */
  readonly openSession: (provider: Provider, watchTime: WatchTime) => Promise<ViewerSession>;
  readonly nowMs: () => number;
  readonly onChange: () => void;
  /** The content is whole now: others can be served from here. */
  readonly onComplete: () => void;
}

export type TransferState = 'connecting' | 'fetching' | 'paused' | 'done' | 'failed';

/** Where a player reads, or where bytes are taken to be kept. */
export interface Reader {
  pieceIndex: number;
  /** Somebody watches what is read here. */
  readonly watches: boolean;
}

/** A piece to ask for next. */
interface Wanted {
  readonly pieceIndex: number;
  /** Somebody watches and needs it: only such traffic counts for the network's traffic rate. */
  readonly video: boolean;
}

/** Requests under way at once: more than the largest window, so that the provider is never idle. */
const MAX_IN_FLIGHT = 16;
const AHEAD_MIN_PIECES = 12;
const AHEAD_MS = 30_000;
/** Largest lease at a time; a longer content renews. */
const LEASE_UNITS = 512;
const RETRY_MS = 2_000;
/** A provider that failed is asked again after this long, doubled each time in a row. */
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 5_000;
/** A session that nobody needs is closed after this long, and its reserved capacity is free again. */
const IDLE_CLOSE_MS = 8_000;
/** What a player has taken is watched for so long after it took the last of it, at most: well within a lease's life. */
const WATCHED_AFTER_MS = 3 * 3_600_000;
/** A player that pauses reads nothing. It may come back for what is here already, whose watch time is then reported. */
const PAUSED_AFTER_MS = 10 * 60_000;

export class Transfer {
  readonly contentId: string;
  readonly file: TransportFile;
  state: TransferState = 'connecting';
  reason: AceError | null = null;
  paidUnits = 0;
  receivedBytes = 0;
  /** Time with requests under way, in milliseconds. */
  fetchingMs = 0;
  /** The last provider that would not send for want of a payment, and its words. */
  refusal: { readonly provider: string; readonly code: string } | null = null;
  readonly #context: TransferContext;
  readonly #have: Set<number>;
  readonly #inFlight = new Set<number>();
  readonly #readers = new Set<Reader>();
  readonly #banned = new Set<string>();
  /** Times in a row that a provider was left without a piece: the others are tried first. */
  readonly #failures = new Map<string, number>();
  readonly #pieceWaiters = new Map<number, (() => void)[]>();
  readonly #viewing: Viewing;
  /** Pieces that came for a download: their bytes are no video, so their time is none either. */
  readonly #kept = new Set<number>();
  /** Pieces that came for a player and that no player has taken. */
  readonly #unseen = new Set<number>();
  /** When a player took something last. */
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #downloading = false;
  #busySinceMs = 0;
  #session: ViewerSession | null = null;
  #provider: Provider | null = null;
  /** A session that was left and may still be booking a piece. */
  #leaving: Promise<void> | null = null;
  #stopped = false;
  #wake: () => void = () => undefined;
  #loop: Promise<void> | null = null;

  constructor(context: TransferContext, contentId: string, file: TransportFile) {
    this.#context = context;
    this.#viewing = new Viewing(context.nowMs);
    this.contentId = contentId;
    this.file = file;
    this.#have = new Set(context.store.contents.pieces(contentId));
    if (this.complete) this.state = 'done';
  }

  get complete(): boolean {
    return this.#have.size === pieceCount(this.file.sizeBytes);
  }

  get haveBytes(): number {
    const last = pieceCount(this.file.sizeBytes) - 1;
    const missingOfLast = this.#have.has(last) ? PIECE_BYTES - pieceLength(this.file.sizeBytes, last) : 0;
    return this.#have.size * PIECE_BYTES - missingOfLast;
  }

  get providerAccount(): string | null {
    return this.#session?.provider.account ?? null;
  }

  /** Fetches everything, whether someone reads or not. */
  download(): void {
    this.#downloading = true;
    this.#start();
  }

  addReader(pieceIndex: number, watches = true): Reader {
    const reader = { pieceIndex, watches: watches && isMedia(this.file) };
    this.#readers.add(reader);
    this.#start();
    return reader;
  }

  moveReader(reader: Reader, pieceIndex: number): void {
    reader.pieceIndex = pieceIndex;
    this.#wake();
  }

  /** A reader has been given so many bytes: who watches them does so from now on. */
  taken(reader: Reader, start: number, lengthBytes: number): void {
    const { durationMs, sizeBytes } = this.file;
    const pieceIndex = Math.floor(start / PIECE_BYTES);
    if (!reader.watches || this.#kept.has(pieceIndex)) return;
    this.#viewing.take(start, start + lengthBytes, durationMs / sizeBytes);
    this.#unseen.delete(pieceIndex);
    this.#takenAtMs = this.#context.nowMs();
  }

  removeReader(reader: Reader): void {
    this.#readers.delete(reader);
    this.#wake();
  }

  /** Resolves when the piece is stored and verified. @throws AceError `PeerClosed` when the transfer is stopped */
  async piece(pieceIndex: number, signal: AbortSignal): Promise<void> {
    while (!this.#have.has(pieceIndex)) {
      if (this.#stopped) throw new AceError('PeerClosed', 'The transfer was stopped');
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const waiters = this.#pieceWaiters.get(pieceIndex) ?? [];
        waiters.push(resolve);
        this.#pieceWaiters.set(pieceIndex, waiters);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** A piece turned out to be lost from the disk: it is fetched again. */
  forget(pieceIndex: number): void {
    this.#have.delete(pieceIndex);
    if (this.state === 'done') this.#setState('connecting', null);
    this.#start();
  }

  /** Funds or credit may be there again. */
  retry(): void {
    this.#wake();
  }

  /** Lets what is under way arrive and be paid, then ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    for (const waiters of this.#pieceWaiters.values()) for (const resolve of waiters) resolve();
    await this.#loop;
  }

  #start(): void {
    this.#loop ??= this.#run();
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const next = this.#nextPiece();
      if (next === null) {
        await this.#restUntilWanted();
        continue;
      }
      try {
        await this.#fetch(next);
      } catch (error) {
        await this.#onTrouble(error);
      }
    }
    await this.#closeSession();
  }

  async #fetch({ pieceIndex, video }: Wanted): Promise<void> {
    const session = await this.#ensureSession();
    const missing = pieceCount(this.file.sizeBytes) - this.#have.size;
    await session.ensureRoom(
      pieceLength(this.file.sizeBytes, pieceIndex),
      Math.min(LEASE_UNITS, missing + 1),
    );
    this.#setState('fetching', null);
    if (this.#inFlight.size === 0) this.#busySinceMs = performance.now();
    this.#inFlight.add(pieceIndex);
    session
      .request({ contentId: this.contentId, file: this.file, pieceIndex, video })
      .then(
        ({ bytes, paidUnits }) => {
          (video ? this.#unseen : this.#kept).add(pieceIndex);
          this.#onPiece(pieceIndex, bytes, paidUnits);
        },
        (error: unknown) => this.#onRequestFailed(session, error),
      )
      .finally(() => {
        this.#inFlight.delete(pieceIndex);
        if (this.#inFlight.size === 0) this.fetchingMs += performance.now() - this.#busySinceMs;
        this.#wake();
      });
    while (this.#inFlight.size >= MAX_IN_FLIGHT && !this.#stopped) await this.#woken(RETRY_MS);
  }

  #onPiece(pieceIndex: number, bytes: number, paidUnits: number): void {
    this.#have.add(pieceIndex);
    this.paidUnits += paidUnits;
    this.receivedBytes += bytes;
    if (this.#provider) this.#failures.delete(this.#provider.peerId);
    for (const resolve of this.#pieceWaiters.get(pieceIndex) ?? []) resolve();
    this.#pieceWaiters.delete(pieceIndex);
    if (this.complete) {
      this.#setState('done', null);
      this.#context.onComplete();
    }
    this.#context.onChange();
  }

  #onRequestFailed(session: ViewerSession, error: unknown): void {
    if (session !== this.#session) return; // told already
    this.#leaveProvider(error);
  }

  async #onTrouble(error: unknown): Promise<void> {
    const known =
      error instanceof AceError ? error : new AceError('Internal', 'Something went wrong', { cause: error });
    if (known.code === 'Internal')
      this.#context.log.error({ err: error }, 'a transfer failed in an unforeseen way');
    if (isAceError(known, 'CreditExhausted') || isAceError(known, 'StoreFailed')) {
      if (known.code === 'CreditExhausted') await this.#askUnpaid();
      this.#setState('paused', known);
    } else {
      this.#leaveProvider(known);
      this.#setState('connecting', known);
    }
    await this.#woken(RETRY_MS);
  }

  /** A shard that leases nothing is no word of the provider's: it may still be generous. It is asked, once. */
  async #askUnpaid(): Promise<void> {
    const session = this.#session;
    const next = this.#nextPiece();
    if (!session || session.failed || next === null || this.state === 'paused') return;
    const code = await session.refusalOf({
      contentId: this.contentId,
      file: this.file,
      pieceIndex: next.pieceIndex,
      video: false,
    });
    if (code === null) this.#takeOver();
    else this.refusal = { provider: session.provider.account, code };
  }

  /** Drops the session; a provider that cheated is not asked for this content again. */
  #leaveProvider(error: unknown): void {
    if (this.#provider && isProviderFault(error)) {
      this.#banned.add(this.#provider.peerId);
      this.#context.log.warn(
        { err: error, peer: this.#provider.peerId },
        'a provider is not used for this content again',
      );
    }
    if (this.#provider) this.#countFailure(this.#provider);
    const session = this.#session;
    this.#session = null;
    this.#provider = null;
    this.#leaving = session?.settled() ?? null;
    session?.abort(
      error instanceof AceError ? error : new AceError('PeerClosed', 'The transfer left the provider'),
    );
  }

  async #ensureSession(): Promise<ViewerSession> {
    if (this.#session && !this.#session.failed) return this.#session;
    this.#session = null;
    // What the session before still booked need not be fetched, nor paid, again.
    await this.#leaving;
    this.#takeOver();
    const failures = ({ peerId }: Provider) => this.#failures.get(peerId) ?? 0;
    const providers = (await this.#context.findProviders(this.contentId))
      .filter((p) => !this.#banned.has(p.peerId))
      .sort((a, b) => failures(a) - failures(b));
    let last: unknown = null;
    for (const provider of providers) {
      if (failures(provider) > 0) {
        await this.#woken(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures(provider)));
        if (this.#stopped) break;
      }
      try {
        this.#session = await this.#context.openSession(provider, this.#viewing);
        this.#provider = provider;
        return this.#session;
      } catch (error) {
        if (isProviderFault(error)) this.#banned.add(provider.peerId);
        this.#countFailure(provider);
        last = error;
      }
    }
    throw new AceError('NoProviders', 'Nobody who has this content can be reached right now', {
      cause: last,
    });
  }

  /** Takes up the pieces that were stored without this transfer being told. */
  #takeOver(): void {
    for (const pieceIndex of this.#context.store.contents.pieces(this.contentId)) {
      if (!this.#have.has(pieceIndex)) this.#onPiece(pieceIndex, 0, 0);
    }
  }

  #countFailure({ peerId }: Provider): void {
    this.#failures.set(peerId, (this.#failures.get(peerId) ?? 0) + 1);
  }

  async #restUntilWanted(): Promise<void> {
    if (this.#session && this.#inFlight.size === 0) {
      await this.#woken(IDLE_CLOSE_MS);
      const idle = this.#nextPiece() === null && this.#inFlight.size === 0;
      // While somebody watches, the session stays: its checkpoints carry the watch time.
      if (idle && !this.#watched()) await this.#closeSession();
      return;
    }
    await this.#woken();
  }

  /** Whether watch time may still be added that only this session can report. */
  #watched(): boolean {
    if (this.#readers.size > 0) return true;
    const restedMs = this.#context.nowMs() - this.#takenAtMs;
    if (this.#viewing.running) return restedMs < WATCHED_AFTER_MS;
    // What is missing brings a session of its own; until then nobody's capacity is kept for a player that is gone.
    return this.complete && this.#unseen.size > 0 && restedMs < PAUSED_AFTER_MS;
  }

  async #closeSession(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#provider = null;
    try {
      await session?.close();
    } catch (error) {
      this.#context.log.warn(
        { err: error },
        'a session did not close cleanly; its channel is taken up next time',
      );
    }
    this.#context.onChange();
  }

  /** The first missing piece ahead of a reader, nearest first; for a download, the first missing one. */
  #nextPiece(): Wanted | null {
    const count = pieceCount(this.file.sizeBytes);
    const wanted = (index: number) => index < count && !this.#have.has(index) && !this.#inFlight.has(index);
    for (let distance = 0; distance < this.#aheadPieces(); distance++) {
      const atThis = [...this.#readers].filter(({ pieceIndex }) => wanted(pieceIndex + distance));
      // Who watches comes first, so that a piece which somebody watches and somebody keeps is one that is watched.
      const reader = atThis.find(({ watches }) => watches) ?? atThis[0];
      if (reader) return { pieceIndex: reader.pieceIndex + distance, video: reader.watches };
    }
    if (!this.#downloading) return null;
    for (let index = 0; index < count; index++) if (wanted(index)) return { pieceIndex: index, video: false };
    return null;
  }

  #aheadPieces(): number {
    const { sizeBytes, durationMs } = this.file;
    if (durationMs === 0) return AHEAD_MIN_PIECES;
    return Math.max(AHEAD_MIN_PIECES, Math.ceil((sizeBytes / durationMs) * (AHEAD_MS / PIECE_BYTES)));
  }

  #setState(state: TransferState, reason: AceError | null): void {
    if (this.state === 'done' && state === 'fetching') return;
    const changed = this.state !== state || this.reason?.code !== reason?.code;
    this.state = state;
    this.reason = reason;
    if (changed) this.#context.onChange();
  }

  #woken(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
