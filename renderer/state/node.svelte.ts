/**
 * What the page knows of its node: the last snapshot, the library, the wallet and the last minutes of traffic.
 * Everything arrives by the feed; calls are made on connecting and when a person acts.
 */

import { SvelteMap } from 'svelte/reactivity';
import type { ContentView } from '../../shared/rpc/content.ts';
import { type Feed, feedListener, type NodeClient, type NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { ShellView } from '../../shared/rpc/shell.ts';
import type { TrafficNow } from '../../shared/rpc/traffic.ts';
import { LatestRequest } from './latest-request.svelte.ts';
import type { LinkState } from './link.ts';
import { addSample, paidUnits, type TrafficSample } from './traffic-history.ts';
import { WalletState } from './wallet.svelte.ts';

const SAMPLE_INTERVAL_MS = 1_000;
/** Of the chart of what goes through now. */
export const FLOW_SECONDS = 300;

/** A node of which there is a snapshot. */
export type RunningNode = NodeState & { readonly snapshot: NodeSnapshot };

export class NodeState {
  readonly client: NodeClient;
  readonly wallet: WalletState;
  /** The library. */
  readonly contents: LatestRequest<readonly ContentView[]>;
  link = $state<LinkState>('connecting');
  snapshot = $state.raw<NodeSnapshot | null>(null);
  /** When the snapshot came. */
  snapshotAtMs = $state(0);
  history = $state.raw<readonly TrafficSample[]>([]);
  /** What goes through, second by second, for the last few minutes; the newest last. */
  flow = $state.raw<readonly TrafficNow[]>([]);
  /** What moves at this moment, by content id. */
  readonly titlesNow = $derived.by(() => {
    const moving = this.online ? (this.flow.at(-1)?.contents ?? []) : [];
    return new Map(moving.map((title) => [title.contentId, title] as const));
  });
  /** What was sent of titles that moved since the page was opened: newer than what the library says. */
  readonly sentBytes = new SvelteMap<string, number>();
  /** Of the desktop, or of whatever serves the pages; `null` until it has answered. */
  shell = $state.raw<ShellView | null>(null);
  /** Files that are being imported, by path. */
  importing = $state.raw<ReadonlyMap<string, number>>(new Map());
  readonly online = $derived(this.link === 'connected');

  #paidAtLastSample: number | null = null;

  /** @param link `no-token` where there is nothing to connect with */
  constructor(client: NodeClient, link: LinkState = 'connecting') {
    this.client = client;
    this.link = link;
    this.wallet = new WalletState(client);
    this.contents = new LatestRequest(() => client.call('contents', {}));
  }

  /** There is a snapshot; from then on there always is. */
  hasSnapshot(): this is RunningNode {
    return this.snapshot !== null;
  }

  /** Starts listening; the answer stops everything that was started. */
  start(): () => void {
    const sampling = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
    const stops = [
      () => clearInterval(sampling),
      this.client.subscribe(
        feedListener({
          snapshot: (snapshot) => this.#onSnapshot(snapshot),
          contents: (contents) => this.contents.set(contents),
          traffic: (now) => {
            this.flow = [...this.flow.slice(1 - FLOW_SECONDS), now];
            for (const { contentId, sentBytes } of now.contents) this.sentBytes.set(contentId, sentBytes);
          },
          shell: (shell) => {
            this.shell = shell;
          },
          importing: (file) => this.#onImporting(file),
        }),
      ),
      this.client.onConnection((connected) => this.#onConnection(connected)),
      // What is asked of a running node is asked once it runs.
      this.wallet.start(() => void this.contents.load()),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  refuse(): void {
    this.link = 'refused';
  }

  #onConnection(connected: boolean): void {
    if (!connected) {
      // Before the first connection the page is still connecting, however long that takes.
      if (this.link === 'connected') this.link = 'lost';
      return;
    }
    this.link = 'connected';
    this.client.call('shell', {}).then(
      (shell) => {
        this.shell ??= shell;
      },
      // Without an answer the pages offer nothing that only a desktop has.
      () => undefined,
    );
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
    this.snapshotAtMs = Date.now();
  }

  #sample(): void {
    if (this.snapshot === null || !this.online) return;
    const paid = paidUnits(this.snapshot);
    this.history = addSample(this.history, this.snapshot, this.#paidAtLastSample ?? paid, Date.now());
    this.#paidAtLastSample = paid;
  }
}
