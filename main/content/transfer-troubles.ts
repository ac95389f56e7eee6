/** What a transfer makes of the errors that it meets, by their codes. */
import type { ErrorCode } from '../../shared/errors.ts';

/** Troubles that last until the user does something, or the clock: no provider is kept meanwhile. */
export const RESTING: ReadonlySet<ErrorCode> = new Set(['TrafficStopped', 'CacheFull']);
/** Troubles that another provider would not end. */
export const PAUSING: ReadonlySet<ErrorCode> = new Set([
  'CreditExhausted',
  'DeviceDisputed',
  'StoreFailed',
  ...RESTING,
]);
/** Refusals after which the provider's channel may well be in order. */
export const HARMLESS: ReadonlySet<ErrorCode> = new Set([
  'ContentUnknown',
  'FileUnreadable',
  'ContentChanged',
  'FileMissing',
  'ProviderBusy',
]);
