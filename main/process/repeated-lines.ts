/**
 * Which lines of the log are written, and which are only counted. Whatever a stranger can make a node say, it can make
 * it say a thousand times a second, under as many names as it likes. So of one kind of line a minute gets
 * {@link LINES_A_MINUTE}, each peer one of them, and what was left out is summed up in one more line when the minute ends.
 */
import { LRUCache } from 'lru-cache';

/** Enough for somebody who looks for a fault; of 2 KB each, 17 MB a day for each kind that strangers can provoke. */
export const LINES_A_MINUTE = 5;
export const MINUTE_MS = 60_000;
/** Kinds are sentences in the code, and there are about a hundred of them. */
const MAX_KINDS = 256;
/** Peers that are told apart; beyond that a minute's sum says "at least". */
const MAX_PEERS = 1_000;

export interface LineKind {
  /** The sentence of the line. */
  readonly text: string;
  /** pino's number. */
  readonly level: number;
}

/** What was left out of a kind in a minute. */
export interface LeftOut extends LineKind {
  readonly lines: number;
  /** How many peers they were about; 0 where they name none. */
  readonly peers: number;
  /** Named when it is the only one. */
  readonly peer: string | null;
}

interface Minute {
  readonly kind: LineKind;
  readonly beganAtMs: number;
  written: number;
  leftOut: number;
  /** Those that a line was written about. */
  readonly named: Set<string>;
  /** Those that a line was left out about. */
  readonly unnamed: Set<string>;
}

export class RepeatedLines {
  readonly #nowMs: () => number;
  readonly #minutes = new LRUCache<string, Minute>({ max: MAX_KINDS });

  /** `nowMs` is a clock that nobody sets. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether the line is to be written; otherwise it is counted. Ask {@link ended} before. */
  take(kind: LineKind, peer: string | null): boolean {
    const key = `${kind.level} ${kind.text}`;
    let minute = this.#minutes.get(key);
    if (!minute) {
      minute = {
        ...{ kind, beganAtMs: this.#nowMs(), written: 0, leftOut: 0 },
        ...{ named: new Set(), unnamed: new Set() },
      };
      this.#minutes.set(key, minute);
    }
    if (minute.written < LINES_A_MINUTE && (peer === null || !minute.named.has(peer))) {
      minute.written += 1;
      if (peer !== null) minute.named.add(peer);
      return true;
    }
    minute.leftOut += 1;
    if (peer !== null && minute.unnamed.size < MAX_PEERS) minute.unnamed.add(peer);
    return false;
  }

  /** What was left out in minutes that have ended since the last call. */
  ended(): LeftOut[] {
    const nowMs = this.#nowMs();
    const sums: LeftOut[] = [];
    for (const [key, { kind, beganAtMs, leftOut, unnamed }] of [...this.#minutes.entries()]) {
      if (nowMs - beganAtMs < MINUTE_MS) continue;
      this.#minutes.delete(key);
      if (leftOut === 0) continue;
      const [only = null] = unnamed;
      sums.push({ ...kind, lines: leftOut, peers: unnamed.size, peer: unnamed.size === 1 ? only : null });
    }
    return sums;
  }
}
