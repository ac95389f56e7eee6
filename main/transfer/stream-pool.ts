/**
 * One stream, and so one channel in use, for each provider, whatever contents are fetched from it. A stream that
 * nobody needs is closed after a while, and its reserved capacity is free again.
 *
 * What is known of a provider outlives its stream: how fast it is, and what was watched of what it brought.
 */

import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { Provider } from '../content/provider.ts';
import type { ArrivedFrom, FetchOptions, PieceRequest, Question } from '../pieces/fetching.ts';
import type { Log } from '../process/log.ts';
import { ProviderSpeed } from './provider-speed.ts';
import { WatchLedger } from './viewing.ts';

/** What the pool needs of a stream: `ViewerStream` is one. */
export interface PieceStream {
  readonly provider: { readonly account: string };
  readonly failed: boolean;
  readonly failure: unknown;
  readonly busy: boolean;
  readonly silentMs: number;
  fetch(request: PieceRequest, options: FetchOptions): Promise<ArrivedFrom>;
  ask(question: Question): Promise<ArrivedFrom> | null;
  refusalOf(request: PieceRequest): Promise<string | null>;
  prepare(wantedUnits: () => number): Promise<void>;
  interest(contentId: string, file: PieceRequest['file'], onHave: () => void): void;
  has(contentId: string, pieceIndex: number): boolean;
  isPartial(contentId: string): boolean;
  settled(): Promise<void>;
  abort(error: AceError): void;
  close(): Promise<void>;
}

/** Who fetches over streams: one transfer. */
export interface StreamUser {
  /** Whether the stream must stay though nothing is fetched on it: something of it is being watched. */
  holds(pooled: PooledProvider): boolean;
  /** Units that may still be asked for. */
  readonly wantedUnits: number;
}

export interface PoolContext {
  /** A stream whose checkpoints report `watch`. */
  /** @param until aborted when the pool stops: a provider that does not answer must not hold that up */
  readonly openStream: (provider: Provider, watch: WatchLedger, until: AbortSignal) => Promise<PieceStream>;
  /** A piece that came from it was paid. */
  readonly onPaid?: (provider: Provider, account: string) => void;
  readonly log: Log;
  /** A stream was opened or closed. */
  readonly onChange: () => void;
}

/** A stream that nobody needs is closed after this long. */
export const IDLE_CLOSE_MS = 8_000;
const LOOK_MS = 500;
/** Largest lease at a time; more renews. */
const LEASE_UNITS = 512;
/** The same where another provider already has one: one that turns out to be of no use keeps little. */
const SIDE_LEASE_UNITS = 128;
/** More than what is wanted now, so that what is played next can be paid at once. */
const SPARE_UNITS = 32;
/** Providers without a stream that are remembered. */
const MAX_REMEMBERED = 256;

/** One provider. */
export class PooledProvider {
  readonly peerId: string;
  readonly speed = new ProviderSpeed();
  readonly watch = new WatchLedger();
  provider: Provider;
  /** Asked for on the stream and not here yet. */
  outstandingBytes = 0;
  outstandingPieces = 0;
  /** Content pieces and units since the start. */
  pieces = 0;
  paidUnits = 0;
  /** For the pool alone. */
  readonly users = new Map<StreamUser, number>();
  stream: PieceStream | null = null;
  opening: Promise<PieceStream> | null = null;
  neededAtMs = 0;

  constructor(provider: Provider) {
    this.peerId = provider.peerId;
    this.provider = provider;
  }

  /** How well it is known: it has a stream, it brought something, or neither. */
  get rank(): number {
    return this.live ? 2 : this.pieces > 0 ? 1 : 0;
  }

  /** The stream, when there is one that works. */
  get live(): PieceStream | null {
    return this.stream && !this.stream.failed ? this.stream : null;
  }
}

export class StreamPool {
  readonly #context: PoolContext;
  readonly #providers = new Map<string, PooledProvider>();
  readonly #closing = new Set<Promise<void>>();
  #looking: NodeJS.Timeout | null = null;
  readonly #stopping = new AbortController();

  constructor(context: PoolContext) {
    this.#context = context;
  }

  pooled(provider: Provider): PooledProvider {
    const pooled = this.#providers.get(provider.peerId) ?? new PooledProvider(provider);
    pooled.provider = provider;
    this.#providers.delete(pooled.peerId);
    this.#providers.set(pooled.peerId, pooled);
    for (const [peerId, old] of this.#providers) {
      if (this.#providers.size <= MAX_REMEMBERED) break;
      if (!old.stream && !old.opening && old.users.size === 0) this.#providers.delete(peerId);
    }
    return pooled;
  }

  /** The provider's stream, opened when there is none. @throws what `openStream` throws, `PeerClosed` after `stop` */
  open(pooled: PooledProvider, user: StreamUser): Promise<PieceStream> {
    this.#uses(pooled, user);
    return this.meet(pooled);
  }

  /** The same before there is anybody to use it: it is closed after a while if nobody does. */
  async meet(pooled: PooledProvider): Promise<PieceStream> {
    if (pooled.live) return pooled.live;
    if (this.#stopping.signal.aborted) throw new AceError('PeerClosed', 'The node is stopping');
    pooled.opening ??= this.#open(pooled).finally(() => {
      pooled.opening = null;
    });
    return pooled.opening;
  }

