/**
 * Live broadcasts of one node: those it makes, and those that are watched here.
 *
 * A broadcast is a signed name. Its segments are ordinary contents, which are paid and passed on as all others; signed
 * records tell which they are. Records are gossiped, and a watcher that missed some asks for them.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { AceError, isAceError } from '../../shared/errors.ts';
import { WINDOW_MS } from '../../shared/live/window.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { SoldTerms } from '../content/sold-terms.ts';
import { parseContentId } from '../content/transport-file.ts';
import type { BroadcastRow } from '../db/node/broadcasts.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { GossipRouter } from '../p2p/protocols/gossip/router.ts';
import { LiveGossip } from '../p2p/protocols/live/gossip.ts';
import type { Log } from '../process/log.ts';
import type { Opening } from '../transfer/asking.ts';
import type { Library } from '../transfer/library.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { Broadcaster, type BroadcastPrice } from './broadcaster.ts';
import { checkFolder, FolderInput } from './folder-input.ts';
import type { LiveIndex } from './live-index.ts';
import { PushInput } from './push-input.ts';
import type { RecordBook } from './record-book.ts';
import { Watch } from './watch.ts';
import type { WatchContext } from './watch-context.ts';

export interface LiveContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly index: LiveIndex;
  readonly library: Library;
  readonly device: DeviceIdentity;
  readonly sold: SoldTerms;
  readonly router: GossipRouter;
  readonly networkId: string;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly findProviders: WatchContext['findProviders'];
  readonly askRecords: WatchContext['askRecords'];
  readonly askHolds: WatchContext['askHolds'];
  /** What this node has to offer has changed. */
  readonly onOffers: () => void;
  readonly onChange: () => void;
  readonly onContents: () => void;
}

const SWEEP_EVERY_MS = 5_000;
/** The file of a segment may stay open for so long after it was heard of. */
const OPEN_MS = 20_000;
/** Viewers that are asked after a start what they heard last, and how long an encoder may wait for that. */
const CATCH_UP_PEERS = 5;
const CATCH_UP_MS = 3_000;

export class Live {
  readonly #index: LiveIndex;
  readonly broadcaster: Broadcaster;
  readonly push: PushInput;
  readonly #context: LiveContext;
  readonly #gossip: LiveGossip;
  readonly #folders = new Map<string, FolderInput>();
  /** Our own broadcasts of earlier runs: see `BroadcasterContext.caughtUp`. */
  readonly #catchingUp = new Map<string, Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #ending = new Set<Promise<void>>();

