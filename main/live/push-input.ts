/**
 * What an encoder pushes over HTTP on loopback: `PUT` (or `POST`) of playlists, segments and init segments to
 * `/broadcast/<content id>/<key>/<file>`, and `DELETE` of what it has no more use for.
 *
 * A segment counts once the playlist that is pushed after it names it. A body that breaks off leaves nothing. What waits
 * is in memory, bounded; a node that is stopped loses at most the segment that was under way.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { AceError, type ErrorCode, isAceError } from '../../shared/errors.ts';
import {
  isFileName,
  MAX_PLAYLIST_BYTES,
  type PushedSegment,
  readPlaylist,
} from '../../shared/live/playlist.ts';
import { MAX_SEGMENT_BYTES } from '../../shared/live/records.ts';
import type { Log } from '../process/log.ts';
import { tokenMatches } from '../rpc/guard.ts';
import { serializer } from '../util/serialize.ts';
import { type Broadcaster, MAX_INIT_BYTES } from './broadcaster.ts';
import { fileTooLarge, type SegmentFile, type SegmentInput, SegmentIntake } from './segment-intake.ts';

export const PUSH_PATH = '/broadcast/';
/** Files that no playlist has named yet: an encoder pushes one before it names it. */
const MAX_WAITING_FILES = 16;
/** And their bytes: the segment that is named next, and the one after it. */
const MAX_WAITING_BYTES = 2 * MAX_SEGMENT_BYTES;
/** Files that are pushed to one broadcast at once: segment, playlist and init of two renditions have room. */
const MAX_PUSHES = 8;
/** Init segments that are kept: an encoder that was started again has another one. */
const MAX_INITS = 8;
/** A segment comes as it is made: nothing arrives for as long as one plays, at most. */
const SILENCE_MS = 90_000;

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  BroadcastUnknown: 404,
  BroadcastEnded: 410,
  ContentTooLarge: 413,
  InvalidInput: 400,
  PlaylistMalformed: 400,
  TooManyRequests: 429,
  StoreFailed: 507,
};

interface Target {
  readonly broadcast: string;
  readonly name: string;
}

/** What is pushed for one broadcast. */
class Pushed implements SegmentInput {
  readonly intake: SegmentIntake;
  /** The newest files that no playlist has named yet. */
  readonly waiting = new LRUCache<string, Buffer>({
    max: MAX_WAITING_FILES,
    maxSize: MAX_WAITING_BYTES,
    sizeCalculation: ({ byteLength }) => Math.max(1, byteLength),
  });
  readonly inits = new LRUCache<string, Buffer>({ max: MAX_INITS });
  pushes = 0;
  /** Playlists are taken one after another. */
  readonly inOrder = serializer();

  constructor(intake: SegmentIntake) {
    this.intake = intake;
  }

  async take({ name }: PushedSegment): Promise<SegmentFile | null> {
    const bytes = this.waiting.peek(name);
    this.waiting.delete(name);
    return bytes ? { bytes } : null;
  }

  async init(name: string): Promise<Uint8Array | null> {
    return this.inits.peek(name) ?? null;
  }
}

export class PushInput {
  readonly #broadcaster: Broadcaster;
  readonly #log: Log;
  readonly #pushed = new Map<string, Pushed>();

  constructor(broadcaster: Broadcaster, log: Log) {
    this.#broadcaster = broadcaster;
    this.#log = log;
  }

  /** Answers a request to {@link PUSH_PATH}. */
  handle(req: IncomingMessage, res: ServerResponse): void {
    this.#answer(req).then(
      (status) => res.writeHead(status).end(),
      (error: unknown) => {
        // An encoder that has gone away gets no answer; what it sent of the file is forgotten.
        if (req.destroyed && !req.complete) return;
        if (!isAceError(error)) this.#log.error({ err: error }, 'a push failed');
        const status = isAceError(error) ? (STATUS_OF[error.code] ?? 500) : 500;
        const why = isAceError(error) ? error.message : 'Something went wrong inside the node';
        if (status === 507) this.#log.error({ err: error }, 'a segment could not be stored');
        // What follows of a body that is refused is not read.
        res
          .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
          .end(`${why}\n`, () => {
            if (!req.complete) req.destroy();
          });
      },
    );
  }

  /** Forgets what waits for a broadcast that is over. */
  forget(broadcast: string): void {
    this.#pushed.delete(broadcast);
  }

  async #answer(req: IncomingMessage): Promise<number> {
    const { broadcast, name } = this.#target(req.url ?? '/');
    const pushed = this.#of(broadcast);
    if (req.method === 'DELETE') {
      pushed.waiting.delete(name);
      return 204;
    }
    if (req.method !== 'PUT' && req.method !== 'POST') return 405;
    if (pushed.pushes >= MAX_PUSHES) {
      throw new AceError('TooManyRequests', 'Too many files are being pushed at once');
    }
    pushed.pushes += 1;
    try {
      await this.#receive(req, pushed, name);
      return 201;
    } finally {
      pushed.pushes -= 1;
    }
  }

  /** Without the key a caller learns nothing, not even which broadcasts there are. */
  #target(url: string): Target {
    const [path = ''] = url.split('?', 1);
    const [id = '', key = '', name = '', ...more] = path.slice(PUSH_PATH.length).split('/');
    const row = this.#broadcaster.own().find(({ contentId }) => contentId === id);
    if (!row?.pushKey || !tokenMatches(key, row.pushKey)) {
      throw new AceError('BroadcastUnknown', 'This is no address of a broadcast of this node');
    }
    if (more.length > 0 || !isFileName(name) || !/\.(m3u8|ts|m4s|mp4)$/.test(name)) {
      throw new AceError(
        'InvalidInput',
        'Push files with plain names that end in .m3u8, .ts, .m4s or .mp4, and no folders',
      );
    }
    if (row.ended) throw new AceError('BroadcastEnded', `"${row.name}" has ended: start a new broadcast`);
    return { broadcast: id, name };
  }

  #of(broadcast: string): Pushed {
    const known = this.#pushed.get(broadcast);
    if (known) return known;
    const fresh = new Pushed(new SegmentIntake(broadcast, this.#broadcaster, this.#log));
    this.#pushed.set(broadcast, fresh);
    return fresh;
  }

  async #receive(req: IncomingMessage, pushed: Pushed, name: string): Promise<void> {
    if (name.endsWith('.m3u8')) {
      const playlist = readPlaylist((await bodyOf(req, name, MAX_PLAYLIST_BYTES)).toString('utf8'));
      await pushed.inOrder(() => pushed.intake.take(playlist, pushed));
    } else if (name.endsWith('.mp4')) {
      pushed.inits.set(name, await bodyOf(req, name, MAX_INIT_BYTES));
    } else {
      pushed.waiting.set(name, await bodyOf(req, name, MAX_SEGMENT_BYTES));
    }
  }
}

/** The whole body. @throws AceError `ContentTooLarge`, `PeerClosed` when it breaks off */
async function bodyOf(req: IncomingMessage, name: string, maxBytes: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw fileTooLarge(name, maxBytes);
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  req.setTimeout(SILENCE_MS, () => req.destroy(new Error('nothing came any more')));
  try {
    // The connection stays for the answer, which gives the reason.
    for await (const part of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += part.byteLength;
      if (sizeBytes > maxBytes) throw fileTooLarge(name, maxBytes);
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof AceError) throw error;
    throw new AceError('PeerClosed', `The push of ${name} broke off`, { cause: error });
  }
  if (!req.complete) throw new AceError('PeerClosed', `The push of ${name} broke off`);
  return Buffer.concat(parts, sizeBytes);
}
