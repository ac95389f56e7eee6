/** What a broadcast is at this moment, in words. */
import { isOnAir, type LiveView } from '../../shared/rpc-live.ts';
import { formatDateTime } from './time.ts';

export function liveWords(live: LiveView, watching: boolean, nowMs: number): string {
  const what = live.ended ? 'live, has ended' : isOnAir(live, nowMs) ? 'live' : quietWords(live);
  if (watching) return `${what} · watching`;
  return live.own ? `${what} · yours` : what;
}

/** Its end may have been missed, or nobody has asked yet. */
function quietWords({ heardAtMs }: LiveView): string {
  return heardAtMs === null ? 'broadcast' : `broadcast, last heard of ${formatDateTime(heardAtMs)}`;
}