  constructor(context: LiveContext) {
    const { store, pieces, device, sold, router, networkId, log, nowMs, index } = context;
    this.#context = context;
    this.#index = index;
    index.on('record', (_, isEnd) => {
      if (isEnd) context.onContents();
      context.onChange();
    });
    index.on('gone', (contentIds) => this.#remove(contentIds));
    this.#gossip = new LiveGossip({
      router,
      networkId,
      nowMs,
      log,
      hear: (broadcast, message) => this.book.hear(broadcast, message),
    });
    this.broadcaster = new Broadcaster({
      store,
      pieces,
      device,
      sold,
      nowMs,
      book: this.book,
      caughtUp: async (broadcast) => this.#catchingUp.get(broadcast),
      onPublished: (broadcast, message) => this.#gossip.publish(broadcast, message),
    });
    this.push = new PushInput(this.broadcaster, log);
    this.#timer = setInterval(() => this.#sweep(), SWEEP_EVERY_MS);
  }

  get book(): RecordBook {
    return this.#index.book;
  }

  /** Takes up our own broadcasts that have not ended. */
  resume(): void {
    for (const row of this.broadcaster.own()) {
      if (row.ended) continue;
      // Nobody can have heard of what was never sent.
      if (row.nextSequence > 0) this.#catchingUp.set(row.contentId, this.#catchUp(row.contentId));
      this.#open(row);
    }
  }

  /** Starts a broadcast, or goes on with the one of that name. @throws AceError `InvalidInput`, `StoreFailed` */
  async start(
    name: string,
    folder: string | null,
    price: BroadcastPrice | null = null,
  ): Promise<BroadcastRow> {
    if (folder !== null) await checkFolder(folder);
    const row = this.broadcaster.start(name, folder, price);
    await this.#closeFolder(row.contentId);
    this.#open(row);
    this.#context.onOffers();
    this.#context.onContents();
    return row;
  }

  /** Ends one of our own for good. @throws AceError `BroadcastUnknown`, `BroadcastEnded`, `StoreFailed` */
  async end(broadcast: string): Promise<void> {
    this.broadcaster.ownRow(broadcast);
    await this.#closeFolder(broadcast);
    await this.broadcaster.end(broadcast);
    this.push.forget(broadcast);
  }

  /**
   * The id of a broadcast, found here or at its providers; `null` when the link is of another content.
   * `opening`: what a player waits for, if it is another content.
   * @throws AceError `InvalidContentId`, `NoProviders`, `ShardUnavailable`
   */
  async broadcastOf(link: string, opening?: Opening): Promise<string | null> {
    const { store, library } = this.#context;
    const contentId = parseContentId(link);
    if (store.broadcasts.get(contentId)) return contentId;
    if (store.contents.get(contentId)) return null;
    try {
      if (opening) await library.transfer(contentId, opening);
      else await library.resolve(contentId, 'fetched');
      return null;
    } catch (error) {
      if (isAceError(error, 'ContentIsLive') && store.broadcasts.get(contentId)) return contentId;
      throw error;
    }
  }

  /** A provider sent the transport file of a broadcast, which was verified. */
  learn(contentId: string, transport: Uint8Array, name: string, mimeType: string): void {
    const { store, nowMs, onContents } = this.#context;
    store.commit(() =>
      store.broadcasts.insert({
        contentId,
        transport,
        name,
        mimeType,
        addedAtMs: nowMs(),
        pushKey: null,
        folder: null,
      }),
    );
    onContents();
  }

  /** Watches a broadcast from now on, for as long as players ask. @throws AceError `BroadcastUnknown` */
  watch(broadcast: string): Watch {
    const known = this.#index.watches.get(broadcast);
    if (known) return known;
    const row = this.book.row(broadcast);
    this.#gossip.join(broadcast);
    const { library, pieces, store, log, nowMs, findProviders, askRecords, askHolds, onChange } =
      this.#context;
    const watch = new Watch(
      {
        book: this.book,
        log,
        nowMs,
        random: Math.random,
        findProviders,
        askRecords,
        askHolds,
        transferOf: (contentId) => library.transfer(contentId),
        stopTransfer: async (contentId) => {
          // What the user has for other reasons goes on, whatever a broadcaster calls its segment.
          if (store.liveRecords.broadcastOf(contentId) !== null) await library.stopTransfer(contentId);
        },
        claim: (contentId, of) => {
          if (store.liveRecords.broadcastOf(contentId) === null && !store.contents.get(contentId))
            store.commit(() => store.liveRecords.claim(contentId, of));
          return store.liveRecords.broadcastOf(contentId) === of;
        },
        disclaim: async (contentId) => {
          await library.stopTransfer(contentId);
          await pieces.delete(contentId);
          store.commit(() => store.liveRecords.release(contentId));
        },
        onChange,
      },
      row,
    );
    this.#index.watches.set(broadcast, watch);
    this.#context.onOffers();
    return watch;
  }

  watching(broadcast: string): Watch | null {
    return this.#index.watches.get(broadcast) ?? null;
  }

  watches(): Watch[] {
    return [...this.#index.watches.values()];
  }

  /** Ends a watch. Whether there was one. */
  async unwatch(broadcast: string): Promise<boolean> {
    const watch = this.#index.watches.get(broadcast);
    if (!watch) return false;
    this.#index.watches.delete(broadcast);
    if (this.book.row(broadcast).pushKey === null) this.#gossip.leave(broadcast);
    await watch.stop();
    this.#context.onOffers();
    this.#context.onChange();
    return true;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#folders.keys()].map((broadcast) => this.#closeFolder(broadcast)));
    await this.broadcaster.settled();
    await Promise.all([...this.#index.watches.values()].map((watch) => watch.stop()));
    await Promise.all(this.#ending);
    this.#gossip.stop();
  }

  #open({ contentId, folder }: BroadcastRow): void {
    this.#gossip.join(contentId);
    if (folder === null) return;
    this.#folders.set(contentId, new FolderInput(contentId, folder, this.broadcaster, this.#context.log));
  }

  /**
   * Hears what a broadcast of somebody else's says by now, its price among that: who does not watch it has heard nothing.
   * @throws AceError `NoProviders` when nobody tells
   */
  async hearNewest(broadcast: string): Promise<void> {
    if (this.book.row(broadcast).pushKey !== null || (await this.#askNewest(broadcast))) return;
    throw new AceError(
      'NoProviders',
      'Nobody who has this broadcast can be reached right now, to say what it costs',
    );
  }

  /** Never rejects. */
  async #catchUp(broadcast: string): Promise<void> {
    await this.#askNewest(broadcast);
  }

  /** Asks the broadcaster, and who watches, what came last. Whether anybody said it in time. Never rejects. */
  async #askNewest(broadcast: string): Promise<boolean> {
    const { findProviders, askRecords, log } = this.#context;
    let isTold = false;
    const asking = async () => {
      const source = this.book.broadcasterId(broadcast);
      const found = [...(await findProviders(broadcast))];
      // Who passes it on may hold back the newest, a new price with it.
      const asked = found.sort((a, b) => Number(b.peerId === source) - Number(a.peerId === source));
      const newest = this.book.window(broadcast).at(-1)?.sequence ?? -1;
      await Promise.allSettled(
        asked.slice(0, CATCH_UP_PEERS).map(async (viewer) => {
          const messages = await askRecords(viewer, broadcast, newest);
          isTold = true;
          for (const message of messages) this.book.hear(broadcast, message);
        }),
      );
    };
    const limit = new AbortController();
    const late = delay(CATCH_UP_MS, null, { signal: limit.signal }).catch(() => null);
    const asked = asking().catch((error: unknown) =>
      log.warn({ err: error, broadcast }, 'nobody could say what of a broadcast came last'),
    );
    await Promise.race([asked, late]);
    limit.abort();
    return isTold;
  }

  async #closeFolder(broadcast: string): Promise<void> {
    const input = this.#folders.get(broadcast);
    this.#folders.delete(broadcast);
    await input?.stop();
  }

  /** Ends what nobody watches any more, and forgets what is too old to be watched. */
  #sweep(): void {
    const { store, nowMs, log } = this.#context;
    const failed = (error: unknown) => log.warn({ err: error }, 'a broadcast could not be cleared up');
    for (const watch of this.#index.watches.values()) {
      if (watch.idle) this.#inBackground(this.unwatch(watch.broadcast).then(() => undefined));
    }
    try {
      for (const row of store.broadcasts.list()) {
        const isOpen = row.pushKey !== null && !row.ended;
        if (!isOpen) this.book.dropHeardBefore(row.contentId, nowMs() - WINDOW_MS);
        this.#rest(row.contentId);
      }
    } catch (error) {
      failed(error);
    }
  }

  /** A window has hundreds of files: those that are not at the live edge do not stay open. */
  #rest(broadcast: string): void {
    const { pieces, nowMs } = this.#context;
    for (const { contentId, heardAtMs } of this.book.window(broadcast)) {
      if (contentId !== null && nowMs() - heardAtMs > OPEN_MS) this.#inBackground(pieces.rest(contentId));
    }
  }

  /** The rows are gone: the transfers, then the files. */
  #remove(contentIds: readonly string[]): void {
    const { library, pieces } = this.#context;
    for (const contentId of contentIds) {
      this.#inBackground(library.stopTransfer(contentId).then(() => pieces.delete(contentId)));
    }
  }

  #inBackground(work: Promise<void>): void {
    const done: Promise<void> = work
      .catch((error: unknown) =>
        this.#context.log.warn({ err: error }, 'a broadcast could not be cleared up'),
      )
      .finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }
}

/** A broadcast cannot be fetched as a whole. */
export function onlyWatched(name: string): AceError {
  return new AceError('ContentIsLive', `"${name}" is a live broadcast: it can be watched, not saved`);
}
