/** What a broadcast is at this moment, in words. */

import { m } from '../../shared/i18n/compiled/messages.js';
import { isOnAir, type LiveView } from '../../shared/rpc/live.ts';
import { formatDateTime } from './time.ts';

export function liveWords(live: LiveView, watching: boolean, nowMs: number): string {
  if (live.ended) return m.library_live_ended();
  if (!isOnAir(live, nowMs)) return quietWords(live);
  if (watching) return m.library_live_watching();
  return live.own ? m.library_live_own() : m.library_live();
}

/** Its end may have been missed, or the network has not been asked yet. */
function quietWords({ heardAtMs }: LiveView): string {
  return heardAtMs === null
    ? m.library_broadcast()
    : m.library_live_quiet({ time: formatDateTime(heardAtMs) });
}
