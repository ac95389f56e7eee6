/** Questions and answers about a broadcast, one of each to a stream. */
import * as dagCbor from '@ipld/dag-cbor';
import { tuple } from '../../../../shared/channel/tuple.ts';
import { isCount } from '../../../../shared/count.ts';
import { AceError, type ErrorCode } from '../../../../shared/errors.ts';
import { isContentId } from '../../../../shared/live/records.ts';
import { remoteError } from '../../requests.ts';
import { MAX_CONTENTS_ASKED, MAX_RECORDS_ASKED } from './constants.ts';

export type LiveQuestion =
  /** The newest `limit` records with a number above `after`; −1 for any. */
  | {
      readonly type: 'records';
      readonly broadcast: string;
      readonly after: number;
      readonly limit: number;
    }
  /** Which of these contents the peer has whole. */
  | { readonly type: 'holds'; readonly contentIds: readonly string[] };

const ASK_TAG = 'ace-live-ask-1';
const ANSWER_TAG = 'ace-live-answer-1';

export function encodeQuestion(question: LiveQuestion): Uint8Array {
  return question.type === 'records'
    ? dagCbor.encode([ASK_TAG, question.type, [question.broadcast, question.after, question.limit]])
    : dagCbor.encode([ASK_TAG, question.type, question.contentIds]);
}

/** @throws AceError `MessageMalformed` */
export function decodeQuestion(bytes: Uint8Array): LiveQuestion {
  const [, type, parts] = tuple(bytes, ASK_TAG, 3, 'question about a broadcast');
  if (!Array.isArray(parts)) throw malformed();
  if (type === 'records') {
    const [broadcast, after, limit] = parts as unknown[];
    const valid =
      parts.length === 3 &&
      isContentId(broadcast) &&
      (isCount(after) || after === -1) &&
      isCount(limit) &&
      limit >= 1 &&
      limit <= MAX_RECORDS_ASKED;
    if (!valid) throw malformed();
    return { type, broadcast: broadcast as string, after: after as number, limit: limit as number };
  }
  if (type !== 'holds' || parts.length > MAX_CONTENTS_ASKED || !parts.every(isContentId)) throw malformed();
  return { type, contentIds: parts };
}

/** Records, or one flag for each content that was asked about. */
export type LiveAnswer = readonly Uint8Array[] | readonly boolean[];

export function encodeAnswer(answer: LiveAnswer): Uint8Array {
  return dagCbor.encode([ANSWER_TAG, null, answer]);
}

/** An error crosses as its code and figures only. */
export function encodeRefusal({ code, details }: AceError): Uint8Array {
  return dagCbor.encode([ANSWER_TAG, { code, details: { ...details } }, []]);
}

/** @throws AceError `MessageMalformed`, or with the peer's code */
export function decodeAnswer(bytes: Uint8Array): readonly unknown[] {
  const [, error, answer] = tuple(bytes, ANSWER_TAG, 3, 'answer about a broadcast');
  if (error !== null) throw remoteError(error);
  if (!Array.isArray(answer)) throw malformed();
  return answer;
}

export function unexpectedAnswer(code: ErrorCode = 'MessageMalformed'): AceError {
  return new AceError(code, 'The answer of a peer about a broadcast is malformed', {
    reaction: 'drop-peer',
  });
}

function malformed(): AceError {
  return new AceError('MessageMalformed', 'The question about a broadcast is malformed', {
    reaction: 'drop-peer',
  });
}
