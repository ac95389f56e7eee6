/**
 * Content over HTTP on loopback, for the page's player and for every player that takes a URL. Paths follow what
 * Ace Stream clients speak; `/content/<id>` is ours. A client that takes the bytes to keep them adds `?download=1`: what nobody
 * watches must not count for the network's traffic rate.
 *
 * Players show no token. `main/rpc/guard.ts` has refused the requests of foreign pages before they come here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AceError, type ErrorCode, isAceError } from '../../shared/errors.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { Watch } from '../live/watch.ts';
import type { Log } from '../process/log.ts';
import type { Opening } from '../transfer/asking.ts';
import type { Transfer } from '../transfer/transfer.ts';
import {
  type Address,
  isDownload,
  isWaiting,
  readAddress,
  SEGMENT_SUFFIX,
  sessionPaths,
  streamPath,
} from './addresses.ts';
import { type ClockError, checkComes, NOBODY_WAIT_MS } from './comes.ts';
import { attachmentOf } from './file-name.ts';
import { manifestPath } from './live-http.ts';
import { openingOf } from './opening.ts';
import { type AccessCheck, answerPaymentRequired } from './payment-required.ts';
import { type Playing, playingFile, playingLive } from './playing.ts';
import { HLS_TYPE, hlsOf, M3U_TYPE, m3uOf } from './playlists.ts';
import { serveContent } from './serve-content.ts';
import { SessionMeter } from './session-meter.ts';
import { PlayerSessions } from './sessions.ts';
import { type PaymentFigures, statOf } from './stat.ts';

export interface PlaybackContext {
  readonly version: string;
  readonly pieces: PieceStore;
  /** @throws AceError `InvalidContentId`, `NoProviders`, `ProviderStopped`, … */
  readonly transferOf: (contentId: string, opening?: Opening) => Promise<Transfer>;
  /** The id when it is a broadcast's, `null` when it is another content's. @throws AceError as `transferOf` */
  readonly broadcastOf: (contentId: string) => Promise<string | null>;
  readonly watch: (broadcast: string) => Watch;
  readonly contentOf: (contentId: string) => { readonly addedAtMs: number; readonly upBytes: number } | null;
  readonly payment: () => PaymentFigures | null;
  readonly clockError: ClockError;
  /** Why the content is not to be had: it is sold, and not bought; else `null`. */
  readonly accessError: AccessCheck;
  readonly nowMs: () => number;
  readonly log: Log;
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly url: URL;
}

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  InvalidContentId: 400,
  InvalidInput: 400,
  ContentUnknown: 404,
  NoProviders: 404,
  SessionUnknown: 404,
  TooManyRequests: 503,
  ProviderStopped: 503,
  ContentIsLive: 409,
  ContentChanged: 409,
  FileMissing: 404,
  ShardUnavailable: 503,
  OwnClockWrong: 503,
};

export function playbackHandler(
  context: PlaybackContext,
): (req: IncomingMessage, res: ServerResponse) => void {
  const playback = new Playback(context);
  return (req, res) => {
    playback.answer(req, res).catch((error: unknown) => {
      if (isAceError(error) && answerPaymentRequired(req, res, error)) return;
      if (isAceError(error) && !res.headersSent) {
        answerText(res, STATUS_OF[error.code] ?? 500, error.message);
        return;
      }
      if (!isAbort(error)) context.log.error({ err: error }, 'playback failed');
      res.destroy();
    });
  };
}

class Playback {
  readonly #context: PlaybackContext;
  readonly #sessions: PlayerSessions;

  constructor(context: PlaybackContext) {
    this.#context = context;
    this.#sessions = new PlayerSessions(context.nowMs);
  }

