/**
 * One session, and so one channel in use, for each provider, whatever contents are fetched from it. A session that
 * nobody needs is closed after a while, and its reserved capacity is free again.
 *
 * What is known of a provider outlives its session: how fast it is, and what was watched of what it brought.
 */

import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { Provider } from '../content/provider.ts';
import type { ArrivedFrom, FetchOptions, PieceRequest, Question } from '../pieces/fetching.ts';
import type { Log } from '../process/log.ts';
import { Pace } from './provider-speed.ts';
import { WatchLedger } from './viewing.ts';

/** What the pool needs of a session: `ViewerSession` is one. */
export interface Session {
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

/** Who fetches over sessions: one transfer. */
export interface SessionUser {
  /** Whether the session must stay though nothing is fetched on it: something of it is being watched. */
  holds(line: Line): boolean;
  /** Units that may still be asked for. */
  readonly wantedUnits: number;
}

export interface PoolContext {
  /** A session whose checkpoints report `watch`. */
  readonly openSession: (provider: Provider, watch: WatchLedger) => Promise<Session>;
  readonly log: Log;
  /** A session was opened or closed. */
  readonly onChange: () => void;
}

/** A session that nobody needs is closed after this long. */
export const IDLE_CLOSE_MS = 8_000;
const LOOK_MS = 500;
/** Largest lease at a time; more renews. */
const LEASE_UNITS = 512;
/** The same where another provider already has one: one that turns out to be of no use keeps little. */
const SIDE_LEASE_UNITS = 128;
/** More than what is wanted now, so that what is played next can be paid at once. */
const SPARE_UNITS = 32;
/** Providers without a session that are remembered. */
const MAX_REMEMBERED = 256;

/** One provider. */
export class Line {
  readonly peerId: string;
  readonly pace = new Pace();
  readonly watch = new WatchLedger();
  provider: Provider;
  /** Asked for on the session and not here yet. */
  outstandingBytes = 0;
  outstandingPieces = 0;
  /** Content pieces and units since the start. */
  pieces = 0;
  paidUnits = 0;
  /** For the pool alone. */
  readonly users = new Map<SessionUser, number>();
  session: Session | null = null;
  opening: Promise<Session> | null = null;
  neededAtMs = 0;

  constructor(provider: Provider) {
    this.peerId = provider.peerId;
    this.provider = provider;
  }

  /** The session, when there is one that works. */
  get live(): Session | null {
    return this.session && !this.session.failed ? this.session : null;
  }
}

export class SessionPool {
  readonly #context: PoolContext;
  readonly #lines = new Map<string, Line>();
  readonly #closing = new Set<Promise<void>>();
  #looking: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(context: PoolContext) {
    this.#context = context;
  }

  line(provider: Provider): Line {
    const line = this.#lines.get(provider.peerId) ?? new Line(provider);
    line.provider = provider;
    this.#lines.delete(line.peerId);
    this.#lines.set(line.peerId, line);
    for (const [peerId, old] of this.#lines) {
      if (this.#lines.size <= MAX_REMEMBERED) break;
      if (!old.session && !old.opening && old.users.size === 0) this.#lines.delete(peerId);
    }
    return line;
  }

  /** The provider's session, opened when there is none. @throws what `openSession` throws, `PeerClosed` after `stop` */
  open(line: Line, user: SessionUser): Promise<Session> {
    this.#uses(line, user);
    return this.meet(line);
  }

  /** The same before there is anybody to use it: it is closed after a while if nobody does. */
  async meet(line: Line): Promise<Session> {
    if (line.live) return line.live;
    if (this.#stopped) throw new AceError('PeerClosed', 'The node is stopping');
    line.opening ??= this.#open(line).finally(() => {
      line.opening = null;
    });
    return line.opening;
  }

  /** Asks for a piece on the line's session. @throws as `Session.fetch`, `PeerClosed` when it has none */
  async fetch(
    line: Line,
    user: SessionUser,
    request: PieceRequest,
    bytes: number,
    options: Omit<FetchOptions, 'wantedUnits'>,
  ): Promise<ArrivedFrom> {
    const session = line.live;
    if (!session) throw new AceError('PeerClosed', 'The provider has no session');
    this.#uses(line, user);
    const wantedUnits = () => this.#leaseUnits(line);
    return this.#counted(line, bytes, session.fetch(request, { ...options, wantedUnits }));
  }