  /** Asks for a piece on the provider's stream. @throws as `PieceStream.fetch`, `PeerClosed` when it has none */
  async fetch(
    pooled: PooledProvider,
    user: StreamUser,
    request: PieceRequest,
    bytes: number,
    options: Omit<FetchOptions, 'wantedUnits'>,
  ): Promise<ArrivedFrom> {
    const stream = pooled.live;
    if (!stream) throw new AceError('PeerClosed', 'The provider has no session');
    this.#uses(pooled, user);
    const wantedUnits = () => this.#leaseUnits(pooled);
    return this.#counted(pooled, bytes, stream.fetch(request, { ...options, wantedUnits }));
  }

  /** Providers with a stream, the one that was used last first. */
  ready(): PooledProvider[] {
    return [...this.#providers.values()]
      .filter((pooled) => pooled.live)
      .sort((a, b) => b.neededAtMs - a.neededAtMs);
  }

  /** Asks on the provider's stream for a content of which only the id is known. The piece, if one was asked for. */
  ask(pooled: PooledProvider, question: Question): Promise<ArrivedFrom> | null {
    const piece = pooled.live?.ask(question);
    if (piece === undefined) question.learned(null);
    return piece ? this.#counted(pooled, PIECE_BYTES, piece) : null;
  }

  /** A piece that was asked for counts for its provider until it is here. */
  async #counted(
    pooled: PooledProvider,
    bytes: number,
    arriving: Promise<ArrivedFrom>,
  ): Promise<ArrivedFrom> {
    pooled.outstandingBytes += bytes;
    pooled.outstandingPieces += 1;
    try {
      const piece = await arriving;
      pooled.speed.arrived(piece);
      pooled.pieces += 1;
      pooled.paidUnits += piece.paidUnits;
      const account = pooled.stream?.provider.account;
      if (piece.paidUnits > 0 && account !== undefined) this.#context.onPaid?.(pooled.provider, account);
      return piece;
    } finally {
      pooled.outstandingBytes -= bytes;
      pooled.outstandingPieces -= 1;
      pooled.neededAtMs = performance.now();
    }
  }

  /** Opens the stream and its channel before anything is asked for. */
  async warm(pooled: PooledProvider, user: StreamUser): Promise<void> {
    const stream = await this.open(pooled, user);
    await stream.prepare(() => this.#leaseUnits(pooled));
  }

  /** The user fetches nothing more: streams that nobody else used lately are closed now. */
  async leave(user: StreamUser): Promise<void> {
    const nowMs = performance.now();
    const left = [...this.#providers.values()].filter((pooled) => pooled.users.delete(user));
    const unused = left.filter((pooled) =>
      [...pooled.users].every(
        ([other, usedAtMs]) => nowMs - usedAtMs > IDLE_CLOSE_MS && !other.holds(pooled),
      ),
    );
    await Promise.all(
      unused.map(async (pooled) => {
        await pooled.opening?.catch(() => undefined); // its caller got the error
        if (pooled.users.size === 0 || !pooled.stream?.busy) await this.#close(pooled);
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#providers.values()].map((pooled) => pooled.opening?.catch(() => undefined)));
    await Promise.all([...this.#providers.values()].map((pooled) => this.#close(pooled)));
    await Promise.all(this.#closing);
    if (this.#looking) clearInterval(this.#looking);
    this.#looking = null;
  }

  #uses(pooled: PooledProvider, user: StreamUser): void {
    pooled.neededAtMs = performance.now();
    pooled.users.set(user, pooled.neededAtMs);
  }

  async #open(pooled: PooledProvider): Promise<PieceStream> {
    // What the stream before still books may be paid on the channel that this one takes up.
    await pooled.stream?.settled();
    pooled.stream = null;
    const stream = await this.#context.openStream(pooled.provider, pooled.watch, this.#stopping.signal);
    pooled.stream = stream;
    pooled.neededAtMs = performance.now();
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS);
    this.#context.onChange();
    return stream;
  }

  /** Units for the next channel: what its users want, and less where other providers have channels, too. */
  #leaseUnits(pooled: PooledProvider): number {
    const wanted = [...pooled.users.keys()].reduce((sum, user) => sum + user.wantedUnits, 0);
    const others = [...this.#providers.values()].some(
      (other) => other !== pooled && other.live && other.pieces > 0,
    );
    return Math.max(1, Math.min(others ? SIDE_LEASE_UNITS : LEASE_UNITS, wanted + SPARE_UNITS));
  }

  #look(): void {
    const nowMs = performance.now();
    let streams = 0;
    for (const pooled of this.#providers.values()) {
      const { stream } = pooled;
      if (!stream) continue;
      streams += 1;
      const held = () => [...pooled.users.keys()].some((user) => user.holds(pooled));
      if (stream.failed) pooled.stream = null;
      else if (stream.busy || held()) pooled.neededAtMs = nowMs;
      else if (nowMs - pooled.neededAtMs >= IDLE_CLOSE_MS) void this.#close(pooled);
    }
    if (streams > 0 || !this.#looking) return;
    clearInterval(this.#looking);
    this.#looking = null;
  }

  async #close(pooled: PooledProvider): Promise<void> {
    const { stream } = pooled;
    pooled.stream = null;
    if (!stream) return;
    const closed = (stream.failed ? stream.settled() : stream.close()).catch((error: unknown) => {
      this.#context.log.warn(
        { err: error },
        'a session did not close cleanly; its channel is taken up next time',
      );
    });
    this.#closing.add(closed);
    await closed;
    this.#closing.delete(closed);
    this.#context.onChange();
  }
}
