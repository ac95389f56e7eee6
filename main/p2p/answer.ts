/**
 * The one answer of a stream with one question: bytes that prove themselves, or why there are none. The first byte says
 * which: 1, then the bytes; 0, then the error's code and figures as dag-cbor.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { Uint8ArrayList } from 'uint8arraylist';
import { hasAtMostItems } from '../../shared/bounded-cbor.ts';
import { AceError } from '../../shared/errors.ts';
import { remoteError } from './requests.ts';

const REFUSED = 0;
const ANSWERED = 1;
/** A code, and a few figures. */
const MAX_REFUSAL_ITEMS = 32;

/** Bytes of an answer beside what is asked for. */
export const ANSWER_OVERHEAD_BYTES = 1;

export function answerOf(bytes: Uint8Array): Uint8ArrayList {
  return new Uint8ArrayList(Uint8Array.of(ANSWERED), bytes);
}

export function refusalOf({ code, details }: AceError): Uint8ArrayList {
  return new Uint8ArrayList(Uint8Array.of(REFUSED), dagCbor.encode({ code, details: { ...details } }));
}

/** @throws AceError with the peer's code, `MessageMalformed` */
export function readAnswer(frame: Uint8Array): Uint8Array {
  const body = frame.subarray(ANSWER_OVERHEAD_BYTES);
  if (frame[0] === ANSWERED) return body;
  if (frame[0] === REFUSED && hasAtMostItems(body, MAX_REFUSAL_ITEMS)) throw refusal(body);
  throw malformed();
}

function refusal(body: Uint8Array): AceError {
  try {
    return remoteError(dagCbor.decode(body));
  } catch (cause) {
    return malformed(cause);
  }
}

function malformed(cause?: unknown): AceError {
  return new AceError('MessageMalformed', 'The answer of a peer is malformed', {
    reaction: 'drop-peer',
    ...(cause !== undefined && { cause }),
  });
}