  /** Providers with a session, the one that was used last first. */
  ready(): Line[] {
    return [...this.#lines.values()].filter((line) => line.live).sort((a, b) => b.neededAtMs - a.neededAtMs);
  }

  /** Asks on the line's session for a content of which only the id is known. The piece, if one was asked for. */
  ask(line: Line, question: Question): Promise<ArrivedFrom> | null {
    const piece = line.live?.ask(question);
    if (piece === undefined) question.learned(null);
    return piece ? this.#counted(line, PIECE_BYTES, piece) : null;
  }

  /** A piece that was asked for counts for its line until it is here. */
  async #counted(line: Line, bytes: number, arriving: Promise<ArrivedFrom>): Promise<ArrivedFrom> {
    line.outstandingBytes += bytes;
    line.outstandingPieces += 1;
    try {
      const piece = await arriving;
      line.pace.arrived(piece);
      line.pieces += 1;
      line.paidUnits += piece.paidUnits;
      return piece;
    } finally {
      line.outstandingBytes -= bytes;
      line.outstandingPieces -= 1;
      line.neededAtMs = performance.now();
    }
  }

  /** Opens the session and its channel before anything is asked for. */
  async warm(line: Line, user: SessionUser): Promise<void> {
    const session = await this.open(line, user);
    await session.prepare(() => this.#leaseUnits(line));
  }

  /** The user fetches nothing more: sessions that nobody else used lately are closed now. */
  async leave(user: SessionUser): Promise<void> {
    const nowMs = performance.now();
    const left = [...this.#lines.values()].filter((line) => line.users.delete(user));
    const unused = left.filter((line) =>
      [...line.users].every(([other, usedAtMs]) => nowMs - usedAtMs > IDLE_CLOSE_MS && !other.holds(line)),
    );
    await Promise.all(
      unused.map(async (line) => {
        await line.opening?.catch(() => undefined); // whoever asked for it was told
        if (line.users.size === 0 || !line.session?.busy) await this.#close(line);
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#lines.values()].map((line) => line.opening?.catch(() => undefined)));
    await Promise.all([...this.#lines.values()].map((line) => this.#close(line)));
    await Promise.all(this.#closing);
    if (this.#looking) clearInterval(this.#looking);
    this.#looking = null;
  }

  #uses(line: Line, user: SessionUser): void {
    line.neededAtMs = performance.now();
    line.users.set(user, line.neededAtMs);
  }

  async #open(line: Line): Promise<Session> {
    // What the session before still books may be paid on the channel that this one takes up.
    await line.session?.settled();
    line.session = null;
    const session = await this.#context.openSession(line.provider, line.watch);
    line.session = session;
    line.neededAtMs = performance.now();
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS);
    this.#context.onChange();
    return session;
  }

  /** Units for the next channel: what its users want, and less where other providers have channels, too. */
  #leaseUnits(line: Line): number {
    const wanted = [...line.users.keys()].reduce((sum, user) => sum + user.wantedUnits, 0);
    const others = [...this.#lines.values()].some(
      (other) => other !== line && other.live && other.pieces > 0,
    );
    return Math.max(1, Math.min(others ? SIDE_LEASE_UNITS : LEASE_UNITS, wanted + SPARE_UNITS));
  }

  #look(): void {
    const nowMs = performance.now();
    let sessions = 0;
    for (const line of this.#lines.values()) {
      const { session } = line;
      if (!session) continue;
      sessions += 1;
      const held = () => [...line.users.keys()].some((user) => user.holds(line));
      if (session.failed) line.session = null;
      else if (session.busy || held()) line.neededAtMs = nowMs;
      else if (nowMs - line.neededAtMs >= IDLE_CLOSE_MS) void this.#close(line);
    }
    if (sessions > 0 || !this.#looking) return;
    clearInterval(this.#looking);
    this.#looking = null;
  }

  async #close(line: Line): Promise<void> {
    const { session } = line;
    line.session = null;
    if (!session) return;
    const closed = (session.failed ? session.settled() : session.close()).catch((error: unknown) => {
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
