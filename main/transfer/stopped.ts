/** Providers that have a content and do not send it for now. */
import { AceError } from '../../shared/errors.ts';

export interface Stopped {
  /** `null`: it did not say. */
  readonly untilMs: number | null;
}

/** `ProviderStopped`, until the first of them goes on, as far as one said when. */
export function stoppedProviders(stops: readonly Stopped[]): AceError {
  const untilMs = Math.min(...stops.map((stop) => stop.untilMs ?? Number.POSITIVE_INFINITY));
  if (!Number.isFinite(untilMs)) {
    return new AceError(
      'ProviderStopped',
      'The peer that has this content does not share it for now: it comes when that peer, or another one, does',
    );
  }
  return new AceError(
    'ProviderStopped',
    `The peer that has this content has reached a limit of its own and sends nothing until ${new Date(untilMs).toISOString()}: it comes after that, or from another peer before`,
    { details: { untilMs } },
  );
}
