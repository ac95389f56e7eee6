/**
 * Which piece is asked for next, and from whom. Pure: no clock, no I/O; times are milliseconds from now.
 *
 * Pieces that a player will need come first, nearest first, then those that the fewest providers have. A piece goes to
 * the provider that is expected to finish it first, with what is asked there already. One that would be late at every
 * provider that has time stays for the fast one: a slow provider helps with what is not urgent, and never holds up the
 * picture or the end of a download.
 */
import { PIECE_BYTES } from '../../shared/economy/units.ts';

/** A piece that is missing and not asked for. */
export interface Want {
  readonly pieceIndex: number;
  readonly bytes: number;
  /** When a player needs it, from now; `Infinity` when nobody waits for it. */
  readonly deadlineMs: number;
  /** Somebody watches and needs it: only such traffic counts for the network's traffic rate. */
  readonly video: boolean;
}

/** A provider with a stream, as its measurements and its queue are now. */
export interface AvailableProvider {
  readonly id: string;
  /** `null` while nothing has come from it. */
  readonly bytesPerMs: number | null;
  readonly latencyMs: number;
  /** Asked there and not here yet, for all contents. */
  readonly outstandingBytes: number;
  readonly outstandingPieces: number;
  /** How long it has owed something and sent nothing. */
  readonly silentMs: number;
  has(pieceIndex: number): boolean;
}

export interface Assignment {
  readonly want: Want;
  readonly providerId: string;
  /** When it should be here, from now. */
  readonly expectedMs: number;
}

/** What is expected of a provider that was never measured: about 8 Mbit/s. */
export const ASSUMED_BYTES_PER_MS = 1_000;
/** Requests to a provider alone that was never measured: as many as the widest window. */
export const ALONE_PIECES = 8;
/** Requests to one that was never measured, beside others. */
const PROBE_PIECES = 1;
/** Requests at one provider: more than the widest window, so that it is never idle. */
export const MAX_PIECES = 16;
/** A provider has as much to do as it sends in so long, beside its round trip: more would only be late after a jump. */
const QUEUE_MS = 500;
/** Silence from here on counts against a provider. */
const SILENT_MS = 750;
/** A request for what nobody waits for may take so many times as long as all the rest with the others. */
const END_FACTOR = 1;
/** Of its time until the deadline a request may be expected to take so much. */
const DEADLINE_SHARE = 0.5;

/** Wants that are looked at for one answer: those that only a full provider has are passed over. */
const LOOK_AHEAD = 256;

/** The speed to reckon with: a provider that has gone silent counts as slow as its silence is long. */
export function speedOf({ bytesPerMs, silentMs, outstandingPieces }: AvailableProvider): number {
  const measured = bytesPerMs ?? ASSUMED_BYTES_PER_MS;
  if (outstandingPieces === 0 || silentMs < SILENT_MS) return measured;
  return Math.min(measured, PIECE_BYTES / silentMs);
}

/** When `bytes` more would be here, from now. */
export function finishMs(provider: AvailableProvider, bytes: number): number {
  const silent = provider.outstandingPieces > 0 && provider.silentMs >= SILENT_MS ? provider.silentMs : 0;
  return silent + provider.latencyMs + (provider.outstandingBytes + bytes) / speedOf(provider);
}

/** Requests that the provider should have at once. */
export function depthOf(provider: AvailableProvider, alone: boolean): number {
  if (provider.bytesPerMs === null) return alone ? ALONE_PIECES : PROBE_PIECES;
  const bytes = speedOf(provider) * (2 * provider.latencyMs + QUEUE_MS);
  return Math.min(MAX_PIECES, Math.max(2, Math.ceil(bytes / PIECE_BYTES) + 1));
}

/** Requests that all of them could take now. */
export function roomAt(providers: readonly AvailableProvider[]): number {
  const room = (provider: AvailableProvider) =>
    depthOf(provider, providers.length === 1) - provider.outstandingPieces;
  return providers.reduce((sum, provider) => sum + Math.max(0, room(provider)), 0);
}

/**
 * What to ask for now. `wants` come in the order of need; no more of them is looked at than there is to give away.
 * @param missingBytes all that is still to be asked for: how long the others would take for the rest
 */
export function assign(
  wants: Iterable<Want>,
  providers: readonly AvailableProvider[],
  missingBytes: number,
): Assignment[] {
  const measured = providers.filter(({ bytesPerMs }) => bytesPerMs !== null);
  const queues = [...providers];
  const free = (queue: AvailableProvider) => queue.outstandingPieces < depthOf(queue, providers.length === 1);
  const assignments: Assignment[] = [];
  let leftBytes = missingBytes;
  let looked = 0;
  for (const want of wants) {
    if (!queues.some(free) || looked++ > LOOK_AHEAD) break;
    const having = queues.filter((queue) => queue.has(want.pieceIndex));
    const best = quickest(having, want.bytes);
    if (!best) continue;
    const chosen = free(best) ? best : quickest(having.filter(free), want.bytes);
    if (!chosen) continue;
    const expectedMs = finishMs(chosen, want.bytes);
    const mayBeLate = chosen !== best && !isInTime(want, expectedMs, restMs(measured, leftBytes));
    // A provider that was never measured is tried with what is not urgent, while there is one that was.
    const risky = chosen.bytesPerMs === null && measured.some((m) => m.has(want.pieceIndex));
    if (mayBeLate || (risky && want.deadlineMs < 4 * expectedMs)) continue;
    assignments.push({ want, providerId: chosen.id, expectedMs });
    leftBytes -= want.bytes;
    const at = queues.indexOf(chosen);
    queues[at] = {
      ...chosen,
      outstandingBytes: chosen.outstandingBytes + want.bytes,
      outstandingPieces: chosen.outstandingPieces + 1,
      has: (pieceIndex) => chosen.has(pieceIndex),
    };
  }
  return assignments;
}

