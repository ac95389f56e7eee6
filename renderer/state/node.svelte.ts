/**
 * What the page knows of its node: the last snapshot, the library and the last minute of traffic. Everything arrives by
 * the feed; calls are made on connecting and when a person acts.
 */

import type { ContentView } from '../../shared/rpc/content.ts';
import type { Feed, NodeClient, NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { NavigateView, ShellView } from '../../shared/rpc/shell.ts';
import type { TrafficNow } from '../../shared/rpc/traffic.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';
import type { LinkState } from './link.ts';
import { addSample, paidUnits, type TrafficSample } from './traffic-history.ts';

const SAMPLE_INTERVAL_MS = 1_000;
/** Of the chart of what goes through now. */
export const FLOW_SECONDS = 300;

export class NodeState {
  readonly client: NodeClient | null;
  link = $state<LinkState>('connecting');
  snapshot = $state.raw<NodeSnapshot | null>(null);
  /** When the snapshot came. */
  heardAtMs = $state(0);
  /** `null` until loaded. */
  contents = $state.raw<readonly ContentView[] | null>(null);
  contentsError = $state.raw<ErrorWords | null>(null);
  history = $state.raw<readonly TrafficSample[]>([]);
  /** What goes through, second by second, for the last few minutes; the newest last. */
  flow = $state.raw<readonly TrafficNow[]>([]);
  /** `null` until the node has told; while it does not run, only the wallet can be dealt with. */
  wallet = $state.raw<WalletStateView | null>(null);
  /** Of the desktop, or of whatever serves the pages; `null` until it has answered. */
  shell = $state.raw<ShellView | null>(null);
  /** What the shell asked to be shown, until somebody has seen to it. */
  navigate = $state.raw<NavigateView | null>(null);
  /** Files that are being imported, by path. */
  importing = $state.raw<ReadonlyMap<string, number>>(new Map());
  readonly online = $derived(this.link === 'connected');

  #paidAtLastSample: number | null = null;
  #stops: (() => void)[] = [];

  /** @param client `null` when the page has no token to connect with */
  constructor(client: NodeClient | null) {
    this.client = client;
    if (client === null) this.link = 'no-token';
  }

  /** Starts listening; the answer stops everything that was started. */
  start(): () => void {
    const { client } = this;
    if (client === null) return () => {};
    const sampling = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
    this.#stops = [
      () => clearInterval(sampling),
      client.subscribe((topic, data) => {
        if (topic === 'snapshot') this.#onSnapshot(data as NodeSnapshot);
        else if (topic === 'contents') this.contents = data as readonly ContentView[];
        else if (topic === 'traffic') this.flow = [...this.flow.slice(1 - FLOW_SECONDS), data as TrafficNow];
        else if (topic === 'wallet') this.#onWallet(data as WalletStateView);
        else if (topic === 'shell') this.shell = data as ShellView;
        else if (topic === 'navigate') this.navigate = data as NavigateView;
        else if (topic === 'importing') this.#onImporting(data as Feed['importing']);
      }),
      client.onConnection((connected) => this.#onConnection(connected)),
    ];
    return () => {
      for (const stop of this.#stops) stop();
      this.#stops = [];
    };
  }

  refuse(): void {
    this.link = 'refused';
  }

  async loadContents(): Promise<void> {
    this.contentsError = null;
    try {
      this.contents = (await this.client?.call('contents', {})) ?? null;
    } catch (error) {
      this.contentsError = errorWords(error);
    }
  }

  #onConnection(connected: boolean): void {
    if (!connected) {
      // Before the first connection the page is still connecting, however long that takes.
      if (this.link === 'connected') this.link = 'lost';
      return;
    }
    this.link = 'connected';
    this.client?.call('walletState', {}).then(
      (wallet) => this.#onWallet(wallet, true),
      // The connection is gone again: the next one asks anew.
      () => undefined,
    );
    this.client?.call('shell', {}).then(
      (shell) => {
        this.shell ??= shell;
      },
      // Without an answer the pages offer nothing that only a desktop has.
      () => undefined,
    );
  }

  /** What is asked of a running node is asked once it runs. */
  #onWallet(wallet: WalletStateView, anew = false): void {
    const began = wallet.running && (anew || this.wallet?.running !== true);
    this.wallet = wallet;
    if (!began) return;
    void this.loadContents();
  }

  #onImporting({ path, doneBytes, sizeBytes }: Feed['importing']): void {
    const importing = new Map(this.importing);
    if (doneBytes >= sizeBytes) importing.delete(path);
    else importing.set(path, doneBytes / sizeBytes);
    this.importing = importing;
  }

  #onSnapshot(snapshot: NodeSnapshot): void {
    // Another run of the node counts from zero again.
    if (snapshot.startedAtMs !== this.snapshot?.startedAtMs) this.#paidAtLastSample = null;
    this.snapshot = snapshot;
    this.heardAtMs = Date.now();
  }

  #sample(): void {
    if (this.snapshot === null || !this.online) return;
    const paid = paidUnits(this.snapshot);
    this.history = addSample(this.history, this.snapshot, this.#paidAtLastSample ?? paid, Date.now());
    this.#paidAtLastSample = paid;
  }
}
