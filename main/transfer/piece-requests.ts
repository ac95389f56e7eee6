/**
 * What a transfer asks of its providers: at each look it takes a permit for each piece, asks the provider that the picker names,
 * asks elsewhere for what is late, and says why when nothing can be asked for.
 */
import { PIECE_BYTES, pieceLength } from '../../shared/economy/units.ts';
import type { AceError } from '../../shared/errors.ts';
import type { TransportFile } from '../content/transport-file.ts';
import type { Log } from '../process/log.ts';
import type { Arrivals } from './arrivals.ts';
import type { FirstPiece } from './asking.ts';
import type { Demand } from './demand.ts';
import type { Flight, Flights } from './flights.ts';
import type { Holdings } from './holdings.ts';
import type { Permits } from './permits.ts';
import {
  ASSUMED_BYTES_PER_MS,
  type AvailableProvider,
  assign,
  remedies,
  roomAt,
  speedOf,
  type Want,
} from './picker.ts';
import type { Member, TransferProviders } from './providers.ts';
import type { RareFirst } from './rare-first.ts';
import type { StreamPool, StreamUser } from './stream-pool.ts';
import type { TransferStatus } from './transfer-status.ts';

/** A second provider is worth its channel from so many pieces on, a third from twice as many. */
const PIECES_EACH = 4;
/** Beyond so many missing pieces all providers that are allowed are worth it anyway. */
const MAX_PIECES_COUNTED = 64;

/** A provider that would not send for want of a payment, and its words. */
export interface Refusal {
  readonly provider: string;
  readonly code: string;
}

interface RequestContext {
  readonly log: Log;
  readonly pool: StreamPool;
  /** Why nothing of a content may be asked for now; `null` when it may. */
  readonly accessTrouble: (contentId: string) => AceError | null;
  readonly onChange: () => void;
}

/** The transfer that asks. */
interface AskingTransfer {
  readonly contentId: string;
  readonly file: TransportFile;
  readonly user: StreamUser;
  readonly holdings: Holdings;
  readonly demand: Demand;
  readonly providers: TransferProviders;
  readonly permits: Permits;
  readonly flights: Flights;
  readonly arrivals: Arrivals;
  readonly rareFirst: RareFirst;
  readonly status: TransferStatus;
}

export class PieceRequests {
  /** The last provider that would not send for want of a payment. */
  refusal: Refusal | null = null;
  readonly #context: RequestContext;
  readonly #transfer: AskingTransfer;

  constructor(context: RequestContext, transfer: AskingTransfer) {
    this.#context = context;
    this.#transfer = transfer;
  }

