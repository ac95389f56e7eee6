/** Asks peers for what they know of a broadcast, and answers them. Any watcher can answer: records prove themselves. */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { pieceCount } from '../../../../shared/economy/units.ts';
import { AceError } from '../../../../shared/errors.ts';
import type { NodeStore } from '../../../db/node/store.ts';
import type { Log } from '../../../process/log.ts';
import type { FreeUpload } from '../../free-upload.ts';
import { openStream, serveProtocol } from '../../host.ts';
import { PeerLimits } from '../../peer-limits.ts';
import { LIVE_PROTOCOL, LIVE_RATES, MAX_LIVE_MESSAGE_BYTES, MAX_RECORDS_ASKED } from './constants.ts';
import {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  encodeRefusal,
  type LiveAnswer,
  type LiveQuestion,
  unexpectedAnswer,
} from './messages.ts';

const ASK_LIMITS = { maxFrameBytes: 4_096, maxBufferedBytes: 8_192 } as const;
const ANSWER_LIMITS = {
  maxFrameBytes: MAX_RECORDS_ASKED * (MAX_LIVE_MESSAGE_BYTES + 8) + 256,
  maxBufferedBytes: 2 * MAX_RECORDS_ASKED * MAX_LIVE_MESSAGE_BYTES,
} as const;
const TIMEOUT_MS = 8_000;

export interface LiveServerContext {
  readonly store: NodeStore;
  /** Whether a content or a broadcast is announced to others. */
  readonly isOffered: (contentId: string) => boolean;
  readonly free: FreeUpload;
  readonly log: Log;
}

/** Answers what this node offers to others, and no more. */
export async function serveLive(
  host: Libp2p,
  { store, isOffered, free, log }: LiveServerContext,
): Promise<void> {
  const limits = new PeerLimits(LIVE_RATES, () => performance.now());
  await serveProtocol(
    host,
    LIVE_PROTOCOL,
    ASK_LIMITS,
    async (frames, connection) => {
      const asked = await frames.read(TIMEOUT_MS);
      if (!asked) return;
      const peer = connection.remotePeer.toString();
      const retryAfterMs = Math.max(
        limits.take(peer, asked.byteLength).retryAfterMs,
        free.retryAfterMs(connection),
      );
      const answer =
        retryAfterMs > 0
          ? encodeRefusal(
              new AceError('TooManyRequests', 'The peer asks too often', { details: { retryAfterMs } }),
            )
          : answerTo(store, isOffered, decodeQuestion(asked.subarray()));
      limits.charge(peer, frames.send(answer));
      // A refusal is a few bytes: counted, one network that has had its share would use up what others have.
      if (retryAfterMs === 0) free.charge(connection, answer.byteLength);
      await frames.writable();
    },
    (error, { remotePeer }) =>
      log.warn({ err: error, peer: remotePeer.toString() }, 'a peer broke the live protocol'),
  );
}

function answerTo(
  store: NodeStore,
  isOffered: (contentId: string) => boolean,
  question: LiveQuestion,
): Uint8Array {
  if (question.type === 'holds') {
    return encodeAnswer(
      question.contentIds.map((contentId) => isOffered(contentId) && isWhole(store, contentId)),
    );
  }
  if (!isOffered(question.broadcast) || !store.broadcasts.get(question.broadcast)) {
    return encodeRefusal(new AceError('BroadcastUnknown', 'This node does not know the broadcast'));
  }
  return encodeAnswer(store.liveRecords.messagesAfter(question.broadcast, question.after, question.limit));
}

function isWhole(store: NodeStore, contentId: string): boolean {
  const row = store.contents.get(contentId);
  return row !== null && row.havePieces === pieceCount(row.sizeBytes);
}

/**
 * The newest records of a broadcast that a peer has, `after` left out, ascending.
 * @throws AceError `PeerUnreachable`, `BroadcastUnknown`, `TooManyRequests`, `RequestTimeout`, `MessageMalformed`
 */
export async function askRecords(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  broadcast: string,
  after: number,
): Promise<Uint8Array[]> {
  const question = { type: 'records', broadcast, after, limit: MAX_RECORDS_ASKED } as const;
  const answer = await ask(host, addresses, question, TIMEOUT_MS);
  if (answer.length > MAX_RECORDS_ASKED || !answer.every((one) => one instanceof Uint8Array))
    throw unexpectedAnswer();
  return answer as Uint8Array[];
}

/** Which of the contents a peer has whole. @throws AceError as {@link askRecords} */
export async function askHolds(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  contentIds: readonly string[],
  timeoutMs: number,
): Promise<boolean[]> {
  const answer = await ask(host, addresses, { type: 'holds', contentIds }, timeoutMs);
  if (answer.length !== contentIds.length || !answer.every((one) => typeof one === 'boolean'))
    throw unexpectedAnswer();
  return answer as boolean[];
}

async function ask(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  question: LiveQuestion,
  timeoutMs: number,
): Promise<LiveAnswer> {
  const frames = await openStream(host, addresses, LIVE_PROTOCOL, ANSWER_LIMITS);
  try {
    frames.send(encodeQuestion(question));
    const bytes = (await frames.read(timeoutMs))?.subarray();
    if (!bytes) throw new AceError('PeerClosed', 'The peer did not answer about the broadcast');
    return decodeAnswer(bytes) as LiveAnswer;
  } finally {
    await frames.close();
  }
}
