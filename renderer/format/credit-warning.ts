/** Whether what is left to watch with is about to end, while there is still time to do something about it. */
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import { type RunOut, runOut } from './run-out.ts';

/** Part of the credit that is left when it is said. */
const LOW_SHARE = 1 / 5;

/** `null` while there are funds, or credit enough, or none at all: then peers have paused, which is said otherwise. */
export function creditEndsSoon(snapshot: NodeSnapshot): RunOut | null {
  const lasts = runOut(snapshot);
  if (lasts === null || lasts.fundsUnits > 0 || lasts.creditUnits <= 0) return null;
  return lasts.creditUnits <= snapshot.credit.limitUnits * LOW_SHARE ? lasts : null;
}
