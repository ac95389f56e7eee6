/** What plays. It outlives the views: looking at the wallet does not stop the film. */

import type { ContentView, TrackView } from '../../shared/rpc/content.ts';
import type { NodeClient, Output } from '../../shared/rpc/rpc.ts';
import { type ErrorWords, startWords } from '../format/error-words.ts';
import { ownUrl } from '../format/own-url.ts';
import { LatestRequest } from './latest-request.svelte.ts';

export class PlayerState {
  readonly #play: LatestRequest<Output<'play'>, [contentId: string]>;
  readonly #stop: LatestRequest<unknown, [contentId: string]>;
  readonly #tracks: LatestRequest<Output<'tracks'>, [contentId: string]>;
  #asked = $state('');
  content = $state.raw<ContentView | null>(null);
  playbackUrl = $state<string | null>(null);
  /** As the video element has it. */
  durationSeconds = $state<number | null>(null);
  bufferedSeconds = $state(0);

  constructor(client: NodeClient) {
    this.#play = new LatestRequest((contentId) => client.call('play', { contentId }), startWords);
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

  /** What the title has to see and to hear; `null` until that is known. */
  get tracks(): readonly TrackView[] | null {
    return this.#tracks.data?.tracks ?? null;
  }

  async play(contentId: string): Promise<void> {
    this.#stop.reset();
    this.#asked = contentId;
    const started = await this.#play.load(contentId);
    if (started === null) return;
    this.durationSeconds = null;
    this.bufferedSeconds = 0;
    this.content = started.content;
    this.playbackUrl = ownUrl(started.playbackUrl, location);
    this.#tracks.reset();
    void this.#tracks.load(started.content.contentId);
  }

  async stop(): Promise<void> {
    const contentId = this.content?.contentId;
    this.content = null;
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

  /** Bytes per hour of this title, once its length is known. */
  get bytesPerHour(): number | null {
    // A broadcast has no length.
    if (this.content === null || this.content.live || !this.durationSeconds) return null;
    return (this.content.sizeBytes / this.durationSeconds) * 3_600;
  }
}
