/** Announces what is whole here: to the shards, which forget it after a minute, and to the DHT, which keeps it for a day. */
import type { Libp2p } from '@libp2p/interface';
import { CID } from 'multiformats';
import { isAceError } from '../../shared/errors.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { ANNOUNCE_EVERY_MS } from '../p2p/protocols/shard/constants.ts';
import { dhtOf, livingDhtOf } from '../p2p/reach.ts';
import type { Log } from '../process/log.ts';

export interface AnnouncerOptions {
  readonly host: Libp2p;
  /** This device's certificate, canonical bytes. */
  readonly certificate: Uint8Array;
  /** Whole contents, by id. */
  readonly contentIds: () => Promise<string[]>;
  /** The shards that can be reached. */
  readonly lines: () => readonly ShardClient[];
  readonly nowMs: () => number;
  readonly log: Log;
}

/** So that a change of addresses, or of many contents at once, is announced once. */
const SOON_MS = 300;
/** A large library takes long to be announced: while titles change one after the other, this many times as long is between two times. */
const REST = 4;
/** The DHT's records are published again this often: nodes that were nearest have gone, others have come. */
const PROVIDE_EVERY_MS = 3_600_000;
const PROVIDE_MS = 20_000;
/** A run publishes no more than this many to the DHT, so that a large library does not crowd out everything else. */
const PROVIDED_IN_A_RUN = 64;

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #stopping = new AbortController();
  readonly #timer: NodeJS.Timeout;
  /** When a content was published to the DHT last. Only what at least one node took counts. */
  readonly #providedAtMs = new Map<string, number>();
  readonly #onAddresses = () => this.soon();
  readonly #onPeer = () => this.#met();
  #soon: NodeJS.Timeout | null = null;
  #providing: Promise<void> | null = null;
  #isLeaving = false;
  /** What the last announcement to a shard took, from the reading of the library to the shard's answer. */
  #tookMs = 0;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.now(), ANNOUNCE_EVERY_MS);
    options.host.addEventListener('self:peer:update', this.#onAddresses);
    options.host.addEventListener('peer:identify', this.#onPeer);
  }

  /** In a moment. */
  soon(): void {
    if (this.#stopping.signal.aborted) return;
    this.#soon ??= setTimeout(
      () => {
        this.#soon = null;
        this.now();
      },
      Math.max(SOON_MS, REST * this.#tookMs),
    );
  }

  /** To everybody; what fails is announced again at the next run. */
  now(): void {
    for (const line of this.#options.lines()) {
      this.announceTo(line).catch((error: unknown) => {
        if (!this.#isLeaving && !isAceError(error, 'ShardUnavailable'))
          this.#options.log.warn({ err: error }, 'contents could not be announced');
      });
    }
    this.#provide();
  }

  async announceTo(line: ShardClient): Promise<void> {
    const { certificate, contentIds, host } = this.#options;
    const beganMs = performance.now();
    const multiaddrs = host.getMultiaddrs().map(String);
    // Until it has an address that others can use, there is nothing to announce.
    const ids = multiaddrs.length > 0 ? await contentIds() : [];
    // What is said last counts: that nothing is offered any more.
    if (this.#isLeaving) return;
    await line.call('announce', { certificate, contentIds: ids, multiaddrs });
    this.#tookMs = performance.now() - beganMs;
  }

  /** Takes it all back at the shards; the DHT forgets by itself. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const nothing = { certificate: this.#options.certificate, contentIds: [], multiaddrs: [] };
    await Promise.all(this.#options.lines().map((line) => line.call('announce', nothing)));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#soon) clearTimeout(this.#soon);
    this.#options.host.removeEventListener('self:peer:update', this.#onAddresses);
    this.#options.host.removeEventListener('peer:identify', this.#onPeer);
    this.#stopping.abort();
    await this.#providing;
  }

  /** The first peers of the DHT are there: what nobody took so far may find somebody now. */
  #met(): void {
    if (dhtOf(this.#options.host)) this.#provideNew().catch((error: unknown) => this.#warn(error));
  }

  async #provideNew(): Promise<void> {
    const ids = await this.#options.contentIds();
    if (ids.some((id) => !this.#providedAtMs.has(id))) this.soon();
  }

  #warn(error: unknown): void {
    if (!this.#stopping.signal.aborted)
      this.#options.log.warn({ err: error }, 'contents could not be given to the DHT');
  }

  #provide(): void {
    if (this.#stopping.signal.aborted || !livingDhtOf(this.#options.host)) return;
    this.#providing ??= this.#provideDue()
      // A store that cannot be read now: the next run tries again.
      .catch((error: unknown) => this.#warn(error))
      .finally(() => {
        this.#providing = null;
      });
  }

  async #provideDue(): Promise<void> {
    const { contentIds, nowMs } = this.#options;
    const ids = await contentIds();
    const whole = new Set(ids);
    for (const id of this.#providedAtMs.keys()) if (!whole.has(id)) await this.#withdraw(id);
    const due = ids.filter((id) => nowMs() - (this.#providedAtMs.get(id) ?? -Infinity) >= PROVIDE_EVERY_MS);
    for (const id of due.slice(0, PROVIDED_IN_A_RUN)) {
      if (this.#stopping.signal.aborted) return;
      if (await this.#provideOne(id)) this.#providedAtMs.set(id, nowMs());
    }
  }

  /** Whether any node took the record. */
  async #provideOne(contentId: string): Promise<boolean> {
    const { host, log } = this.#options;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(PROVIDE_MS)]);
    let accepted = 0;
    try {
      const events = livingDhtOf(host)?.provide(CID.parse(contentId), { signal }) ?? [];
      for await (const event of events)
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') accepted++;
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.debug({ err: error }, 'the DHT took no record');
    }
    return accepted > 0;
  }

  async #withdraw(contentId: string): Promise<void> {
    this.#providedAtMs.delete(contentId);
    await dhtOf(this.#options.host)?.cancelReprovide(CID.parse(contentId));
  }
}