  /** One look at everything: never waits. */
  look(wants: boolean): void {
    const { contentId, demand, flights, holdings, permits, providers, rareFirst, status } = this.#transfer;
    demand.passOver((index) => holdings.has(index));
    providers.abandonSilent();
    const closed = wants ? this.#context.accessTrouble(contentId) : null;
    if (closed) {
      // Nobody is connected to for it, and what is under way is served as far as it was asked for in time.
      status.set('paused', closed);
      permits.giveBack();
      return;
    }
    const wanted = Math.min(holdings.missing, MAX_PIECES_COUNTED);
    // No provider is connected to before something may be asked for.
    if (wants && (permits.count > 0 || flights.size > 0))
      providers.tend(1 + Math.floor(wanted / PIECES_EACH));
    const available = providers.forPicker();
    // One at least: what is late may have to be asked for elsewhere.
    permits.want(wants ? Math.max(1, this.#permitsFor(available)) : 1, demand.hasReaders);
    rareFirst.apply(demand, providers);
    const speed = available.reduce((sum, provider) => sum + speedOf(provider), 0);
    const missingBytes = holdings.missing * PIECE_BYTES - flights.missingBytes;
    for (const { want, providerId, expectedMs } of assign(this.#wants(speed), available, missingBytes)) {
      if (!this.#ask(want, providerId, expectedMs, false)) break;
    }
    this.#remedy(available, speed);
    this.#reportTrouble(available);
  }

  #wants(speed: number): Generator<Want> {
    const { demand, holdings, flights } = this.#transfer;
    return demand.wants((index) => !holdings.has(index) && !flights.has(index), speed);
  }

  /** As many as the providers could take; in a window, where room is short, no more than there is to ask for. */
  #permitsFor(providers: readonly AvailableProvider[]): number {
    const room = roomAt(providers);
    if (!this.#transfer.demand.isLimited) return room;
    let count = 0;
    for (const _ of this.#wants(1)) if (++count >= room) break;
    return count;
  }

  /** Whether something is missing that is asked of nobody yet. */
  get isWanting(): boolean {
    return !this.#wants(1).next().done;
  }

  /** Whether it could be asked for. */
  #ask(want: Omit<Want, 'deadlineMs'>, providerId: string, expectedMs: number, isDouble: boolean): boolean {
    const { arrivals, contentId, file, flights, permits, providers, user } = this.#transfer;
    const member = providers.get(providerId);
    const stream = member?.stream;
    const permit = member && stream ? permits.take() : null;
    if (!member || !stream || !permit) return false;
    const flight: Flight = {
      ...want,
      member,
      providerId,
      startedAtMs: performance.now(),
      expectedMs,
      isDouble,
      abort: new AbortController(),
    };
    const { pieceIndex, video, bytes, abort } = flight;
    const request = { contentId, file, pieceIndex, video };
    const options = { signal: abort.signal, onAsked: () => this.#onAsked(member) };
    const arriving = this.#context.pool.fetch(member.pooled, user, request, bytes, options);
    flights.add(flight, arrivals.land(flight, stream, permit, arriving));
    return true;
  }

  /** A provider that said that it sends nothing now mostly sends nothing when it is asked: until it sends, the reason stands. */
  #onAsked({ stopped }: Member): void {
    if (stopped === null) this.#transfer.status.set('fetching', null);
  }

  /** Why nothing moves, when nothing moves. */
  #reportTrouble(available: readonly AvailableProvider[]): void {
    const { flights, holdings, permits, providers, status } = this.#transfer;
    const { trouble, count } = permits;
    if (holdings.complete || flights.size > 0) return;
    if (trouble) status.reportUnpermitted(trouble);
    else if (available.length === 0 && count > 0) status.reportNobody(providers);
  }

  /** A shard that leases nothing is no word of the provider's: it may still be generous. It is asked, once. */
  async askUnpaid({ pooled, stream }: Member): Promise<void> {
    const next = this.#wants(1).next();
    if (!stream || next.done) return;
    const { contentId, file } = this.#transfer;
    try {
      const request = { contentId, file, pieceIndex: next.value.pieceIndex, video: false };
      const code = await stream.refusalOf(request);
      if (code === null) this.#transfer.arrivals.takeOver();
      else this.refusal = { provider: stream.provider.account, code };
      this.#context.onChange();
    } catch (error) {
      this.#context.log.debug({ err: error, peer: pooled.peerId }, 'a provider left instead of answering');
    }
  }

  #remedy(providers: readonly AvailableProvider[], speed: number): void {
    const pending = this.#transfer.flights.pending((index) => this.#transfer.demand.deadlineMs(index, speed));
    const allAsked = providers.length > 1 && !this.isWanting;
    for (const remedy of remedies(pending, providers, allAsked)) {
      const late = pending.find((one) => one === remedy.pending)?.flight;
      if (!late) continue;
      if (remedy.kind === 'withdraw') late.abort.abort();
      else this.#ask(late, remedy.providerId, late.expectedMs, true);
    }
  }

  /** Takes over a piece that was asked for along with the transport file. */
  adopt({ pooled, pieceIndex, video, permit, piece, abort }: FirstPiece): void {
    const { arrivals, file, flights, holdings, providers } = this.#transfer;
    const member = providers.get(pooled.peerId);
    const stream = pooled.live;
    if (!member || !stream || holdings.has(pieceIndex) || pieceIndex >= holdings.count) {
      piece.then(
        ({ bytes }) => permit.done(bytes),
        () => permit.done(0), // a reader that wants the piece asks for it again
      );
      return;
    }
    const bytes = pieceLength(file.sizeBytes, pieceIndex);
    const expectedMs =
      (pooled.speed.latencyMs ?? 0) + bytes / (pooled.speed.bytesPerMs ?? ASSUMED_BYTES_PER_MS);
    const startedAtMs = performance.now();
    const flight: Flight = {
      ...{ pieceIndex, bytes, video, member, abort, startedAtMs, expectedMs },
      providerId: pooled.peerId,
      isDouble: false,
    };
    flights.add(flight, arrivals.land(flight, stream, permit, piece));
  }
}
