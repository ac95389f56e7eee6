/** What a player's session is about, a file or a broadcast, as far as its figures go. */
import type { AceError } from '../../shared/errors.ts';
import type { Watch } from '../live/watch.ts';
import type { Transfer, TransferState } from '../transfer/transfer.ts';
import type { Progress } from './session-meter.ts';

export interface Playing {
  /** What counts up. */
  readonly progress: Progress;
  readonly state: TransferState;
  readonly reason: AceError | null;
  readonly peers: number;
  /** Of the whole, 0 to 100; 0 of what has no size. */
  readonly percent: number;
  readonly isLive: boolean;
}

export function playingFile(transfer: Transfer): Playing {
  return {
    progress: transfer,
    state: transfer.state,
    reason: transfer.reason,
    peers: connected([transfer]),
    percent: Math.floor((transfer.haveBytes / transfer.file.sizeBytes) * 100),
    isLive: false,
  };
}

export function playingLive(watch: Watch): Playing {
  const { transfers, trouble } = watch;
  const paused = transfers.find(({ state }) => state === 'paused');
  const waits = trouble !== null || transfers.length === 0;
  return {
    progress: watch,
    state: paused ? 'paused' : waits ? 'connecting' : 'fetching',
    reason: paused?.reason ?? trouble,
    peers: connected(transfers),
    percent: 0,
    isLive: true,
  };
}

/** Providers with a session, each once. */
function connected(transfers: readonly Transfer[]): number {
  const peers = transfers.flatMap(({ providers }) => providers.filter(({ state }) => state === 'connected'));
  return new Set(peers.map(({ peerId }) => peerId)).size;
}
