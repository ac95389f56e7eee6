/**
 * The records of broadcasts that this node knows. What others send is checked, then committed, then passed to what
 * waits for it here.
 *
 * A broadcaster can have its viewers fetch, and pay for, what it likes, so its own word is bounded too: a segment by its
 * bits a second, and all of them by the time that passes while they are told.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { sameBytes } from '../../shared/bytes.ts';
import { goesOnFrom, offersFromPlain, plainOffers } from '../../shared/economy/access-terms.ts';
import { AceError } from '../../shared/errors.ts';
import { firstMissing, type HeardRecord, outdated, WINDOW_MS } from '../../shared/live/window.ts';
import { type BucketRate, type BucketState, refilled } from '../../shared/token-bucket.ts';
import { type BroadcastFile, readAnyTransportFile } from '../content/transport-file.ts';
import type { BroadcastRow } from '../db/node/broadcasts.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../process/log.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { type ReadMessage, readMessage, segmentOf, verifyRecord } from './signed-record.ts';

export interface RecordBookContext {
  readonly store: NodeStore;
  readonly nowMs: () => number;
  readonly log: Log;
  /** A record was added; `isEnd`: the last one of the broadcast. */
  readonly onRecord: (broadcast: string, isEnd: boolean) => void;
  /** Contents have left a window: their rows are gone, their files are to be. */
  readonly onGone: (contentIds: readonly string[]) => void;
}

/** A broadcaster's clock may be ahead of ours by so much. */
export const MAX_AHEAD_MS = 5 * 60_000;
/** Records of one broadcast: a whole answer at once, and what no broadcast needs a second. */
const RECORD_RATE: BucketRate = { perSecond: 4, burst: 128 };
/** Milliseconds of play: a window at once, and a little more than passes. */
const PLAY_RATE: BucketRate = { perSecond: 1_250, burst: WINDOW_MS + 60_000 };

interface RateBuckets {
  readonly records: BucketState;
  readonly playMs: BucketState;
}

export class RecordBook {
  readonly #context: RecordBookContext;
  readonly #files = new Map<string, BroadcastFile>();
  /** As they are in the database. */
  readonly #windows = new Map<string, readonly HeardRecord[]>();
  readonly #buckets = new Map<string, RateBuckets>();

  constructor(context: RecordBookContext) {
    this.#context = context;
  }

  /** @throws AceError `BroadcastUnknown` */
  row(broadcast: string): BroadcastRow {
    const row = this.#context.store.broadcasts.get(broadcast);
    if (!row) throw new AceError('BroadcastUnknown', 'This node does not know the broadcast');
    return row;
  }

  /** @throws AceError `BroadcastUnknown` */
  file(broadcast: string): BroadcastFile {
    const known = this.#files.get(broadcast);
    if (known) return known;
    const file = readAnyTransportFile(broadcast, this.row(broadcast).transport);
    if (file.kind !== 'live') throw new AceError('Internal', 'A broadcast has the file of something else');
    this.#files.set(broadcast, file);
    return file;
  }

  /** Peer id of its broadcaster. @throws AceError `BroadcastUnknown` */
  broadcasterId(broadcast: string): string {
    return peerIdOf(this.file(broadcast).broadcaster);
  }

  /** What is kept of a broadcast, ascending. */
  window(broadcast: string): readonly HeardRecord[] {
    const known = this.#windows.get(broadcast);
    if (known) return known;
    const window = this.#context.store.liveRecords.window(broadcast);
    this.#windows.set(broadcast, window);
    return window;
  }

  /** The number after which this node misses something: to be asked for. */
  completeUpTo(broadcast: string): number {
    const window = this.window(broadcast);
    return firstMissing(window, window[0]?.sequence ?? 0) - 1;
  }

  /**
   * Takes a record that a peer sent. The answer is whether it is news.
   * @throws AceError `MessageMalformed`, `MessageTooLarge`, `RecordInvalid`, `InvalidSignature`, `TransportFileInvalid`
   * (drop-peer); `RecordContradicts`, `BroadcastEnded`, `TooManyRequests` (ignore)
   */
  hear(broadcast: string, message: Uint8Array): boolean {
    const { store, nowMs } = this.#context;
    const read = readMessage(message);
    const { record } = read;
    if (record.broadcast !== broadcast) {
      throw new AceError('RecordInvalid', 'The record is of another broadcast', { reaction: 'drop-peer' });
    }
    const file = this.file(broadcast);
    const known = store.liveRecords.message(broadcast, record.sequence);
    if (known) return this.#hearAgain(known, read, file);
    const window = this.window(broadcast);
    const newest = window.at(-1);
    const isOlder = window[0] !== undefined && record.sequence < window[0].sequence;
    if (isOlder && outdated([record, ...window]).length > 0) return false; // too late to matter
    if (newest && newest.contentId === null && record.sequence > newest.sequence) {
      throw new AceError('BroadcastEnded', 'The broadcast is over: nothing comes after its end');
    }
    if (newest && record.contentId === null && record.sequence < newest.sequence) {
      throw new AceError('RecordInvalid', 'The broadcast cannot end before its last segment');
    }
    if (record.startsAtMs > nowMs() + MAX_AHEAD_MS) {
      throw new AceError('RecordInvalid', 'The record is of a time to come: one of the two clocks is wrong');
    }
    verifyRecord(read, file.broadcaster);
    segmentOf(read, file);
    this.#checkOffers(read, file, newest);
    this.#takeRate(broadcast, record.durationMs);
    // Books that were restored from an older copy hear of numbers that were used after it was made: never again.
    const { sequence, discontinuities } = record;
    this.add(read, message, 'fetched', () =>
      store.broadcasts.published(broadcast, sequence, discontinuities, null),
    );
    return true;
  }

