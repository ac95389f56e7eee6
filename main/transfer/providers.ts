/**
 * The providers of one transfer: who was found, who has a stream, who failed and when it is tried again, who lied and
 * never is. Sessions are opened in the background, the first one alone for a moment, so that a second costs nothing
 * where one is enough.
 */

import { CHUNK_BYTES } from '../../shared/economy/units.ts';
import { AceError, type ErrorCode } from '../../shared/errors.ts';
import type { Provider } from '../content/provider.ts';
import type { TransportFile } from '../content/transport-file.ts';
import { isDiskTrouble } from '../db/store-error.ts';
import { stoppedUntilMs } from '../p2p/offer.ts';
import { isProviderFault, ProviderRefusal } from '../pieces/fetching.ts';
import type { Log } from '../process/log.ts';
import type { AvailableProvider } from './picker.ts';
import { type Stopped, stoppedProviders } from './stopped.ts';
import type { PieceStream, PooledProvider, StreamPool, StreamUser } from './stream-pool.ts';

export interface TransferProvidersContext {
  readonly contentId: string;
  readonly file: TransportFile;
  readonly pool: StreamPool;
  readonly user: StreamUser;
  readonly log: Log;
  /** Who has this content, best first. @throws AceError `ShardUnavailable` */
  readonly findProviders: (contentId: string) => Promise<Provider[]>;
  readonly nowMs: () => number;
  /** A provider was found, joined or lost, or reported what it has. */
  readonly onChange: () => void;
}

/** One provider as this transfer sees it. */
export interface Member {
  pooled: PooledProvider;
  /** The stream in use; `null` when there is none. */
  stream: PieceStream | null;
  connecting: boolean;
  /** Times in a row that it was of no use: the others are tried first. */
  failures: number;
  retryAtMs: number;
  /** Why nothing can be asked for here now, and until when: no word of the provider's. */
  unpayable: { readonly error: AceError; readonly untilMs: number } | null;
  /** Its word that it serves this account no further without money; `null` when it has not said so. */
  unlent: AceError | null;
  /** Its word that its owner's own limits let it send nothing now; `null` when it has not said so. */
  stopped: Stopped | null;
  /** What came from it for this transfer. */
  pieces: number;
  paidUnits: number;
  receivedBytes: number;
}

/** One provider that this transfer uses or used. */
export interface ProviderInUse {
  readonly account: string;
  readonly peerId: string;
  readonly state: 'connecting' | 'connected' | 'gone';
  /** As measured over all contents; 0 before the first piece. */
  readonly bytesPerSecond: number;
  readonly latencyMs: number;
  readonly pieces: number;
  readonly receivedBytes: number;
  readonly paidUnits: number;
}

/** A provider that owes something and sends nothing for so long is left, when another could be asked. */
const ABANDON_MS = 3_000;
/** The same, in the time that it takes for a chunk as a rule. */
const ABANDON_CHUNKS = 8;
/** What a provider that was never measured is expected to send, in bytes a millisecond. */
const SLOWEST_BYTES_PER_MS = 20;
/** Providers in use at once. */
const MAX_MEMBERS = 4;
/** Providers are looked up again this often while there is something to fetch. */
const REFRESH_MS = 10_000;
const REFRESH_SOON_MS = 500;
/** The first provider has so long before another one is tried as well, and each next one as long again. */
const HEAD_START_MS = 300;
/**
 * Providers that are tried at once while none answers. Anybody can be named as one, and where nobody is it takes seconds to
 * see: a crowd of made-up names must not keep an honest one waiting behind it.
 */