  async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    const url = new URL(req.url ?? '/', 'http://localhost');
    const exchange = { req, res, url };
    if (!answersJson(url)) {
      const address = readAddress(url);
      if (address === null) answerText(res, 404, 'There is nothing at this path');
      else await this.#media(address, exchange);
      return;
    }
    try {
      answerJson(res, await this.#json(readAddress(url), exchange));
    } catch (error) {
      // Programs that speak this API look for errors in the answer, not in its status.
      if (!isAceError(error)) throw error;
      const answer = url.pathname.startsWith('/webui/') ? 'result' : 'response';
      answerJson(res, { [answer]: null, error: error.message });
    }
  }

  async #media(address: Address, exchange: Exchange): Promise<void> {
    switch (address.ask) {
      case 'stream':
        return this.#stream(address.contentId, address.session, exchange);
      case 'playlist':
        return this.#playlist(address.contentId, exchange);
      case 'hls':
        return this.#hls(address.contentId, address.session, exchange);
      default:
        throw new AceError('InvalidInput', 'This address answers in JSON only: add format=json');
    }
  }

  async #json(address: Address | null, exchange: Exchange): Promise<unknown> {
    switch (address?.ask) {
      case 'open':
        return this.#open(address.contentId, address.output, exchange);
      case 'stat':
        return this.#stat(address.contentId, address.session);
      case 'command':
        return this.#command(address.contentId, address.session, exchange.url);
      case 'service':
        return this.#service(exchange.url);
      default:
        throw new AceError('InvalidInput', 'There is nothing at this path');
    }
  }

  async #stream(contentId: string, session: string | undefined, { req, res, url }: Exchange): Promise<void> {
    const { pieces, transferOf, clockError, accessError } = this.#context;
    const using = session === undefined ? null : this.#sessions.use(session, contentId);
    const opening = openingOf(req, url);
    const transfer = await transferOf(contentId, opening);
    const closed = transfer.complete || isWaiting(url) ? null : await accessError(contentId);
    if (closed) throw closed;
    // Before the head is sent: behind it there is no place left to say why nothing comes.
    await pieces.referenced.check(transfer.contentId);
    const context = {
      clockError,
      closed: closedBy(res),
      pieceIndex: opening?.pieceIndex,
      watches: !isDownload(url),
      waits: isWaiting(url),
      nobodyWaitMs: NOBODY_WAIT_MS,
    };
    const awaited = req.method === 'GET' ? await checkComes(transfer, context) : null;
    const ended = using && this.#sessions.streaming(using.id, contentId, () => res.destroy());
    try {
      const serving = serveContent(req, res, {
        pieces,
        transfer,
        addedAtMs: this.#context.contentOf(contentId)?.addedAtMs ?? 0,
        download: isDownload(url),
        ...(using && { onSent: () => using.meter.sample(transfer, () => this.#upBytes(contentId)) }),
      });
      awaited?.release(); // the answer has a reader of its own by now
      await serving;
    } finally {
      ended?.();
    }
    this.#context.log.debug({ contentId, range: req.headers.range }, 'a player was served');
  }

  async #playlist(contentId: string, { req, res }: Exchange): Promise<void> {
    const { broadcastOf, watch, transferOf } = this.#context;
    const broadcast = await broadcastOf(contentId);
    const what =
      broadcast === null
        ? { ...(await transferOf(contentId)).file, path: `/content/${contentId}` }
        : { name: watch(broadcast).name, durationMs: 0, path: manifestPath(broadcast) };
    const text = m3uOf(what, `${baseOf(req)}${what.path}`);
    res.setHeader('content-disposition', attachmentOf(`${what.name.replace(/\.[^.]{1,5}$/, '')}.m3u`));
    answerText(res, 200, text, M3U_TYPE);
  }

  async #hls(contentId: string, session: string | undefined, { req, res }: Exchange): Promise<void> {
    if (session !== undefined) this.#sessions.use(session, contentId);
    const { file } = await this.#context.transferOf(contentId);
    const path = streamPath(contentId, session);
    const text = hlsOf(file, `${baseOf(req)}${path}${SEGMENT_SUFFIX}`);
    if (text !== null) answerText(res, 200, text, HLS_TYPE);
    // Players follow this and look at what they get: they need no playlist for one file.
    else res.writeHead(302, { location: path, 'cache-control': 'no-store' }).end();
  }

  async #open(contentId: string, output: 'stream' | 'hls', { req }: Exchange): Promise<unknown> {
    const { progress, isLive } = await this.#playing(contentId);
    await this.#context.pieces.referenced.check(contentId);
    if (!isLive) await this.#checkShared(contentId);
    const meter = new SessionMeter(progress, this.#upBytes(contentId), this.#context.nowMs);
    const { id } = this.#sessions.open(contentId, meter);
    const paths = sessionPaths(contentId, id, output);
    const base = baseOf(req);
    return {
      response: {
        playback_url: base + (isLive ? manifestPath(contentId) : paths.playback),
        stat_url: base + paths.stat,
        command_url: base + paths.command,
        content_id: contentId,
        infohash: null,
        playback_session_id: id,
        is_live: isLive ? 1 : 0,
        is_encrypted: 0,
        client_session_id: -1,
      },
      error: null,
    };
  }

  /** @throws AceError `ProviderStopped` */
  async #checkShared(contentId: string): Promise<void> {
    const transfer = await this.#context.transferOf(contentId);
    await transfer.checkOffered().catch((error: unknown) => {
      // What may end by itself, such as a shard that is away, the stream waits for.
      if (isAceError(error, 'ProviderStopped')) throw error;
    });
  }

  async #stat(contentId: string, id: string): Promise<unknown> {
    const session = this.#sessions.use(id, contentId);
    const playing = await this.#playing(contentId);
    const figures = session.meter.figures(playing.progress, this.#upBytes(contentId));
    return { response: statOf(playing, session, figures, this.#context.payment()), error: null };
  }

  async #playing(contentId: string): Promise<Playing> {
    const { broadcastOf, watch, transferOf } = this.#context;
    const broadcast = await broadcastOf(contentId);
    return broadcast === null ? playingFile(await transferOf(contentId)) : playingLive(watch(broadcast));
  }

  #command(contentId: string, id: string, url: URL): unknown {
    checkMethod(url, 'stop');
    this.#sessions.stop(id, contentId);
    return { response: 'ok', error: null };
  }

  #service(url: URL): unknown {
    checkMethod(url, 'get_version');
    const { version } = this.#context;
    return { result: { version, code: versionCode(version), platform: process.platform }, error: null };
  }

  #upBytes(contentId: string): number {
    return this.#context.contentOf(contentId)?.upBytes ?? 0;
  }
}

