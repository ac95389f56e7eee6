/**
 * Fetches the segments of one broadcast. Viewers ask at slightly different times, and first of all those who have a
 * segment already, so that a broadcaster sends it to a few and they pass it on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isAceError } from '../../shared/errors.ts';
import type { Provider, Transfer } from '../transfer/transfer.ts';
import type { WatchContext } from './watch-context.ts';

export interface Fetched {
  readonly receivedBytes: number;
  readonly paidUnits: number;
  readonly fetchingMs: number;
}

interface Segment {
  readonly transfer: Promise<Transfer>;
  usedAtMs: number;
}

/** The transfer of a segment rests so long after its last use: its session may still report watch time. */
const REST_MS = 45_000;
/** Later viewers find earlier ones: nobody waits longer for that, and never once a player asks. */
const MAX_STAGGER_MS = 800;
/** Viewers that are asked whether they have a segment. */
const ASKED_VIEWERS = 3;

export class SegmentFetcher {
  readonly #context: WatchContext;
  readonly #providers: () => readonly Provider[];
  readonly #segments = new Map<string, Segment>();
  readonly #prefetched = new Set<string>();
  /** Peer that reported to have a segment. */
  readonly #holders = new Map<string, string>();
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #before = { receivedBytes: 0, paidUnits: 0, fetchingMs: 0 };
  readonly #ready = new Map<string, Transfer>();

  constructor(context: WatchContext, providers: () => readonly Provider[]) {
    this.#context = context;
    this.#providers = providers;
  }

  /** Since the watch began. */
  get fetched(): Fetched {
    const sum = { ...this.#before };
    for (const transfer of this.#ready.values()) addTo(sum, transfer);
    return sum;
  }

  /** Transfers that are under way or rest. */
  get transfers(): Transfer[] {
    return [...this.#ready.values()];
  }

  /** Providers of a segment, best first: who has it, then its broadcaster, then the others in any order. */
  ordered(contentId: string, broadcasterId: string): Provider[] {
    const holder = this.#holders.get(contentId);
    const rank = ({ peerId }: Provider) => (peerId === holder ? 0 : peerId === broadcasterId ? 1 : 2);
    return [...this.#providers()]
      .map((provider) => ({ provider, rank: rank(provider), place: this.#context.random() }))
      .sort((a, b) => a.rank - b.rank || a.place - b.place)
      .map(({ provider }) => provider);
  }

  /** The transfer of a segment; made when there is none. @throws AceError as `Library.transfer` does */
  transfer(contentId: string): Promise<Transfer> {
    const known = this.#segments.get(contentId);
    if (known) {
      known.usedAtMs = this.#context.nowMs();
      return known.transfer;
    }
    const transfer = this.#context.transferOf(contentId).then((made) => {
      this.#ready.set(contentId, made);
      return made;
    });
    this.#segments.set(contentId, { transfer, usedAtMs: this.#context.nowMs() });
    transfer.catch(() => this.#segments.delete(contentId));
    return transfer;
  }

  /** Fetches a segment that a player will ask for soon. Once. */
  prefetch(contentId: string, pieces: number, broadcasterId: string): void {
    if (this.#prefetched.has(contentId)) return;
    this.#prefetched.add(contentId);
    const run: Promise<void> = this.#fetch(contentId, pieces, broadcasterId)
      .catch((error: unknown) => {
        this.#prefetched.delete(contentId); // tried again as long as it is ahead of a player
        const { log } = this.#context;
        if (isAceError(error)) log.debug({ err: error, contentId }, 'a segment could not be fetched yet');
        else if (!this.#stopping.signal.aborted) log.error({ err: error }, 'fetching a segment failed');
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Ends transfers that rest. */
  sweep(): void {
    const { nowMs, log } = this.#context;
    for (const [contentId, { usedAtMs }] of this.#segments) {
      const transfer = this.#ready.get(contentId);
      if (!transfer?.complete || nowMs() - usedAtMs < REST_MS) continue;
      this.end(contentId).catch((error: unknown) =>
        log.warn({ err: error }, 'a segment did not end cleanly'),
      );
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#segments.keys()].map((contentId) => this.end(contentId)));
    await Promise.all(this.#running);
  }

  /** Ends a transfer, and counts what it brought. */
  async end(contentId: string): Promise<void> {
    const transfer = this.#ready.get(contentId);
    if (transfer) addTo(this.#before, transfer);
    this.#ready.delete(contentId);
    this.#segments.delete(contentId);
    this.#holders.delete(contentId);
    await this.#context.stopTransfer(contentId);
  }

  async #fetch(contentId: string, pieces: number, broadcasterId: string): Promise<void> {
    await this.#findHolder(contentId, broadcasterId);
    // One of its own: what waits for it is forgotten with it.
    const signal = AbortSignal.any([this.#stopping.signal]);
    signal.throwIfAborted();
    const transfer = await this.transfer(contentId);
    // Somebody watches: this is what a player takes next.
    const reader = transfer.addReader(0);
    try {
      for (let index = 0; index < pieces; index++) {
        transfer.moveReader(reader, index);
        await transfer.piece(index, signal);
      }
    } finally {
      transfer.removeReader(reader);
    }
    this.#context.onChange();
  }

  async #findHolder(contentId: string, broadcasterId: string): Promise<void> {
    const { random, askHolds } = this.#context;
    const viewers = this.#providers().filter(({ peerId }) => peerId !== broadcasterId);
    if (viewers.length === 0 || this.#segments.has(contentId)) return;
    const staggerMs = random() * MAX_STAGGER_MS * (viewers.length / (viewers.length + 1));
    await delay(staggerMs, null, { signal: this.#stopping.signal });
    // A player has asked meanwhile: no time for questions.
    if (this.#segments.has(contentId)) return;
    const asked = viewers
      .map((provider) => ({ provider, place: random() }))
      .sort((a, b) => a.place - b.place)
      .slice(0, ASKED_VIEWERS);
    const holders = asked.map(async ({ provider }) => {
      if (!(await askHolds(provider, contentId))) throw new Error('it has not');
      return provider.peerId;
    });
    const first = await Promise.any(holders).catch(() => null); // nobody has it: its broadcaster does
    if (first !== null) this.#holders.set(contentId, first);
  }
}

function addTo(
  sum: { receivedBytes: number; paidUnits: number; fetchingMs: number },
  { receivedBytes, paidUnits, fetchingMs }: Transfer,
): void {
  sum.receivedBytes += receivedBytes;
  sum.paidUnits += paidUnits;
  sum.fetchingMs += fetchingMs;
}