const MAX_TRIED_AT_ONCE = 16;
/** A provider that failed is asked again after this long, doubled each time in a row. */
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 5_000;
/** A provider that serves this account no further without money is asked again after this long. */
const UNLENT_RETRY_MS = 60_000;
/** The same once funds or credit may have changed, which each settlement says. */
const UNLENT_SOON_MS = 5_000;
/** Refusals that only money, or time, changes. */
const UNLENT: ReadonlySet<ErrorCode> = new Set([
  'PrepaymentDue',
  'LoanRefused',
  'AccessNeeded',
  'AccessInvalid',
  'AccessExpired',
]);
/** Of those, the ones that a purchase changes. */
const CLOSED: ReadonlySet<ErrorCode> = new Set(['AccessNeeded', 'AccessInvalid', 'AccessExpired']);
/** A provider whose stream was closed for want of use is left alone for so long, while there is another. */
const REST_MS = 30_000;
/** Providers that are remembered for one content. */
const MAX_FOUND = 64;

export class TransferProviders {
  readonly #context: TransferProvidersContext;
  readonly #members = new Map<string, Member>();
  readonly #banned = new Set<string>();
  #finding: Promise<void> | null = null;
  #findAtMs = Number.NEGATIVE_INFINITY;
  /** Why the last look-up failed. */
  #findError: AceError | null = null;
  #lastError: unknown = null;
  #joiningSinceMs = 0;

  constructor(context: TransferProvidersContext) {
    this.#context = context;
  }

