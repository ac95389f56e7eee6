/** A piece that a viewer asks for: the request, what comes back, and what may go wrong. */
import { AceError, isAceError } from '../../shared/errors.ts';
import type { TransportFile } from '../content/transport-file.ts';
import type { Message } from './messages.ts';

/** A piece that is stored and paid, and when it came: `performance.now()`, in milliseconds. */
export interface ArrivedFrom extends FetchedPiece {
  readonly askedAtMs: number;
  readonly beganAtMs: number;
  readonly endedAtMs: number;
}

export interface FetchOptions {
  /** Largest lease to ask for when a channel has to be opened, in units. */
  readonly wantedUnits: () => number;
  /** The request has left, and can be paid. */
  readonly onAsked?: () => void;
  /** Aborted: the piece is not wanted any more. It may still come, if the provider has begun with it. */
  readonly signal?: AbortSignal;
}

/** A content of which nothing is known but its id. */
export interface Question {
  readonly contentId: string;
  /** The piece to send along with the transport file; `null` when none is wanted, or none can be paid. */
  readonly pieceIndex: number | null;
  /**
   * The provider's answer, `null` when it has none or the stream ends before. Checks and stores the transport file
   * before it gives the request that the piece answers; `null` when its piece is not wanted.
   * @throws AceError what is wrong with the file: the stream ends
   */
  readonly learned: (transport: Uint8Array | null) => PieceRequest | null;
  readonly signal?: AbortSignal;
}

/** Whether the provider may be asked again later; what it did is no fault of its own. */
export function isProviderFault(error: unknown): boolean {
  return error instanceof AceError && error.reaction === 'drop-peer' && !isAceError(error, 'RequestTimeout');
}

/** A provider's word that it does not serve a request: its code is no word of our own shard or disk. */
export class ProviderRefusal extends AceError {}

export function withdrawn(): AceError {
  return new AceError('Withdrawn', 'The piece is not wanted from this provider any more');
}

/** What a stream's end makes of a message that does not follow from those before. */
export function unexpected(sender: 'viewer' | 'provider', message: Pick<Message, 'type'> | null): AceError {
  return new AceError('MessageUnexpected', `The ${sender} sent ${message?.type ?? 'nothing'} out of turn`, {
    reaction: 'drop-peer',
  });
}

export interface PieceRequest {
  readonly contentId: string;
  readonly file: TransportFile;
  readonly pieceIndex: number;
  /** Whether it is for viewing: only that counts for the network's traffic rate. */
  readonly video: boolean;
}

export interface FetchedPiece {
  readonly pieceIndex: number;
  readonly bytes: number;
  /** Units paid for it; 0 when the piece before had paid for the whole unit already, or between own devices. */
  readonly paidUnits: number;
}
