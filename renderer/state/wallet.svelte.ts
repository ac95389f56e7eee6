/**
 * The wallet as the node describes it: asked for at each connection, then kept up to date by the feed. The steps of a
 * first start, the forms that sign and the cards about its keeping all change it here.
 */
import { feedListener, type Input, type NodeClient, type Outputs } from '../../shared/rpc/rpc.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import type { ErrorWords } from '../format/error-words.ts';
import { walletTrouble } from '../format/wallet-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

/** Procedures that change the wallet and answer with what it is then. */
export type WalletChange = {
  [P in keyof Outputs]: Outputs[P] extends WalletStateView ? P : never;
}[keyof Outputs];

export class WalletState {
  readonly #client: NodeClient;
  readonly #loading: LatestRequest<WalletStateView>;
  readonly #change: LatestRequest<void, [() => Promise<void>]>;
  /** `null` until the node has answered; while it does not run, only the wallet can be dealt with. */
  view = $state.raw<WalletStateView | null>(null);
  #onRunning: () => void = () => {};

  constructor(client: NodeClient) {
    this.#client = client;
    this.#loading = new LatestRequest(() => client.call('walletState', {}));
    this.#change = new LatestRequest((change) => change());
  }

  get locked(): boolean {
    return this.view?.status === 'locked';
  }

  /** It has a passphrase of its own, which some tasks ask for. */
  get asksPassphrase(): boolean {
    return this.view?.protection === 'passphrase';
  }

  /** The operating system can keep a passphrase. */
  get systemStoreUsable(): boolean {
    return this.view?.systemStore.usable ?? false;
  }

  /** The wallet is being locked or unlocked. */
  get busy(): boolean {
    return this.#change.busy;
  }

  /** Why it could not be locked or unlocked: mostly a wrong passphrase. */
  get failure(): string | null {
    const { thrown } = this.#change;
    return thrown === null ? null : walletTrouble(thrown);
  }

  /** Why it is not known what the wallet is. */
  get loadFailure(): ErrorWords | null {
    return this.#loading.error;
  }

  /**
   * Listens to the feed and asks at every connection; the answer stops.
   *
   * @param onRunning called when the node runs that did not before, and at every connection to one that runs
   */
  start(onRunning: () => void): () => void {
    this.#onRunning = onRunning;
    const stops = [
      this.#client.subscribe(feedListener({ wallet: (view) => this.#take(view) })),
      this.#client.onConnection((connected) => {
        if (connected) void this.load();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  async load(): Promise<void> {
    const view = await this.#loading.load();
    if (view !== null) this.#take(view, true);
  }

  /** Does something to the wallet. @throws AceError of the node */
  async change<P extends WalletChange>(procedure: P, input: Input<P>): Promise<void> {
    this.#take(await this.#client.call(procedure, input));
  }

  /** Answers whether it is open now. */
  async unlock(passphrase: string): Promise<boolean> {
    return (await this.#change.load(() => this.change('walletUnlock', { passphrase }))) !== null;
  }

  /** By the phrase, where the passphrase is forgotten. Answers whether it is open now. */
  async resetPassphrase(phrase: string, passphrase: string, remember: boolean): Promise<boolean> {
    const reset = () => this.change('walletResetPassphrase', { phrase, passphrase, remember });
    return (await this.#change.load(reset)) !== null;
  }

  async lock(): Promise<void> {
    await this.#change.load(() => this.change('walletLock', {}));
  }

  /** What went wrong before is no longer of interest. */
  clearFailure(): void {
    if (!this.busy) this.#change.reset();
  }

  #take(view: WalletStateView, connectedAnew = false): void {
    const began = view.running && (connectedAnew || this.view?.running !== true);
    this.view = view;
    if (began) this.#onRunning();
  }
}
