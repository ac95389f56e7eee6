/** The contents this node knows, and the transfers that are under way for them. */

import { AceError, invariant, isAceError } from '../../shared/errors.ts';
import type { PieceStore } from '../content/piece-store.ts';
import {
  type BroadcastFile,
  parseContentId,
  readAnyTransportFile,
  readTransportFile,
  type TransportFile,
} from '../content/transport-file.ts';
import type { ContentRow } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { isDiskTrouble } from '../db/store-error.ts';
import { stoppedUntilMs } from '../p2p/offer.ts';
import { askStreams, type FirstPiece, type Opening } from './asking.ts';
import { firstAnswer } from './first-answer.ts';
import { type Stopped, stoppedProviders } from './stopped.ts';
import { type Provider, Transfer, type TransferContext } from './transfer.ts';

export interface LibraryContext extends TransferContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly fetchTransportFile: (provider: Provider, contentId: string) => Promise<Uint8Array>;
  /** The content that was looked up is a broadcast. */
  readonly onBroadcast: (contentId: string, transport: Uint8Array, file: BroadcastFile) => void;
  /** A content was added. */
  readonly onContents: () => void;
}

/** A content that is known now. */
interface Resolved {
  readonly row: ContentRow;
  /** Who has it, when that had to be asked. */
  readonly providers: readonly Provider[];
  /** There may be others: these are those of a stream. */
  readonly areSome: boolean;
  readonly first: FirstPiece | null;
}

export class Library {
  readonly #context: LibraryContext;
  readonly #transfers = new Map<string, Promise<Transfer>>();
  readonly #ready = new Map<string, Transfer>();

  constructor(context: LibraryContext) {
    this.#context = context;
  }

