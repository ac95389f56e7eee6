/**
 * Sessions of players that speak the Ace Stream paths: one for each `format=json` request. They bound what a script
 * that forgets to stop leaves behind: a session without a stream ends by itself, and there are never more than
 * `MAX_SESSIONS`. Nothing here needs a timer: every call first removes what is over.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AceError } from '../../shared/errors.ts';
import type { SessionMeter } from './session-meter.ts';

export const MAX_SESSIONS = 64;
/** A session that neither streams nor is asked for ends after this long. */
export const SESSION_IDLE_MS = 10 * 60_000;
/** Ended sessions that are remembered, so that a second stop is no error. */
const MAX_ENDED = 256;

export interface PlayerSession {
  readonly id: string;
  readonly contentId: string;
  readonly meter: SessionMeter;
  /** Streams that are open now. */
  readonly streams: number;
}

interface Entry {
  readonly id: string;
  readonly contentId: string;
  readonly meter: SessionMeter;
  readonly disposables: Set<() => void>;
  usedAtMs: number;
}

export class PlayerSessions {
  readonly #nowMs: () => number;
  /** The longest unused first. */
  readonly #entries = new Map<string, Entry>();
  readonly #ended = new LRUCache<string, true>({ max: MAX_ENDED });

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get size(): number {
    this.#endIdle();
    return this.#entries.size;
  }

  /** @throws AceError `TooManyRequests` when all that there may be are streaming */
  open(contentId: string, meter: SessionMeter): PlayerSession {
    this.#endIdle();
    if (this.#entries.size >= MAX_SESSIONS) this.#endOneUnused();
    const id = randomBytes(16).toString('hex');
    const entry = { id, contentId, meter, disposables: new Set<() => void>(), usedAtMs: this.#nowMs() };
    this.#entries.set(id, entry);
    return view(entry);
  }

  /** @throws AceError `SessionUnknown` */
  use(id: string, contentId: string): PlayerSession {
    return view(this.#entry(id, contentId));
  }

  /** Counts a stream in, and has `close` called when the session is stopped. The answer counts it out. */
  streaming(id: string, contentId: string, close: () => void): () => void {
    const entry = this.#entry(id, contentId);
    entry.disposables.add(close);
    return () => {
      entry.disposables.delete(close);
      entry.usedAtMs = this.#nowMs();
    };
  }

  /** Ends a session and its streams; one that has ended stays so. @throws AceError `SessionUnknown` */
  stop(id: string, contentId: string): void {
    if (this.#ended.has(id)) return;
    this.#end(this.#entry(id, contentId));
  }

  #entry(id: string, contentId: string): Entry {
    this.#endIdle();
    const entry = this.#entries.get(id);
    if (entry?.contentId !== contentId) {
      throw new AceError(
        'SessionUnknown',
        'There is no such playback session, or it has ended: open the content again',
      );
    }
    entry.usedAtMs = this.#nowMs();
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry;
  }

  #endIdle(): void {
    const sinceMs = this.#nowMs() - SESSION_IDLE_MS;
    for (const entry of [...this.#entries.values()]) {
      if (entry.disposables.size === 0 && entry.usedAtMs <= sinceMs) this.#end(entry);
    }
  }

  #endOneUnused(): void {
    const unused = [...this.#entries.values()].find(({ disposables }) => disposables.size === 0);
    if (!unused) {
      throw new AceError('TooManyRequests', `${MAX_SESSIONS} players are open already: stop one of them`);
    }
    this.#end(unused);
  }

  #end(entry: Entry): void {
    this.#entries.delete(entry.id);
    this.#ended.set(entry.id, true);
    for (const close of [...entry.disposables]) close();
  }
}

function view({ id, contentId, meter, disposables }: Entry): PlayerSession {
  return { id, contentId, meter, streams: disposables.size };
}