/** Whatever these paths have to say, errors included, is JSON. */
function answersJson({ pathname, searchParams }: URL): boolean {
  if (/^\/(ace\/(stat|cmd)|webui)\//.test(pathname)) return true;
  return pathname.startsWith('/ace/') && searchParams.get('format') === 'json';
}

/** @throws AceError `InvalidInput` */
function checkMethod({ searchParams }: URL, known: string): void {
  const method = searchParams.get('method');
  if (method === known) return;
  const wrong = method === null ? 'The address lacks a method' : `There is no method "${method}"`;
  throw new AceError('InvalidInput', `${wrong}: this node knows method=${known}`);
}

/** Two digits each for minor and patch, as Ace Stream has it: 3.1.74 is 3017400. */
function versionCode(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version
    .split(/[.-]/)
    .map((part) => Number.parseInt(part, 10) || 0);
  return major * 1_000_000 + minor * 10_000 + patch * 100;
}

/** The name that the player reached us by; guard.ts has checked that it is ours. */
function baseOf(req: IncomingMessage): string {
  return `http://${req.headers.host}`;
}

function answerJson(res: ServerResponse, body: unknown): void {
  res
    .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`);
}

function answerText(res: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  res
    .writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' })
    .end(text.endsWith('\n') ? text : `${text}\n`);
}

function closedBy(res: ServerResponse): AbortSignal {
  const closed = new AbortController();
  res.once('close', () => closed.abort());
  return closed.signal;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
