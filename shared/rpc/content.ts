import type { DecimalAmount } from '../economy/money.ts';
import type { ErrorCode } from '../errors.ts';
import type { LiveView } from './live.ts';

/** One provider that a transfer uses, or used since the node started. */
export interface TransferProviderView {
  readonly account: string;
  readonly peerId: string;
  readonly state: 'connecting' | 'connected' | 'gone';
  /** As measured, over all contents that come from it; 0 before the first piece. */
  readonly bytesPerSecond: number;
  /** From a request to the beginning of its answer, when nothing else is under way. */
  readonly latencyMs: number;
  readonly pieces: number;
  readonly receivedBytes: number;
  readonly paidUnits: number;
}

/** A picture or a sound of a video. */
export interface TrackView {
  readonly kind: 'video' | 'audio';
  /** Of its codec, as people know it; `null` for one that this node does not know. */
  readonly name: string | null;
  /** What a browser can be asked whether it plays it: a MIME type with `codecs`. */
  readonly type: string | null;
}

/** What access to a content costs, and what of it this account has. */
export interface AccessView {
  /** What is bought: the content, or the broadcast. */
  readonly contentId: string;
  readonly seller: string;
  readonly premium: boolean;
  readonly priceXac: DecimalAmount;
  /** What one purchase lasts; 0: for ever. */
  readonly lastsMs: number;
  /** `own`: this account sells it. */
  readonly state: 'own' | 'open' | 'needed' | 'expired';
  /** When what was bought ends, or has ended; `null` for ever, and where nothing was bought. */
  readonly untilMs: number | null;
}

export interface ContentView {
  readonly contentId: string;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly haveBytes: number;
  readonly origin: 'imported' | 'fetched' | 'offered';
  readonly addedAtMs: number;
  /** Units sent to others, whether they are paid for or not yet. */
  readonly servedUnits: number;
  /** Never removed to make room for others. */
  readonly pinned: boolean;
  /** Neither announced nor sent to anybody, until its user shares it again. */
  readonly paused: boolean;
  /** The user's own file, which is served where it lies; `null` when the node has the bytes. */
  readonly sourcePath: string | null;
  /** Why it is not shared: that file was changed after its import, or is gone. */
  readonly trouble: 'changed' | 'missing' | null;
  /** Only of what is sold. */
  readonly access?: AccessView;
  /** Only of a live broadcast, which has no size. */
  readonly live?: LiveView;
}

/** Whether there is anything in it that a player plays: subtitles and covers are fetched, not played. */
export function isPlayable({ mimeType, live }: Pick<ContentView, 'mimeType' | 'live'>): boolean {
  return live !== undefined || /^(video|audio)\//.test(mimeType);
}

/** Of a folder, each file by its path. */
export interface FilesView {
  /** Videos and sounds. */
  readonly files: readonly string[];
  readonly leftOut: readonly { readonly path: string; readonly why: 'no-media' | 'unreadable' }[];
}

export interface TransferReason {
  readonly code: ErrorCode;
  readonly message: string;
  /** When it is expected to go on; left out where nobody knows. */
  readonly untilMs?: number;
}

/** One content that is being fetched, or was since the node started. */
export interface TransferView {
  readonly contentId: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly haveBytes: number;
  /**
   * It does not fit below `cacheBytes` beside what stays: what was played goes when room is needed, and comes, and is
   * paid, again by a player that jumps back to it.
   */
  readonly window: boolean;
  /** Somebody plays it, or it is downloaded, or something of it is on its way. */
  readonly wanted: boolean;
  readonly state: 'connecting' | 'fetching' | 'paused' | 'done' | 'failed';
  /** Why it is paused or failed; pages translate the code. */
  readonly reason: TransferReason | null;
  /** Account of the provider that sent last. */
  readonly provider: string | null;
  readonly providers: readonly TransferProviderView[];
  /** Pieces that came, and were paid, a second time, because the first provider was late with them. */
  readonly doubledPieces: number;
  /** The last provider that would not send another MiB for want of a payment, and the reason it gave. */
  readonly refusal: { readonly provider: string; readonly code: string } | null;
  readonly downBytesPerSecond: number;
  /** Time with requests under way since the node started: received bytes over it is the speed. */
  readonly fetchingMs: number;
  /** Units paid by ticks for this content since the node started. */
  readonly paidUnits: number;
  /** What these units cost at the current price; settlement decides the exact figure. */
  readonly costXac: DecimalAmount;
}
