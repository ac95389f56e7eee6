/** What a player's session learns of its content: the figures of the Ace Stream API, and what was paid. */
import { formatAmount } from '../../shared/economy/money.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import type { Ratio } from '../../shared/economy/ratio.ts';
import type { Playing } from './playing.ts';
import type { SessionFigures } from './session-meter.ts';

/** What the account pays with; `null` while its shard has not been heard of. */
export interface PaymentFigures {
  readonly unitPriceXac: Ratio;
  readonly creditUsedUnits: number;
  readonly creditLimitUnits: number;
}

/** Of the states that the Ace Stream API knows. */
export type PlayerStatus = 'idle' | 'prebuf' | 'dl' | 'wait' | 'err';

const KIB = 1_024;

/** Speeds in KiB/s, amounts of bytes in bytes, as the Ace Stream API has them; `payment` is ours. */
export function statOf(
  playing: Playing,
  session: { readonly id: string; readonly contentId: string; readonly streams: number },
  figures: SessionFigures,
  payment: PaymentFigures | null,
) {
  const { paidUnits } = figures;
  return {
    status: statusOf(playing, session.streams),
    status_text: playing.reason?.message ?? null,
    peers: playing.peers,
    speed_down: Math.round(figures.downBytesPerSecond / KIB),
    speed_up: Math.round(figures.upBytesPerSecond / KIB),
    downloaded: figures.downBytes,
    uploaded: figures.upBytes,
    total_progress: playing.percent,
    is_live: playing.isLive ? 1 : 0,
    is_encrypted: 0,
    infohash: null,
    content_id: session.contentId,
    playback_session_id: session.id,
    client_session_id: -1,
    selected_file_index: 0,
    payment: {
      /** Units of 1 MiB, paid since the session began. */
      paid_units: paidUnits,
      unit_price_xac: payment && formatAmount(priceOfUnits(1, payment.unitPriceXac)),
      /** At the current price; the settlement has the exact figure. */
      spent_xac: payment && formatAmount(priceOfUnits(paidUnits, payment.unitPriceXac)),
      credit_used_units: payment?.creditUsedUnits ?? null,
      credit_limit_units: payment?.creditLimitUnits ?? null,
    },
  };
}

function statusOf({ state, isLive }: Playing, streams: number): PlayerStatus {
  if (state === 'failed') return 'err';
  if (state === 'paused') return 'wait';
  // Players of a broadcast ask for one segment after another, and hold no stream.
  if (streams === 0 && !isLive) return 'idle';
  return state === 'connecting' ? 'prebuf' : 'dl';
}
