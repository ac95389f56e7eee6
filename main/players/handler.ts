/** What the HTTP server answers to players, encoders and uploads of a running node. */
import packageJson from '../../package.json' with { type: 'json' };
import type { RunningPeer } from '../peer/peer.ts';
import type { Log } from '../process/log.ts';
import { answerText } from '../rpc/answer-text.ts';
import type { ContentHandler } from '../rpc/http.ts';
import { liveHandler } from './live-http.ts';
import { playbackHandler } from './playback.ts';
import type { PaymentFigures } from './stat.ts';
import { type UploadContext, uploadHandler } from './upload.ts';

export const notPlayableYet: ContentHandler = (_req, res) =>
  answerText(res, 503, 'The node waits for its wallet: open its pages');

function paymentFigures({ sync, settings }: RunningPeer): PaymentFigures | null {
  if (!sync.picture) return null;
  const { unitPriceXac, account } = sync.picture;
  const { creditUsedUnits } = account;
  return { unitPriceXac, creditUsedUnits, creditLimitUnits: settings.trafficCreditLimitUnits };
}

export interface ContentHandlerOptions {
  readonly peer: RunningPeer;
  /** The API token, as it is now. */
  readonly token: () => string;
  /** Imports an uploaded file; what it resolves with is the answer. */
  readonly importUpload: UploadContext['import'];
  readonly log: Log;
}

export function contentHandler({ peer, token, importUpload, log }: ContentHandlerOptions): ContentHandler {
  const upload = {
    token,
    temporaryPath: () => peer.pieces.wholeFiles.temporaryPath(),
    import: importUpload,
    log,
  };
  const live = liveHandler(
    {
      pieces: peer.pieces,
      log,
      push: peer.live.push,
      clockError: () => peer.clock.error,
      accessError: (contentId) => peer.access.check(contentId),
      broadcastOf: (link, opening) => peer.live.broadcastOf(link, opening),
      watch: (broadcast) => peer.live.watch(broadcast),
    },
    playbackHandler({
      version: packageJson.version,
      pieces: peer.pieces,
      transferOf: (contentId, opening) => peer.library.transfer(contentId, opening),
      broadcastOf: (contentId) => peer.live.broadcastOf(contentId),
      watch: (broadcast) => peer.live.watch(broadcast),
      contentOf: (contentId) => peer.store.contents.get(contentId),
      payment: () => paymentFigures(peer),
      clockError: () => peer.clock.error,
      accessError: (contentId) => peer.access.check(contentId),
      nowMs: Date.now,
      log,
    }),
  );
  return uploadHandler(upload, live);
}
