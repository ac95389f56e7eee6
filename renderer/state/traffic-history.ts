/** What was paid in the last minute and a half, one sample a second. */
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';

export const HISTORY_SECONDS = 90;

export interface TrafficSample {
  readonly atMs: number;
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
  /** Units paid since the sample before. */
  readonly paidUnits: number;
  /** Price of a GB at that moment; `null` while unknown. */
  readonly xacPerGb: string | null;
}

/** The samples with one more; the oldest goes when there are enough. */
export function addSample(
  samples: readonly TrafficSample[],
  snapshot: NodeSnapshot,
  paidBeforeUnits: number,
  atMs: number,
): readonly TrafficSample[] {
  const sample: TrafficSample = {
    atMs,
    downBytesPerSecond: snapshot.traffic.downBytesPerSecond,
    upBytesPerSecond: snapshot.traffic.upBytesPerSecond,
    paidUnits: Math.max(0, paidUnits(snapshot) - paidBeforeUnits),
    xacPerGb: snapshot.price?.xacPerGb ?? null,
  };
  return [...samples.slice(1 - HISTORY_SECONDS), sample];
}

/** Units paid for everything that was fetched since the node started. */
export function paidUnits(snapshot: NodeSnapshot): number {
  return snapshot.transfers.reduce((sum, transfer) => sum + transfer.paidUnits, 0);
}
