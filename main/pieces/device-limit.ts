/** How much one device may begin and ask of a provider, over all its streams. */
import type { Connection } from '@libp2p/interface';
import { AceError } from '../../shared/errors.ts';
import type { FreeUpload } from '../p2p/free-upload.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { ACCESS_RATE, SMALL_PIECE_RATE, VISIT_RATE } from './constants.ts';
import { ASK_RATE } from './have-notifier.ts';

/** Of each device, over all its streams. */
export interface DeviceRates {
  /** Streams and channels begun. */
  readonly visits: KeyedRateLimiter;
  /** Contents asked about. */
  readonly asks: KeyedRateLimiter;
  /** Pieces that pay less than they cost. */
  readonly smallPieces: KeyedRateLimiter;
  /** Certificates of access shown. */
  readonly access: KeyedRateLimiter;
}

export function deviceRates(): DeviceRates {
  const clock = () => performance.now();
  return {
    visits: new KeyedRateLimiter(VISIT_RATE, clock),
    asks: new KeyedRateLimiter(ASK_RATE, clock),
    smallPieces: new KeyedRateLimiter(SMALL_PIECE_RATE, clock),
    access: new KeyedRateLimiter(ACCESS_RATE, clock),
  };
}

/** How much the viewer's device may still begin and ask. */
export interface DeviceLimit {
  checkVisit(): void;
  /** Counts a certificate that the viewer shows. @throws AceError `TooManyRequests` */
  checkShown(): void;
  mayAsk(): boolean;
  /** Whether it may have so many bytes for nothing; counts them, if so. */
  mayHave(bytes: number): boolean;
  smallPieceAsked(): void;
  smallPieceWaitMs(): number;
}

export function deviceLimit(
  connection: Connection,
  { visits, asks, smallPieces, access }: DeviceRates,
  freeUpload: FreeUpload,
): DeviceLimit {
  const peerId = connection.remotePeer.toString();
  return {
    // A device that begins too much is not listened to: its connection is free, what it asks for is not.
    checkVisit: () => {
      if (visits.take(peerId).retryAfterMs === 0) return;
      throw new AceError('TooManyRequests', 'The device begins too many streams and channels', {
        reaction: 'drop-peer',
      });
    },
    checkShown: () => {
      if (access.take(peerId).retryAfterMs === 0) return;
      throw new AceError('TooManyRequests', 'The device shows certificates of access without end', {
        reaction: 'drop-peer',
      });
    },
    mayAsk: () => asks.take(peerId).retryAfterMs === 0,
    mayHave: (bytes) => {
      if (freeUpload.retryAfterMs(connection) > 0) return false;
      freeUpload.charge(connection, bytes);
      return true;
    },
    smallPieceAsked: () => smallPieces.charge(peerId, 1),
    smallPieceWaitMs: () => smallPieces.retryAfterMs(peerId),
  };
}