  /**
   * Looks a content up, here or at a provider, and stores its transport file.
   * @throws AceError `InvalidContentId`, `NoProviders`, `ProviderStopped`, `ContentIsLive`, `ShardUnavailable`
   */
  async resolve(link: string, origin: ContentRow['origin']): Promise<ContentRow> {
    return (await this.#resolve(link, origin)).row;
  }

  /** Also who has it, when that had to be asked. */
  async #resolve(
    link: string,
    origin: ContentRow['origin'],
    opening: Opening | null = null,
  ): Promise<Resolved> {
    const { store, findProviders, fetchTransportFile, onBroadcast } = this.#context;
    const contentId = parseContentId(link);
    const known = store.contents.get(contentId);
    if (known) return { row: known, providers: [], areSome: false, first: null };
    const broadcast = store.broadcasts.get(contentId);
    if (broadcast) throw isLive(broadcast.name);
    const searching = findProviders(contentId);
    searching.catch(() => undefined); // thrown below, unless it is not needed
    const heard = origin === 'offered' ? null : await this.#ask(contentId, origin, opening);
    const told = heard && store.contents.get(contentId);
    if (told) return { row: told, providers: [heard.pooled.provider], areSome: true, first: heard.first };
    const providers = await searching;
    const [best] = providers;
    // The content is fetched from there next: the stream opens while the transport file comes.
    if (best && origin !== 'offered') this.#meet(best);
    const stops: Stopped[] = [];
    const answer = await firstAnswer({
      providers,
      ask: async (provider) => {
        const transport = await fetchTransportFile(provider, contentId).catch((error: unknown) => {
          if (isAceError(error, 'ProviderStopped'))
            stops.push({ untilMs: stoppedUntilMs(error, this.#context.nowMs()) });
          throw error;
        });
        const file = readAnyTransportFile(contentId, transport);
        if (file.kind !== 'live') return { transport, file };
        onBroadcast(contentId, transport, file);
        throw isLive(file.name);
      },
      more: () => findProviders(contentId),
      isFinal: isLast,
    }).catch((error: unknown) => {
      if (isLast(error)) throw error;
      throw stops.length > 0 ? stoppedProviders(stops) : nobody(error);
    });
    if (!answer) throw nobody(null);
    const { provider, answer: found } = answer;
    if (provider !== best && origin !== 'offered') this.#meet(provider);
    this.#keep(contentId, found.transport, found.file, origin);
    const row = store.contents.get(contentId);
    invariant(row !== null, 'a content that was stored is there');
    const others = providers.filter(({ peerId }) => peerId !== provider.peerId);
    return { row, providers: [provider, ...others], areSome: false, first: null };
  }

  #ask(
    contentId: string,
    origin: ContentRow['origin'],
    opening: Opening | null,
  ): ReturnType<typeof askStreams> {
    const { pool, budget } = this.#context;
    const keep = (transport: Uint8Array, file: TransportFile) =>
      this.#keep(contentId, transport, file, origin);
    return askStreams({ pool, budget, keep }, contentId, opening);
  }

  #keep(
    contentId: string,
    transport: Uint8Array,
    { name, mimeType, sizeBytes, durationMs, access }: TransportFile,
    origin: ContentRow['origin'],
  ): void {
    const { store, nowMs, onContents } = this.#context;
    const addedAtMs = nowMs();
    store.commit(() =>
      store.contents.insert({
        ...{ contentId, transport, name, mimeType, sizeBytes, durationMs, origin, addedAtMs },
        sold: access !== undefined,
      }),
    );
    onContents();
  }

  /**
   * The transfer of a content, made when there is none. `opening`: what a player waits for.
   * @throws AceError as `resolve`
   */
  async transfer(link: string, opening: Opening | null = null): Promise<Transfer> {
    const contentId = parseContentId(link);
    const known = this.#transfers.get(contentId);
    if (known) return known;
    const made = this.#make(contentId, opening);
    this.#transfers.set(contentId, made);
    made.catch(() => this.#transfers.delete(contentId));
    return made;
  }

  /** Transfers since the node started. */
  active(): Transfer[] {
    return [...this.#ready.values()];
  }

  async stopTransfer(link: string): Promise<boolean> {
    const contentId = parseContentId(link);
    const transfer = this.#ready.get(contentId);
    this.#ready.delete(contentId);
    this.#transfers.delete(contentId);
    await transfer?.stop();
    return transfer !== undefined;
  }

  /** Funds, credit or the shard may be there again. */
  retryAll(): void {
    for (const transfer of this.#ready.values()) transfer.retry();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#ready.values()].map((transfer) => transfer.stop()));
    await this.#context.pool.stop();
  }

  #meet(provider: Provider): void {
    const { pool, log } = this.#context;
    pool.meet(pool.pooled(provider)).catch((error: unknown) => {
      log.debug(
        { err: error, peer: provider.peerId },
        'no stream to the provider that has the transport file',
      );
    });
  }

  /**
   * Forgets a content and takes its bytes off the disk; a file that was imported by reference stays. A download of it is
   * stopped. @throws AceError `ContentUnknown`, `ContentInUse` while it is played, unless `force`
   */
  async delete(link: string, force: boolean): Promise<void> {
    const contentId = parseContentId(link);
    const { store, pieces } = this.#context;
    const row = store.contents.file(contentId);
    if (!row) throw new AceError('ContentUnknown', `There is no content ${contentId} here`);
    if (!force && pieces.cache.isHeld(contentId)) {
      throw new AceError(
        'ContentInUse',
        `"${row.name}" is being played: stop it first, or delete it with force`,
      );
    }
    await this.stopTransfer(contentId);
    await pieces.delete(contentId);
    this.#context.onContents();
  }

  /** Pinned contents are never removed to make room. @throws AceError `ContentUnknown` */
  pin(link: string, pinned: boolean): ContentRow {
    return this.#mark(link, ({ contents }, contentId) => contents.setPinned(contentId, pinned));
  }

  /** Neither announced nor sent to anybody for now; its announcer is told by the caller. @throws AceError `ContentUnknown` */
  pauseSharing(link: string, paused: boolean): ContentRow {
    return this.#mark(link, ({ contents }, contentId) => contents.setPaused(contentId, paused));
  }

  #mark(link: string, mark: (store: NodeStore, contentId: string) => void): ContentRow {
    const contentId = parseContentId(link);
    const { store, onContents } = this.#context;
    store.commit(() => mark(store, contentId));
    const row = store.contents.get(contentId);
    if (!row) throw new AceError('ContentUnknown', `There is no content ${contentId} here`);
    onContents();
    return row;
  }

  /** Whether pieces of it are wanted or on their way: it must not be removed meanwhile. */
  isFetching(contentId: string): boolean {
    return this.#ready.get(contentId)?.isWanted ?? false;
  }

  /** The pieces at which it is read as it comes. */
  readers(contentId: string): readonly number[] {
    return this.#ready.get(contentId)?.readerPieces ?? [];
  }

  /** Pieces of it were removed, behind those who read it. */
  lost(contentId: string, pieces: readonly number[]): void {
    this.#ready.get(contentId)?.lost(pieces);
  }

  async #make(contentId: string, opening: Opening | null): Promise<Transfer> {
    const { row, providers, areSome, first } = await this.#resolve(contentId, 'fetched', opening);
    // The user's own file: nobody else's bytes are put in its place.
    if (row.sourcePath !== null) await this.#context.pieces.referenced.check(contentId);
    if (row.origin === 'offered') {
      this.#context.store.commit(() => this.#context.store.contents.setOrigin(contentId, 'fetched'));
    }
    const transfer = new Transfer(this.#context, contentId, readTransportFile(contentId, row.transport));
    this.#ready.set(contentId, transfer);
    transfer.warm(providers, !areSome);
    if (first) transfer.adopt(first);
    return transfer;
  }
}

function nobody(cause: unknown): AceError {
  return new AceError('NoProviders', 'Nobody who has this content can be reached right now', { cause });
}

function isLive(name: string): AceError {
  return new AceError('ContentIsLive', `"${name}" is a live broadcast: it can only be watched`);
}

/** Another provider would not help. */
function isLast(error: unknown): boolean {
  return isAceError(error, 'ContentIsLive') || isDiskTrouble(error);
}
