/**
 * Whether, and when, another piece may be asked for. Asking late is what keeps a download below its cap: a piece that was
 * asked for comes as fast as its provider sends, is paid for at once, and never waits until somebody's time is up.
 */
import { AceError } from '../../shared/errors.ts';
import type { PieceStore } from '../content/piece-store.ts';
import { ByteRateLimiter } from './byte-rate-limiter.ts';
import type { UserLimits } from './user-limits.ts';

export interface PieceWanted {
  readonly contentId: string;
  /** At most. */
  readonly bytes: number;
  /** Somebody waits for it at a player. */
  readonly urgent: boolean;
}

export interface Permit {
  /** The piece is here (its bytes), or will not come (0). Call it once, however the request ends. */
  done(receivedBytes: number): void;
}

export class DownloadBudget {
  readonly #limits: UserLimits;
  readonly #pieces: PieceStore;
  readonly #rateLimiter: ByteRateLimiter;
  readonly #unsubscribe: () => void;
  /** Bytes permitted and not received. */
  #aheadBytes = 0;

  constructor(limits: UserLimits, pieces: PieceStore) {
    this.#limits = limits;
    this.#pieces = pieces;
    this.#rateLimiter = new ByteRateLimiter(() => limits.rate('download'));
    this.#unsubscribe = limits.onChange(() => this.#rateLimiter.changed());
  }

  /**
   * Resolves when the piece may be asked for: there is room for it, and the cap has waited for it.
   * @throws AceError `TrafficStopped`, `CacheFull`, `StoreFailed` (the disk takes nothing): each lasts until the user
   *   does something, or the clock
   */
  async mayRequest({ contentId, bytes, urgent }: PieceWanted, signal?: AbortSignal): Promise<Permit> {
    this.#refuseStopped(bytes);
    this.#pieces.cache.admit(contentId);
    await this.#pieces.ensureWritable();
    const letGo = this.#pieces.cache.hold(contentId);
    try {
      const release = await this.#pieces.cache.reserve(contentId, bytes, signal);
      try {
        if (!(await this.#rateLimiter.take(bytes, urgent, signal))) {
          throw new AceError('PeerClosed', 'The transfer was stopped');
        }
        this.#refuseStopped(bytes);
      } catch (error) {
        release(0);
        throw error;
      }
      this.#aheadBytes += bytes;
      return this.#permit(bytes, release, letGo);
    } catch (error) {
      letGo(false);
      throw error;
    }
  }

  close(): void {
    this.#unsubscribe();
  }

  #permit(bytes: number, release: (writtenBytes: number) => void, letGo: (isUsed: boolean) => void): Permit {
    let isDone = false;
    return {
      done: (receivedBytes) => {
        if (isDone) return;
        isDone = true;
        this.#aheadBytes -= bytes;
        release(receivedBytes);
        letGo(receivedBytes > 0);
        if (receivedBytes < bytes) this.#rateLimiter.giveBack(bytes - receivedBytes);
      },
    };
  }

  #refuseStopped(bytes: number): void {
    // With this piece the data of the day would be used up to the last byte: that is still allowed.
    const stop = this.#limits.stop('download', this.#aheadBytes + bytes - 1);
    if (stop) throw new AceError('TrafficStopped', stop.message, { details: { reason: stop.reason } });
  }
}
