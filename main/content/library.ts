/** The contents this node knows, and the transfers that are under way for them. */

import { AceError } from '../../shared/errors.ts';
import type { ContentRow } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { PieceStore } from './piece-store.ts';
import { type Provider, Transfer, type TransferContext } from './transfer.ts';
import { parseContentId, readTransportFile } from './transport-file.ts';

export interface LibraryContext extends TransferContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly fetchTransportFile: (provider: Provider, contentId: string) => Promise<Uint8Array>;
  /** A content was added. */
  readonly onContents: () => void;
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
   * @throws AceError `InvalidContentId`, `NoProviders`, `ShardUnavailable`
   */
  async resolve(link: string, origin: ContentRow['origin']): Promise<ContentRow> {
    const { store, findProviders, fetchTransportFile, nowMs, onContents } = this.#context;
    const contentId = parseContentId(link);
    const known = store.contents.get(contentId);
    if (known) return known;
    let last: unknown = null;
    for (const provider of await findProviders(contentId)) {
      try {
        const transport = await fetchTransportFile(provider, contentId);
        const { name, mimeType, sizeBytes, durationMs } = readTransportFile(contentId, transport);
        const addedAtMs = nowMs();
        store.commit(() =>
          store.contents.insert({
            contentId,
            transport,
            name,
            mimeType,
            sizeBytes,
            durationMs,
            origin,
            addedAtMs,
          }),
        );
        onContents();
        const row = store.contents.get(contentId);
        if (row) return row;
      } catch (error) {
        last = error;
      }
    }
    throw new AceError('NoProviders', 'Nobody who has this content can be reached right now', {
      cause: last,
    });
  }

  /** The transfer of a content, made when there is none. @throws AceError as `resolve` */
  async transfer(link: string): Promise<Transfer> {
    const contentId = parseContentId(link);
    const known = this.#transfers.get(contentId);
    if (known) return known;
    const made = this.#make(contentId);
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
  }

  async #make(contentId: string): Promise<Transfer> {
    const row = await this.resolve(contentId, 'fetched');
    if (row.origin === 'offered') {
      this.#context.store.commit(() => this.#context.store.contents.setOrigin(contentId, 'fetched'));
    }
    const transfer = new Transfer(this.#context, contentId, readTransportFile(contentId, row.transport));
    this.#ready.set(contentId, transfer);
    return transfer;
  }
}