  /** Those with a stream that works. */
  get live(): Member[] {
    return [...this.#members.values()].filter(({ stream }) => stream && !stream.failed);
  }

  get connecting(): boolean {
    return this.#finding !== null || [...this.#members.values()].some((member) => member.connecting);
  }

  /** For those who look on: those in use or about to be, and those that brought something. */
  inUse(): ProviderInUse[] {
    return [...this.#members.values()]
      .filter(({ stream, connecting, pieces }) => stream || connecting || pieces > 0)
      .map(({ pooled, stream, connecting, pieces, receivedBytes, paidUnits }) => ({
        account: pooled.provider.account,
        peerId: pooled.peerId,
        state: stream && !stream.failed ? 'connected' : connecting ? 'connecting' : 'gone',
        bytesPerSecond: Math.round((pooled.speed.bytesPerMs ?? 0) * 1_000),
        latencyMs: Math.round(pooled.speed.latencyMs ?? 0),
        pieces,
        receivedBytes,
        paidUnits,
      }));
  }

  /** Silence of one provider is not waited out while another could be asked. */
  abandonSilent(): void {
    const live = this.live;
    for (const { stream, pooled } of live) {
      const chunkMs = CHUNK_BYTES / (pooled.speed.bytesPerMs ?? SLOWEST_BYTES_PER_MS);
      if (!stream || stream.silentMs < Math.max(ABANDON_MS, ABANDON_CHUNKS * chunkMs)) continue;
      const others = live.filter(
        (other) => other.pooled !== pooled && other.pooled.speed.bytesPerMs !== null,
      );
      if (others.some((other) => (other.stream?.silentMs ?? 0) < ABANDON_MS))
        stream.abort(new AceError('RequestTimeout', 'The provider did not get on, and another one does'));
    }
  }

  /** Why there is nobody to fetch from. */
  get trouble(): AceError {
    if (this.#findError) return this.#findError;
    const unlent = [...this.#members.values()].find((member) => member.unlent)?.unlent;
    if (unlent) return unlent;
    const stopped = [...this.#members.values()].flatMap((member) => member.stopped ?? []);
    if (stopped.length > 0) return stoppedProviders(stopped);
    const error = this.#lastError;
    if (isDiskTrouble(error) && !(error instanceof ProviderRefusal)) return error;
    return new AceError('NoProviders', 'Nobody who has this content can be reached right now', {
      cause: error,
    });
  }

  /** Those that have reported that they lack something. */
  partial(): Member[] {
    return this.live.filter(({ stream }) => stream?.isPartial(this.#context.contentId));
  }

  uses(pooled: PooledProvider): boolean {
    return this.#members.get(pooled.peerId)?.stream != null;
  }

  /** As the picker sees those that can be asked now. */
  forPicker(): AvailableProvider[] {
    const { contentId } = this.#context;
    const nowMs = performance.now();
    return this.live.flatMap(({ pooled, stream, unpayable }) => {
      if (!stream || (unpayable && unpayable.untilMs > nowMs)) return [];
      return [
        {
          id: pooled.peerId,
          bytesPerMs: pooled.speed.bytesPerMs,
          latencyMs: pooled.speed.latencyMs ?? 0,
          outstandingBytes: pooled.outstandingBytes,
          outstandingPieces: pooled.outstandingPieces,
          silentMs: stream.silentMs,
          has: (pieceIndex: number) => stream.has(contentId, pieceIndex),
        },
      ];
    });
  }

  get(peerId: string): Member | null {
    return this.#members.get(peerId) ?? null;
  }

  /** Finds providers and opens streams until `target` of them work or are on their way. Never waits. */
  tend(target: number): void {
    const nowMs = performance.now();
    this.#noticeClosed(nowMs);
    const live = this.live.length;
    const due = nowMs - this.#findAtMs >= (live === 0 ? REFRESH_SOON_MS : REFRESH_MS);
    if (due) this.find().catch(() => undefined); // kept, and shown as `trouble`
    const connecting = [...this.#members.values()].filter((member) => member.connecting).length;
    if (live === 0 && connecting === 0) this.#joiningSinceMs = nowMs;
    const patience = 1 + Math.floor((nowMs - this.#joiningSinceMs) / HEAD_START_MS);
    const wanted = live > 0 ? Math.min(target, MAX_MEMBERS) : Math.min(patience, MAX_TRIED_AT_ONCE);
    let room = target > 0 ? wanted - live - connecting : 0;
    for (const member of this.#candidates(nowMs)) {
      if (room-- <= 0) return;
      void this.#join(member);
    }
  }

  /** Looks up providers now. @throws AceError `ShardUnavailable` */
  find(): Promise<void> {
    this.#finding ??= this.#find().finally(() => {
      this.#finding = null;
      this.#context.onChange();
    });
    return this.#finding;
  }

  /** Opens a stream and a channel to the best provider, so that the first request need not wait for that. */
  async warm(known: readonly Provider[], areAll = true): Promise<void> {
    const findAtMs = this.#findAtMs;
    if (known.length > 0) this.#found(known);
    // One that is known from a stream is not all of them: the look-up is still due.
    if (!areAll) this.#findAtMs = findAtMs;
    else await this.find();
    const [first] = this.#candidates(performance.now());
    if (!first) return;
    await this.#join(first);
    if (first.stream) await this.#context.pool.warm(first.pooled, this.#context.user);
  }

  /** A piece has come from it. */
  delivered(member: Member, bytes: number, paidUnits: number): void {
    member.failures = 0;
    member.unpayable = null;
    member.unlent = null;
    member.stopped = null;
    member.pieces += 1;
    member.receivedBytes += bytes;
    member.paidUnits += paidUnits;
  }

  /** It is of no use now; one that cheated is not asked for this content again. */
  failed(member: Member, error: unknown): void {
    const { peerId } = member.pooled;
    this.#lastError = error;
    member.stream = null;
    member.failures += 1;
    member.retryAtMs =
      performance.now() + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(10, member.failures));
    member.unlent = error instanceof ProviderRefusal && UNLENT.has(error.code) ? unlent(error) : null;
    if (member.unlent) {
      member.retryAtMs = performance.now() + UNLENT_RETRY_MS;
    }
    member.stopped = this.#stopOf(error);
    // It may have come back at another address.
    this.#findAtMs = Math.min(this.#findAtMs, performance.now() - REFRESH_MS + REFRESH_SOON_MS);
    if (!isProviderFault(error) || this.#banned.has(peerId)) return;
    this.#banned.add(peerId);
    this.#context.log.warn({ err: error, peer: peerId }, 'a provider is not used for this content again');
  }

  /** Everything may be tried again now: funds, credit or the shard may be there again. */
  retry(): void {
    for (const member of this.#members.values()) {
      member.unpayable = null;
      if (!member.unlent) continue;
      const soonMs = CLOSED.has(member.unlent.code) ? 0 : UNLENT_SOON_MS;
      member.retryAtMs = Math.min(member.retryAtMs, performance.now() + soonMs);
    }
    if (this.live.length === 0) this.#findAtMs = Number.NEGATIVE_INFINITY;
  }

  #stopOf(error: unknown): Member['stopped'] {
    if (!(error instanceof ProviderRefusal) || error.code !== 'ProviderStopped') return null;
    return { untilMs: stoppedUntilMs(error, this.#context.nowMs()) };
  }

  #candidates(nowMs: number): Member[] {
    const others = this.live.length > 0;
    return [...this.#members.values()]
      .filter((member) => !member.stream && !member.connecting && !this.#banned.has(member.pooled.peerId))
      .filter((member) => member.retryAtMs <= nowMs || (!others && member.failures === 0))
      .sort((a, b) => a.failures - b.failures || b.pooled.rank - a.pooled.rank);
  }

  async #find(): Promise<void> {
    const { findProviders, contentId } = this.#context;
    this.#findAtMs = performance.now();
    try {
      this.#found(await findProviders(contentId));
    } catch (error) {
      this.#findError =
        error instanceof AceError
          ? error
          : new AceError('Internal', 'Something went wrong', { cause: error });
      throw error;
    }
  }

  #found(providers: readonly Provider[]): void {
    this.#findAtMs = performance.now();
    this.#findError = null;
    const fresh = providers.slice(0, MAX_FOUND).map((provider) => {
      const pooled = this.#context.pool.pooled(provider);
      return this.#members.get(provider.peerId) ?? newMember(pooled);
    });
    // In the order of the latest look-up. Those in use, or with a history, are kept though it does not name them.
    const kept = [...this.#members.values()].filter((member) => !fresh.includes(member));
    const inUse = kept.filter((member) => member.stream || member.connecting || member.pieces > 0);
    this.#members.clear();
    for (const member of [...fresh, ...inUse]) this.#members.set(member.pooled.peerId, member);
  }

  async #join(member: Member): Promise<void> {
    const { pool, user, contentId, file, onChange } = this.#context;
    member.connecting = true;
    // A provider that nobody used may have been forgotten since.
    member.pooled = pool.pooled(member.pooled.provider);
    try {
      const stream = await pool.open(member.pooled, user);
      if (this.live.length >= MAX_MEMBERS) {
        // Others that were tried at the same time answered sooner: the pool closes it when nobody uses it.
        member.retryAtMs = performance.now() + REST_MS;
        return;
      }
      stream.interest(contentId, file, onChange);
      member.stream = stream;
    } catch (error) {
      this.failed(member, error);
    } finally {
      member.connecting = false;
      onChange();
    }
  }

  /** Sessions that broke while nothing was asked for, and those that the pool has closed because nobody used them. */
  #noticeClosed(nowMs: number): void {
    for (const member of this.#members.values()) {
      if (member.stream?.failed) this.failed(member, member.stream.failure);
      if (!member.stream || member.pooled.live === member.stream) continue;
      member.stream = null;
      member.retryAtMs = nowMs + REST_MS;
    }
  }
}

const UNLENT_WORDS: Partial<Record<ErrorCode, string>> = {
  LoanRefused: 'The providers of this content lend you no more: top up, or wait for others who have it',
  PrepaymentDue: 'The providers of this content serve nobody new without being paid first: try later',
  AccessNeeded:
    'The providers of this content have seen no access that was bought: it is shown to them again',
  AccessInvalid:
    'The access that was bought is not what the providers of this content ask: look at its price again',
  AccessExpired: 'The access that was bought has ended, by the clocks of the providers of this content',
};

/** In words of our own. */
function unlent({ code }: AceError): AceError {
  return new AceError(code, UNLENT_WORDS[code] ?? 'The providers of this content do not serve you now', {
    reaction: 'pause-channel',
  });
}

function newMember(pooled: PooledProvider): Member {
  return {
    pooled,
    stream: null,
    connecting: false,
    failures: 0,
    retryAtMs: 0,
    unpayable: null,
    unlent: null,
    stopped: null,
    pieces: 0,
    paidUnits: 0,
    receivedBytes: 0,
  };
}