  /** Adds a record that is right, in one commit with its segment and `also`. */
  add(read: ReadMessage, message: Uint8Array, origin: 'imported' | 'fetched', also?: () => void): void {
    const { store, nowMs, onRecord } = this.#context;
    const { record } = read;
    const segment = segmentOf(read, this.file(record.broadcast));
    const atMs = nowMs();
    const gone = store.commit(() => {
      const { offers, ...row } = record;
      store.liveRecords.insert({ ...row, heardAtMs: atMs }, message);
      if (offers)
        store.broadcasts.setOffers(record.broadcast, record.sequence, dagCbor.encode(plainOffers(offers)));
      if (segment && record.contentId !== null) {
        store.contents.insert({
          contentId: record.contentId,
          transport: read.transport,
          name: segment.name,
          mimeType: segment.mimeType,
          sizeBytes: segment.sizeBytes,
          durationMs: segment.durationMs,
          origin,
          addedAtMs: atMs,
        });
      } else {
        store.broadcasts.setEnded(record.broadcast);
      }
      also?.();
      const old = outdated(store.liveRecords.window(record.broadcast));
      return old.length === 0 ? [] : store.liveRecords.remove(record.broadcast, old);
    });
    this.#windows.delete(record.broadcast);
    if (gone.length > 0) this.#context.onGone(gone);
    onRecord(record.broadcast, record.contentId === null);
  }

  /** Forgets all records that were heard before. */
  dropHeardBefore(broadcast: string, beforeMs: number): void {
    const { store, onGone } = this.#context;
    const old = this.window(broadcast).filter(({ heardAtMs }) => heardAtMs < beforeMs);
    if (old.length === 0) return;
    const gone = store.commit(() => store.liveRecords.remove(broadcast, old));
    this.#windows.delete(broadcast);
    if (gone.length > 0) onGone(gone);
  }

  /** Prices of before stay what they were, so that nothing that was bought is closed again. */
  #checkOffers({ record }: ReadMessage, file: BroadcastFile, newest: HeardRecord | undefined): void {
    const { broadcast, sequence, offers } = record;
    // What an older record says of prices does not count.
    if (!offers || (newest && sequence < newest.sequence)) return;
    const told = this.#context.store.broadcasts.offers(broadcast);
    const known = (told && offersFromPlain(dagCbor.decode(told))) ?? file.access?.offers;
    if (!known || goesOnFrom(known, offers, (newest?.startsAtMs ?? 0) - MAX_AHEAD_MS)) return;
    throw new AceError(
      'RecordInvalid',
      'The record tells other prices of before than the broadcast told then: what was bought would be closed',
    );
  }

  /** The same again is no news; another one with the same number is a contradiction, which is kept as a proof. */
  #hearAgain(known: Uint8Array, read: ReadMessage, file: BroadcastFile): boolean {
    const first = readMessage(known);
    if (sameBytes(first.bytes, read.bytes)) return false;
    verifyRecord(read, file.broadcaster);
    const { store, nowMs, log } = this.#context;
    const { broadcast, sequence } = read.record;
    const signed = ({ bytes, signature }: ReadMessage) => Buffer.concat([signature, bytes]);
    store.commit(() =>
      store.liveRecords.contradict({
        broadcast,
        sequence,
        first: signed(first),
        second: signed(read),
        atMs: nowMs(),
      }),
    );
    log.warn(
      { broadcast, sequence },
      'a broadcaster signed two records with one number; the first one counts',
    );
    throw new AceError('RecordContradicts', 'The broadcaster signed two records with one number', {
      details: { sequence },
    });
  }

  #takeRate(broadcast: string, durationMs: number): void {
    const nowMs = this.#context.nowMs();
    const known = this.#buckets.get(broadcast);
    const full = (rate: BucketRate): BucketState => ({ tokens: rate.burst, atMs: nowMs });
    const records = known ? refilled(known.records, RECORD_RATE, nowMs) : full(RECORD_RATE);
    const playMs = known ? refilled(known.playMs, PLAY_RATE, nowMs) : full(PLAY_RATE);
    if (records.tokens < 1 || playMs.tokens < durationMs) {
      throw new AceError('TooManyRequests', 'The broadcast tells of more than can be played meanwhile');
    }
    this.#buckets.set(broadcast, {
      records: { ...records, tokens: records.tokens - 1 },
      playMs: { ...playMs, tokens: playMs.tokens - durationMs },
    });
  }
}
