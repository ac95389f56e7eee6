/** What plays. It outlives the views: looking at the wallet does not stop the film. */

import type { ContentView, TrackView } from '../../shared/rpc/content.ts';
import type { NodeClient } from '../../shared/rpc/rpc.ts';
import { type ErrorWords, errorWords, startWords } from '../format/error-words.ts';
import { ownUrl } from '../format/own-url.ts';

export class PlayerState {
  readonly #client: NodeClient | null;
  content = $state.raw<ContentView | null>(null);
  playbackUrl = $state<string | null>(null);
  /** Content id that was asked for and is not there yet. */
  starting = $state<string | null>(null);
  error = $state.raw<ErrorWords | null>(null);
  /** What the title has to see and to hear; `null` until that is known. */
  tracks = $state.raw<readonly TrackView[] | null>(null);
  /** Told by the video element. */
  durationSeconds = $state<number | null>(null);
  bufferedSeconds = $state(0);

  constructor(client: NodeClient | null) {
    this.#client = client;
  }

  async play(contentId: string): Promise<void> {
    this.error = null;
    this.starting = contentId;
    try {
      const started = await this.#client?.call('play', { contentId });
      // A later request overtook this one.
      if (!started || this.starting !== contentId) return;
      this.durationSeconds = null;
      this.bufferedSeconds = 0;
      this.tracks = null;
      this.content = started.content;
      this.playbackUrl = ownUrl(started.playbackUrl, location);
      void this.#learnTracks(started.content.contentId);
    } catch (error) {
      if (this.starting === contentId) this.error = startWords(error);
    } finally {
      if (this.starting === contentId) this.starting = null;
    }
  }

  /** The node reads them from what the video element fetches. Without an answer nothing is said about them. */
  async #learnTracks(contentId: string): Promise<void> {
    const told = await this.#client?.call('tracks', { contentId }).catch(() => null);
    if (told && this.content?.contentId === contentId) this.tracks = told.tracks;
  }

  async stop(): Promise<void> {
    const contentId = this.content?.contentId;
    this.content = null;
    this.tracks = null;
    this.playbackUrl = null;
    this.error = null;
    try {
      if (contentId !== undefined) await this.#client?.call('stop', { contentId });
    } catch (error) {
      this.error = errorWords(error);
    }
  }

  /** Something else was asked for: what went wrong before is no longer of interest. */
  clearError(): void {
    this.error = null;
  }

  /** Bytes per hour of this title, once its length is known. */
  get bytesPerHour(): number | null {
    // A broadcast has no length.
    if (this.content === null || this.content.live || !this.durationSeconds) return null;
    return (this.content.sizeBytes / this.durationSeconds) * 3_600;
  }
}
