/** What plays. It outlives the views, and is remembered over a reload: looking at the wallet does not stop the film. */

import { unitsForBytes } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import { type ContentView, isPlayable, type TrackView } from '../../shared/rpc/content.ts';
import type { NodeClient, Output } from '../../shared/rpc/rpc.ts';
import { type ErrorWords, startWords } from '../format/error-words.ts';
import { ownUrl } from '../format/own-url.ts';
import { LatestRequest } from './latest-request.svelte.ts';

/** Where a person was in a title when the page was left. */
export interface LastPlayed {
  readonly contentId: string;
  readonly name: string;
  readonly atSeconds: number;
}

const LAST_PLAYED_KEY = 'ace-node-playing';
/** The place is kept so often, in seconds of the title. */
const KEEP_EVERY_SECONDS = 5;
/** A pasted link in a message: so much of it tells it from others. */
const SHOWN_LINK_CHARS = 24;

export class PlayerState {
  readonly #storage: Storage | null;
  readonly #play: LatestRequest<Output<'play'>, [contentId: string]>;
  readonly #stop: LatestRequest<unknown, [contentId: string]>;
  readonly #tracks: LatestRequest<Output<'tracks'>, [contentId: string]>;
  #asked = $state('');
  #askedName = $state('');
  /** What played when the page was left, or loaded anew; playing it costs money, so a person says so. */
  last = $state.raw<LastPlayed | null>(null);
  /** Where the title that plays is to begin. */
  #beginSeconds = 0;
  #keptSeconds = 0;
  content = $state.raw<ContentView | null>(null);
  playbackUrl = $state<string | null>(null);
  /** As the video element has it. */
  durationSeconds = $state<number | null>(null);
  bufferedSeconds = $state(0);

  /** @param storage of the tab, in which what plays is remembered; `null` for none */
  constructor(client: NodeClient, storage: Storage | null = null) {
    this.#storage = storage;
    this.last = readLast(storage);
    this.#play = new LatestRequest(async (contentId) => {
      const started = await client.call('play', { contentId });
      // Of a link it is known only now. Nothing was fetched yet, and nothing is, before the video element asks for it.
      if (isPlayable(started.content)) return started;
      throw new AceError('ContentNotPlayable', `${started.content.name} is neither video nor sound`);
    }, startWords);
    this.#stop = new LatestRequest((contentId) => client.call('stop', { contentId }));
    // The node reads them from what the video element fetches.
    this.#tracks = new LatestRequest((contentId) => client.call('tracks', { contentId }));
  }

  /** Content id that was asked for and is not there yet. */
  get starting(): string | null {
    return this.#play.busy ? this.#asked : null;
  }

  get error(): ErrorWords | null {
    return this.#play.error ?? this.#stop.error;
  }

  /** The title that did not start; another one may go on playing meanwhile. */
  get failed(): string | null {
    return this.#play.thrown === null ? null : this.#askedName;
  }

  /** What the title has to see and to hear; `null` until that is known. */
  get tracks(): readonly TrackView[] | null {
    return this.#tracks.data?.tracks ?? null;
  }

  /** @param name as far as it is known; of a link it is not */
  async play(contentId: string, name = shortLink(contentId), beginSeconds = 0): Promise<void> {
    this.#stop.reset();
    this.#asked = contentId;
    this.#askedName = name;
    const started = await this.#play.load(contentId);
    if (started === null) return;
    this.durationSeconds = null;
    this.bufferedSeconds = 0;
    this.content = started.content;
    this.#beginSeconds = beginSeconds;
    this.#keep(beginSeconds);
    this.playbackUrl = ownUrl(started.playbackUrl, location);
    this.#tracks.reset();
    void this.#tracks.load(started.content.contentId);
  }

  /** What played when the page was left, from where it was. */
  async playLast(): Promise<void> {
    if (this.last) await this.play(this.last.contentId, this.last.name, this.last.atSeconds);
  }

  /** Where the video that was just loaded is to begin; it is said once. */
  takeBegin(): number {
    const seconds = this.#beginSeconds;
    this.#beginSeconds = 0;
    return seconds;
  }

  /** Where the video is. */
  noteSeconds(seconds: number): void {
    if (Math.abs(seconds - this.#keptSeconds) >= KEEP_EVERY_SECONDS) this.#keep(seconds);
  }

  async stop(): Promise<void> {
    const contentId = this.content?.contentId;
    this.content = null;
    this.last = null;
    this.#storage?.removeItem(LAST_PLAYED_KEY);
    this.#tracks.reset();
    this.playbackUrl = null;
    this.clearError();
    if (contentId !== undefined) await this.#stop.load(contentId);
  }

  /** Something else was asked for: what went wrong before is no longer of interest. */
  clearError(): void {
    this.#play.thrown = null;
    this.#stop.thrown = null;
  }

  /** Units per hour of this title, once its length is known: each MiB that was begun costs as a whole one. */
  get unitsPerHour(): number | null {
    // A broadcast has no length.
    if (this.content === null || this.content.live || !this.durationSeconds) return null;
    return (unitsForBytes(this.content.sizeBytes) / this.durationSeconds) * 3_600;
  }

  #keep(atSeconds: number): void {
    if (this.content === null) return;
    const { contentId, name, live } = this.content;
    this.#keptSeconds = atSeconds;
    // A broadcast is joined at its edge.
    this.last = { contentId, name, atSeconds: live ? 0 : Math.floor(atSeconds) };
    this.#storage?.setItem(LAST_PLAYED_KEY, JSON.stringify(this.last));
  }
}

/** What another version of the pages left, or nobody, is nothing. */
function readLast(storage: Storage | null): LastPlayed | null {
  try {
    const { contentId, name, atSeconds } = JSON.parse(
      storage?.getItem(LAST_PLAYED_KEY) ?? '',
    ) as Partial<LastPlayed>;
    if (typeof contentId !== 'string' || typeof name !== 'string' || !Number.isFinite(atSeconds)) return null;
    return { contentId, name, atSeconds: atSeconds ?? 0 };
  } catch {
    return null;
  }
}

function shortLink(link: string): string {
  return link.length > SHOWN_LINK_CHARS ? `${link.slice(0, SHOWN_LINK_CHARS)}…` : link;
}
