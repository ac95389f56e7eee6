/**
 * This node's own broadcasts: makes them, signs a record for each segment, and ends them.
 *
 * A segment becomes an ordinary content: its bytes are in place first, then one commit takes the content, the record and
 * the sequence number, and only then it is published. A process that is killed in between publishes the rest after its next
 * start, and never uses a number twice.
 */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import * as dagCbor from '@ipld/dag-cbor';
import {
  type AccessOffer,
  type AccessTerms,
  MAX_OFFERS,
  offersFromPlain,
  plainOffers,
  withOffer,
} from '../../shared/economy/access-terms.ts';
import type { TokenAmount } from '../../shared/economy/money.ts';
import { PIECE_BYTES, pieceCount } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import { checkSegmentSize, type LiveRecord } from '../../shared/live/records.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { SoldTerms } from '../content/sold-terms.ts';
import {
  chunkHashesOf,
  isContentName,
  makeBroadcastFile,
  makeTransportFile,
  pieceHash,
} from '../content/transport-file.ts';
import type { BroadcastRow } from '../db/node/broadcasts.ts';
import type { NodeStore } from '../db/node/store.ts';
import { storeError } from '../db/open.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import type { RecordBook } from './record-book.ts';
import { readMessage, signRecord } from './signed-record.ts';

export interface BroadcasterContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly device: DeviceIdentity;
  /** What access to our own costs. */
  readonly sold: Pick<SoldTerms, 'of'>;
  readonly book: RecordBook;
  readonly nowMs: () => number;
  /**
   * Resolves when it is known what others have heard of an earlier run of a broadcast, as well as can be known: books that
   * were restored from an older copy must not use a number again.
   */
  readonly caughtUp: (broadcast: string) => Promise<void>;
  /** A record was signed and is durable. */
  readonly onPublished: (broadcast: string, message: Uint8Array) => void;
}

/** What access to a broadcast costs from now on. */
export interface BroadcastPrice {
  /** Account that gets it. */
  readonly seller: string;
  readonly premium: boolean;
  readonly priceXac: TokenAmount;
  readonly lastsMs: number;
}

export interface NewSegment {
  readonly bytes: Uint8Array;
  readonly durationMs: number;
  /** What it begins with, for fragmented MP4. */
  readonly init: Uint8Array | null;
  /** Its clock does not go on from the segment before. */
  readonly discontinuity: boolean;
  /** The folder's file that it was made of. */
  readonly mark?: string;
}

/** What is served of a broadcast is chosen by its segments; this shows only that it is one. */
const BROADCAST_MIME = 'application/vnd.apple.mpegurl';
const KEY_BYTES = 24;
/** Within this the clock of what is shown goes on from the last segment; beyond it, it is set anew. */
const MAX_DRIFT_MS = 5_000;
/** One piece: an init segment holds no pictures, and is sent as one unit. */
export const MAX_INIT_BYTES = 1_048_576;

