/**
 * Which contents may be fetched beside each other below the limit of the disk. One that fits, beside what stays, is
 * kept whole, and several that do not fit together come one after the other. One that does not fit can still be played:
 * it gets a window, in which there is what its players need next; what lies behind them goes when the room is needed.
 */
import { PIECE_BYTES } from '../../shared/economy/units.ts';

export type Admission = 'whole' | 'window';

export interface AdmissionsContext {
  /** Bytes that are kept whatever comes: what is pinned or played, and is none of `except`. */
  readonly keptBytes: (except: (contentId: string) => boolean) => number;
  readonly isPinned: (contentId: string) => boolean;
  readonly isFetching: (contentId: string) => boolean;
  /** How many players, or others, read a content as it comes. */
  readonly readers: (contentId: string) => number;
}

interface Admitted {
  readonly kind: Admission;
  readonly sizeBytes: number;
}

/** A window is never smaller: what is played now, what comes next, and one that comes a second time. */
const LEAST_WINDOW_PIECES = 4;
/** So much is left to a window when another content wants to be kept whole. */
const LEFT_TO_WINDOW_PIECES = 16;
/** For pieces that are asked for twice. */
const SPARE_PIECES = 1;

export class Admissions {
  readonly #context: AdmissionsContext;
  readonly #admitted = new Map<string, Admitted>();

  constructor(context: AdmissionsContext) {
    this.#context = context;
  }

  /** Whether it was let in, and is still being fetched. */
  has(contentId: string): boolean {
    return this.#get(contentId) !== null;
  }

  isWindow(contentId: string): boolean {
    return this.#get(contentId)?.kind === 'window';
  }

  /** Contents of which only a window is kept. */
  windows(): string[] {
    return [...this.#admitted.keys()].filter((contentId) => this.isWindow(contentId));
  }

  /** Everything is decided anew. */
  clear(): void {
    this.#admitted.clear();
  }

  /** `null` when there is no room for it now. */
  admit(contentId: string, sizeBytes: number, limitBytes: number): Admission | null {
    const known = this.#get(contentId);
    const isRead = this.#context.readers(contentId) > 0;
    // A window is of no use to a download: it would lose one end while the other comes.
    if (known && (known.kind === 'whole' || isRead)) return known.kind;
    const kind = this.fitsWhole(contentId, sizeBytes, limitBytes)
      ? 'whole'
      : isRead && this.#fitsWindow(contentId, limitBytes)
        ? 'window'
        : null;
    if (kind) this.#admitted.set(contentId, { kind, sizeBytes });
    return kind;
  }

  /** Pieces that each of its readers may have from where it reads on; `null` for a content that is no window. */
  aheadPieces(contentId: string, limitBytes: number): number | null {
    const readers = this.#context.readers(contentId);
    if (readers === 0 || !this.isWindow(contentId)) return null;
    const windowPieces = this.#windowBytes(contentId, limitBytes) / PIECE_BYTES - SPARE_PIECES;
    return Math.max(1, Math.floor(windowPieces / readers));
  }

  /** Whether all of it has room beside what stays. */
  fitsWhole(contentId: string, sizeBytes: number, limitBytes: number): boolean {
    const windowBytes = this.windows()
      .filter((window) => window !== contentId)
      .reduce((sum, window) => sum + Math.min(LEFT_TO_WINDOW_PIECES * PIECE_BYTES, this.#sizeOf(window)), 0);
    return this.#stayingBytes(contentId) + windowBytes + sizeBytes <= limitBytes;
  }

  #get(contentId: string): Admitted | null {
    const known = this.#admitted.get(contentId);
    if (!known) return null;
    if (this.#context.isFetching(contentId)) return known;
    this.#admitted.delete(contentId);
    return null;
  }

  #fitsWindow(contentId: string, limitBytes: number): boolean {
    return (
      !this.#context.isPinned(contentId) &&
      this.#windowBytes(contentId, limitBytes) >= LEAST_WINDOW_PIECES * PIECE_BYTES
    );
  }

  /** All windows have the same share of what is left. */
  #windowBytes(contentId: string, limitBytes: number): number {
    const windows = new Set([...this.windows(), contentId]);
    return (limitBytes - this.#stayingBytes(contentId)) / windows.size;
  }

  /** What is kept beside the windows and this content. */
  #stayingBytes(contentId: string): number {
    let bytes = this.#context.keptBytes((other) => other === contentId || this.has(other));
    for (const [other, { kind, sizeBytes }] of this.#admitted)
      if (other !== contentId && kind === 'whole' && this.has(other)) bytes += sizeBytes;
    return bytes;
  }

  #sizeOf(contentId: string): number {
    return this.#admitted.get(contentId)?.sizeBytes ?? 0;
  }
}
