/** What each title brought in all: asked for while the library is looked at, and again once there are other settlements. */
import type { NodeClient, NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { EarnedTitleView } from '../../shared/rpc/sharing.ts';
import { LatestRequest } from './latest-request.svelte.ts';

/** It is all titles each time, and nobody reads the row of a library more often. */
const AGAIN_MS = 5_000;

export class EarnedTitles {
  readonly #request: LatestRequest<readonly EarnedTitleView[]>;
  readonly #byId = $derived.by(
    () => new Map(this.#request.data?.map((title) => [title.contentId, title] as const)),
  );
  /** Settlements that the newest answer knows of, or will; `null` when it has to be asked for. */
  #asOfCount: number | null = null;
  #askedAtMs = 0;

  constructor(client: NodeClient) {
    this.#request = new LatestRequest(() => client.call('earnedByTitle', {}));
  }

  /** `null` of a title that brought nothing. */
  of(contentId: string): EarnedTitleView | null {
    return this.#byId.get(contentId) ?? null;
  }

  /** Looks whether the figures are others by now. Called with each snapshot. */
  onSnapshot({ settlementCount }: Pick<NodeSnapshot, 'settlementCount'>): void {
    if (settlementCount === this.#asOfCount || Date.now() - this.#askedAtMs < AGAIN_MS) return;
    this.#asOfCount = settlementCount;
    this.#askedAtMs = Date.now();
    void this.#load();
  }

  async #load(): Promise<void> {
    if ((await this.#request.refresh()) === null) this.#asOfCount = null;
  }
}