function isInTime({ deadlineMs }: Want, expectedMs: number, restOfAllMs: number): boolean {
  return deadlineMs === Number.POSITIVE_INFINITY
    ? expectedMs <= END_FACTOR * restOfAllMs
    : expectedMs <= DEADLINE_SHARE * deadlineMs;
}

/** How long all measured providers would take for so much, together. */
function restMs(measured: readonly AvailableProvider[], bytes: number): number {
  const outstanding = measured.reduce((sum, provider) => sum + provider.outstandingBytes, 0);
  const speed = measured.reduce((sum, provider) => sum + speedOf(provider), 0);
  return speed === 0 ? Number.POSITIVE_INFINITY : (outstanding + bytes) / speed;
}

function quickest<S extends AvailableProvider>(providers: readonly S[], bytes: number): S | null {
  let best: S | null = null;
  for (const provider of providers) {
    if (!best || finishMs(provider, bytes) < finishMs(best, bytes)) best = provider;
  }
  return best;
}

/** A request that has not been answered in full. */
export interface Pending {
  readonly pieceIndex: number;
  readonly bytes: number;
  readonly providerId: string;
  readonly deadlineMs: number;
  /** How long ago it was asked for, and how long it was expected to take then. */
  readonly elapsedMs: number;
  readonly expectedMs: number;
  /** Its provider was asked to forget it. */
  readonly withdrawn: boolean;
  /** It is asked for elsewhere as well. */
  readonly doubled: boolean;
}

/** What is done about a request that is late: have it withdrawn, or ask another provider as well. */
export type Remedy =
  | { readonly kind: 'withdraw'; readonly pending: Pending }
  | { readonly kind: 'double'; readonly pending: Pending; readonly providerId: string };

/** Less than this is never late. */
const LATE_MS = 500;
const LATE_FACTOR = 2;
/** A provider that was asked to forget a request has so long to confirm it. */
const WITHDRAW_MS = 300;

/**
 * What to do about requests that are late: those that took far longer than expected while somebody waits, or while
 * another provider would be through by now. They are withdrawn first, which costs nothing. One that its provider does
 * not give back, because it is silent or has begun, is asked for elsewhere as well: both may come and be paid, so only
 * one at a time, and only one that holds up a player or the end of a download.
 */
export function remedies(
  pending: readonly Pending[],
  providers: readonly AvailableProvider[],
  allAsked: boolean,
): Remedy[] {
  const remedies: Remedy[] = [];
  let doubled = pending.some((request) => request.doubled);
  for (const request of pending) {
    const blocks = request.deadlineMs <= 0 || (allAsked && request.deadlineMs === Number.POSITIVE_INFINITY);
    const own = providers.find(({ id }) => id === request.providerId);
    // A silent provider's confirmation is not waited for, either.
    const silent = own !== undefined && own.silentMs >= SILENT_MS;
    const limitMs = lateMs(request, blocks, silent);
    const other = betterFor(request, own, providers);
    if (!other || request.doubled || request.elapsedMs < limitMs) continue;
    if (!request.withdrawn) remedies.push({ kind: 'withdraw', pending: request });
    else if (blocks && !doubled && (silent || request.elapsedMs >= limitMs + WITHDRAW_MS)) {
      remedies.push({ kind: 'double', pending: request, providerId: other.id });
      doubled = true;
    }
  }
  return remedies;
}

function lateMs({ expectedMs }: Pending, blocks: boolean, silent: boolean): number {
  if (silent) return LATE_MS;
  return Math.max(LATE_MS, (blocks ? 1.5 : LATE_FACTOR * 2) * expectedMs);
}

/** A measured provider that would have the piece before the one that was asked. */
function betterFor(
  request: Pending,
  own: AvailableProvider | undefined,
  providers: readonly AvailableProvider[],
): AvailableProvider | null {
  const others = providers.filter(
    (provider) =>
      provider.id !== request.providerId &&
      provider.bytesPerMs !== null &&
      provider.silentMs < SILENT_MS &&
      provider.has(request.pieceIndex),
  );
  const best = quickest(others, request.bytes);
  if (!best) return null;
  if (!own) return best;
  const leftMs = own.silentMs >= SILENT_MS ? finishMs(own, 0) : request.elapsedMs;
  return finishMs(best, request.bytes) < leftMs ? best : null;
}
