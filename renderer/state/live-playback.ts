/**
 * Plays a live playlist in a video element: with hls.js where the browser has Media Source Extensions, else with the
 * browser's own HLS. hls.js is loaded when the first broadcast is played.
 */

export interface LiveEvents {
  /** The browser cannot play it: neither way, or not its codecs. It is not tried again. */
  onUnsupported(): void;
  /** It does not come: it is tried again by itself. */
  onTrouble(troubled: boolean): void;
}

export interface LivePlayback {
  /** The newest that can be played, in seconds of the element's time; `null` while it is not known. */
  edge(): number | null;
  stop(): void;
}

const MANIFEST_TYPE = 'application/vnd.apple.mpegurl';
/** What went wrong for good is tried anew after this long: a broadcaster may be back. */
const AGAIN_MS = 3_000;
/** A decoder that fails so often within so long does not take the broadcast at all. */
const DECODER_TRIES = 3;
const DECODER_TRIES_MS = 30_000;

export async function playLive(
  video: HTMLVideoElement,
  url: string,
  events: LiveEvents,
): Promise<LivePlayback> {
  const { default: Hls, Events, ErrorTypes, ErrorDetails } = await import('hls.js/light');
  if (!Hls.isSupported()) return playNative(video, url, events);
  /** What no second try changes: there is no decoder for it. */
  const undecodable: ReadonlySet<string> = new Set([
    ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR,
    ErrorDetails.BUFFER_ADD_CODEC_ERROR,
    ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR,
  ]);
  let again: ReturnType<typeof setTimeout> | undefined;
  let decoderFailures: number[] = [];
  let destroyed = false;
  const destroy = () => {
    clearTimeout(again);
    if (!destroyed) hls.destroy();
    destroyed = true;
  };
  const hls = new Hls({
    // The content policy allows no worker that is made of text.
    enableWorker: false,
    liveSyncDurationCount: 3,
    // Further behind than this it jumps to the live edge.
    liveMaxLatencyDurationCount: 20,
    maxBufferLength: 20,
    backBufferLength: 60,
    // The first playlist waits for the first segment.
    manifestLoadPolicy: {
      default: {
        maxTimeToFirstByteMs: 20_000,
        maxLoadTimeMs: 30_000,
        timeoutRetry: null,
        errorRetry: { maxNumRetry: 3, retryDelayMs: 1_000, maxRetryDelayMs: 4_000 },
      },
    },
  });
  hls.on(Events.FRAG_BUFFERED, () => events.onTrouble(false));
  hls.on(Events.ERROR, (_event, data) => {
    if (!data.fatal) return;
    if (data.type === ErrorTypes.MEDIA_ERROR) {
      const nowMs = performance.now();
      decoderFailures = [...decoderFailures.filter((atMs) => nowMs - atMs < DECODER_TRIES_MS), nowMs];
      if (undecodable.has(data.details) || decoderFailures.length > DECODER_TRIES) {
        destroy();
        events.onUnsupported();
        return;
      }
      events.onTrouble(true);
      hls.recoverMediaError();
      return;
    }
    events.onTrouble(true);
    clearTimeout(again);
    again = setTimeout(() => {
      hls.loadSource(url);
      hls.startLoad();
    }, AGAIN_MS);
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    edge: () => (destroyed ? null : hls.liveSyncPosition),
    stop: destroy,
  };
}

function playNative(video: HTMLVideoElement, url: string, events: LiveEvents): LivePlayback {
  if (video.canPlayType(MANIFEST_TYPE) === '') events.onUnsupported();
  else video.src = url;
  return {
    edge: () => (video.seekable.length > 0 ? video.seekable.end(video.seekable.length - 1) - 6 : null),
    stop() {
      video.removeAttribute('src');
      video.load();
    },
  };
}
