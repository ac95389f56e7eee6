/** What plays. It outlives the views: looking at the wallet does not stop the film. */
import type { ContentView, NodeClient } from '../../shared/rpc.ts';
import { type ErrorWords, errorWords, startWords } from '../format/error-words.ts';
import { ownUrl } from '../format/own-url.ts';

export class PlayerState {
  readonly #client: NodeClient | null;
  content = $state.raw<ContentView | null>(null);
  playbackUrl = $state<string | null>(null);
  /** Content id that was asked for and is not there yet. */
  starting = $state<string | null>(null);
  error = $state.raw<ErrorWords | null>(null);
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
      this.content = started.content;
      this.playbackUrl = ownUrl(started.playbackUrl, location);
    } catch (error) {
      if (this.starting === contentId) this.error = startWords(error);
    } finally {
      if (this.starting === contentId) this.starting = null;
    }
  }

  async stop(): Promise<void> {
    const contentId = this.content?.contentId;
    this.content = null;
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
    if (this.content === null || !this.durationSeconds) return null;
    return (this.content.sizeBytes / this.durationSeconds) * 3_600;
  }
}