export class Broadcaster {
  readonly #context: BroadcasterContext;
  /** Broadcasts that went on since this start: before that, their encoder may have missed something. */
  readonly #begun = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: BroadcasterContext) {
    this.#context = context;
  }

  /**
   * The broadcast of that name which has not ended, or a new one.
   * @throws AceError `InvalidInput`, `StoreFailed`
   */
  start(name: string, folder: string | null, price: BroadcastPrice | null = null): BroadcastRow {
    const { store, device, nowMs, book } = this.#context;
    if (!isContentName(name)) {
      throw new AceError(
        'InvalidInput',
        `"${name}" cannot be the name of a broadcast: it is too long or has a path in it`,
        { details: { field: 'name', reason: 'name' } },
      );
    }
    const open = this.own().find((row) => row.name === name && !row.ended);
    if (open) {
      if (open.folder !== folder) store.commit(() => store.broadcasts.setFolder(open.contentId, folder));
      if (price) this.#reprice(open, price);
      return book.row(open.contentId);
    }
    const addedAtMs = nowMs();
    const { contentId, bytes } = makeBroadcastFile(
      {
        ...{ name, mimeType: BROADCAST_MIME, startedAtMs: addedAtMs },
        ...(price && { access: termsOf(price, addedAtMs) }),
      },
      device,
    );
    const pushKey = randomBytes(KEY_BYTES).toString('base64url');
    store.commit(() =>
      store.broadcasts.insert({
        contentId,
        transport: bytes,
        name,
        mimeType: BROADCAST_MIME,
        addedAtMs,
        pushKey,
        folder,
      }),
    );
    return book.row(contentId);
  }

  /** From now on it costs something else: its next record says so. What was bought stays good until its end. */
  #reprice({ contentId, name }: BroadcastRow, price: BroadcastPrice): void {
    const { store, sold } = this.#context;
    const terms = sold.of(contentId)?.terms;
    if (!terms || terms.premium !== price.premium || terms.seller !== price.seller) {
      throw new AceError(
        'InvalidInput',
        `"${name}" goes on, and began without a price or in another pool: end it, and start it again`,
        { details: { field: 'price', reason: 'unpriced' } },
      );
    }
    const { priceXac, lastsMs } = price;
    const now = terms.offers.at(-1);
    const isAsked = now?.priceXac === priceXac && now.lastsMs === lastsMs;
    const next = { fromMs: 0, priceXac, lastsMs };
    if (!isAsked && this.#withNext(terms.offers, next).length > MAX_OFFERS) {
      throw new AceError(
        'TooManyRequests',
        'The price was changed too often for what was bought to end in between',
      );
    }
    store.commit(() =>
      store.broadcasts.setNextOffer(contentId, isAsked ? null : dagCbor.encode(plainOffers([next]))),
    );
  }

  /** Offers with one more, from now on. */
  #withNext(offers: readonly AccessOffer[], next: AccessOffer): AccessOffer[] {
    const fromMs = Math.max(this.#context.nowMs(), (offers.at(-1)?.fromMs ?? 0) + 1);
    return withOffer(offers, { ...next, fromMs });
  }

  /**
   * What the record to come asks. Another price counts from the first record on that tells it: who buys before has not been
   * told.
   */
  #offersOf(broadcast: string): { offers: readonly AccessOffer[] | undefined; tellsNext: boolean } {
    const { store, sold } = this.#context;
    const offers = sold.of(broadcast)?.terms.offers;
    const plain = store.broadcasts.nextOffer(broadcast);
    const [next] = (plain && offersFromPlain(dagCbor.decode(plain))) ?? [];
    if (!offers || !next) return { offers, tellsNext: false };
    const all = this.#withNext(offers, next);
    const tellsNext = all.length <= MAX_OFFERS;
    return { offers: tellsNext ? all : offers, tellsNext };
  }

  /** All of our own, ended ones too, oldest first. */
  own(): BroadcastRow[] {
    return this.#context.store.broadcasts.own();
  }

  /** One of our own. @throws AceError `BroadcastUnknown` */
  ownRow(broadcast: string): BroadcastRow {
    const row = this.#context.store.broadcasts.get(broadcast);
    if (row?.pushKey) return row;
    throw new AceError('BroadcastUnknown', 'This node makes no such broadcast');
  }

  /**
   * Makes a segment of these bytes, signs and publishes it. One after another.
   * @throws AceError `BroadcastUnknown`, `BroadcastEnded`, `RecordInvalid`, `StoreFailed`
   */
  publish(broadcast: string, segment: NewSegment): Promise<LiveRecord> {
    return this.#inTurn(() => this.#publish(broadcast, segment));
  }

  /** Signs that nothing comes any more. @throws AceError `BroadcastUnknown`, `BroadcastEnded`, `StoreFailed` */
  end(broadcast: string): Promise<LiveRecord> {
    return this.#inTurn(async () => {
      await this.#context.caughtUp(broadcast);
      const row = this.#openRow(broadcast);
      const record: LiveRecord = {
        broadcast,
        sequence: row.nextSequence,
        contentId: null,
        initContentId: null,
        durationMs: 0,
        sizeBytes: 0,
        discontinuities: row.discontinuities,
        startsAtMs: this.#context.nowMs(),
      };
      this.#sign(record, new Uint8Array(0), null);
      return record;
    });
  }

  /** What the last segment begins with; `null` where there is none. */
  async lastInit(broadcast: string): Promise<Uint8Array | null> {
    const { book, pieces, store } = this.#context;
    const contentId = book.window(broadcast).at(-1)?.initContentId;
    const row = contentId ? store.contents.get(contentId) : null;
    return row && pieces.read(row.contentId, 0, row.sizeBytes);
  }

  /** Resolves when nothing is being published. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined); // its caller gets the error
    return done;
  }

  #openRow(broadcast: string): BroadcastRow {
    const row = this.ownRow(broadcast);
    if (row.ended) throw new AceError('BroadcastEnded', `"${row.name}" has ended: start a new broadcast`);
    return row;
  }

  async #publish(broadcast: string, segment: NewSegment): Promise<LiveRecord> {
    await this.#context.caughtUp(broadcast);
    const row = this.#openRow(broadcast);
    const { bytes, durationMs } = segment;
    checkSegmentSize(durationMs, bytes.byteLength);
    const sequence = row.nextSequence;
    const extension = segment.init ? 'm4s' : 'ts';
    const mimeType = segment.init ? 'video/mp4' : 'video/mp2t';
    const init = segment.init && (await this.#storeInit(broadcast, segment.init));
    const stored = await this.#store(`${broadcast}-${sequence}.${extension}`, mimeType, bytes, durationMs);
    const jumps = segment.discontinuity || !this.#begun.has(broadcast);
    const record: LiveRecord = {
      broadcast,
      sequence,
      contentId: stored.contentId,
      initContentId: init,
      durationMs,
      sizeBytes: bytes.byteLength,
      discontinuities: row.discontinuities + (jumps && sequence > 0 ? 1 : 0),
      startsAtMs: this.#startOf(broadcast, durationMs, jumps),
    };
    this.#sign(record, stored.transport, segment.mark ?? null);
    this.#begun.add(broadcast);
    return record;
  }

  #sign(unpriced: LiveRecord, transport: Uint8Array, mark: string | null): void {
    const { store, device, book, onPublished } = this.#context;
    const { offers, tellsNext } = this.#offersOf(unpriced.broadcast);
    const record: LiveRecord = { ...unpriced, ...(offers && { offers }) };
    const { broadcast, sequence, discontinuities } = record;
    const message = signRecord(record, transport, device);
    book.add(readMessage(message), message, 'imported', () => {
      store.broadcasts.published(broadcast, sequence, discontinuities, mark);
      if (tellsNext) store.broadcasts.setNextOffer(broadcast, null);
      if (record.contentId === null) return;
      for (let i = 0; i < pieceCount(record.sizeBytes); i++)
        store.contents.pieces.add(record.contentId, i, true);
    });
    onPublished(broadcast, message);
  }

  /** Its bytes, as a file of the piece store: the rows come with the record. */
  async #store(
    name: string,
    mimeType: string,
    bytes: Uint8Array,
    durationMs: number,
  ): Promise<{ contentId: string; transport: Uint8Array }> {
    const { pieces, device } = this.#context;
    const pieceHashes = Array.from({ length: pieceCount(bytes.byteLength) }, (_, i) =>
      pieceHash(chunkHashesOf(bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES))),
    );
    const file = {
      name,
      kind: 'vod',
      mimeType,
      sizeBytes: bytes.byteLength,
      durationMs,
      pieceHashes,
    } as const;
    const { contentId, bytes: transport } = makeTransportFile(file, device);
    const temporary = pieces.wholeFiles.temporaryPath();
    try {
      await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600, flush: true });
      await pieces.wholeFiles.adopt(contentId, temporary);
    } catch (error) {
      throw storeError(error, temporary);
    } finally {
      await rm(temporary, { force: true });
    }
    return { contentId, transport };
  }

  /** The same bytes again are the same content. */
  async #storeInit(broadcast: string, bytes: Uint8Array): Promise<string> {
    const { store, nowMs } = this.#context;
    if (bytes.byteLength === 0 || bytes.byteLength > MAX_INIT_BYTES)
      throw new AceError('RecordInvalid', 'The init segment is empty or too large');
    const name = `${broadcast}-init.mp4`;
    const { contentId, transport } = await this.#store(name, 'video/mp4', bytes, 0);
    if (store.contents.get(contentId)) return contentId;
    store.commit(() => {
      store.liveRecords.claim(contentId, broadcast);
      store.contents.insert({
        contentId,
        transport,
        name,
        mimeType: 'video/mp4',
        sizeBytes: bytes.byteLength,
        durationMs: 0,
        origin: 'imported',
        addedAtMs: nowMs(),
      });
      store.contents.pieces.add(contentId, 0, true);
    });
    return contentId;
  }

  #startOf(broadcast: string, durationMs: number, jumps: boolean): number {
    const { book, nowMs } = this.#context;
    const clockMs = Math.max(0, nowMs() - durationMs);
    const last = book.window(broadcast).at(-1);
    const nextMs = last ? last.startsAtMs + last.durationMs : clockMs;
    return jumps || Math.abs(nextMs - clockMs) > MAX_DRIFT_MS ? clockMs : nextMs;
  }
}

function termsOf({ seller, premium, priceXac, lastsMs }: BroadcastPrice, fromMs: number): AccessTerms {
  return { seller, premium, offers: [{ fromMs, priceXac, lastsMs }] };
}
