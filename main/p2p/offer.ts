/** What a peer tells of one content to those who ask for it by its id. */
import { isCount } from '../../shared/count.ts';
import { AceError } from '../../shared/errors.ts';

/**
 * `unknown`: not here, or not for others. Stopped: it is here, and not sent for now, for so many milliseconds where that ends
 * by itself. Whether its user has paused this one title or all of them is nobody else's business.
 */
export type Offer = 'offered' | 'unknown' | { readonly stoppedForMs: number | null };

/** A month, and a day in which the clock is put back. */
export const MAX_STOPPED_FOR_MS = 32 * 86_400_000;

/** `ContentUnknown`, `ProviderStopped` */
export function whyNotOffered(offer: Exclude<Offer, 'offered'>): AceError {
  if (offer === 'unknown') return new AceError('ContentUnknown', 'This content is not offered here');
  const { stoppedForMs } = offer;
  return new AceError('ProviderStopped', 'This content is not sent from here for now', {
    details: stoppedForMs === null ? {} : { forMs: Math.min(stoppedForMs, MAX_STOPPED_FOR_MS) },
  });
}

/** When a peer that said `ProviderStopped` sends again; `null` where it did not say, or what it said cannot be. */
export function stoppedUntilMs({ details }: AceError, nowMs: number): number | null {
  const { forMs } = details;
  return isCount(forMs) && forMs <= MAX_STOPPED_FOR_MS ? nowMs + forMs : null;
}
