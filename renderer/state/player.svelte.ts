/** What plays. It outlives the views: looking at the wallet does not stop the film. */
import type { ContentView, NodeClient } from '../../shared/rpc.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

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
      if (this.starting === contentId) this.error = errorWords(error);
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

  /** Bytes per hour of this title, once its length is known. */
  get bytesPerHour(): number | null {
    if (this.content === null || !this.durationSeconds) return null;
    return (this.content.sizeBytes / this.durationSeconds) * 3_600;
  }
}

/**
 * The same server under the name that this page was opened with: `localhost` and `127.0.0.1` are two sites to a
 * browser, and the node refuses requests from another site.
 */
export function ownUrl(playbackUrl: string, page: Pick<Location, 'protocol' | 'port' | 'origin'>): string {
  const url = new URL(playbackUrl, page.origin);
  if (page.protocol !== 'http:' || url.port !== page.port) return url.href;
  return page.origin + url.pathname + url.search;
}
