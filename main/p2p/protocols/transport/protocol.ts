/** Fetches a transport file from a peer by content id. One request and one answer per stream. */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError } from '../../../../shared/errors.ts';
import {
  type BroadcastFile,
  MAX_TRANSPORT_BYTES,
  readAnyTransportFile,
  type TransportFile,
} from '../../../content/transport-file.ts';
import type { NodeStore } from '../../../db/node/store.ts';
import type { Log } from '../../../process/log.ts';
import { ANSWER_OVERHEAD_BYTES, answerOf, readAnswer, refusalOf } from '../../answer.ts';
import type { FreeUpload } from '../../free-upload.ts';
import { openStream, serveProtocol } from '../../host.ts';
import { type Offer, whyNotOffered } from '../../offer.ts';
import { PeerLimits } from '../../peer-limits.ts';

export const TRANSPORT_PROTOCOL = '/ace/transport/2.0.0';

const ASK_LIMITS = { maxFrameBytes: 120, maxBufferedBytes: 4_096 } as const;
const ANSWER_LIMITS = {
  maxFrameBytes: MAX_TRANSPORT_BYTES + ANSWER_OVERHEAD_BYTES,
  maxBufferedBytes: 2 * MAX_TRANSPORT_BYTES,
} as const;
const TIMEOUT_MS = 10_000;
/** Nobody pays for transport files, and no cap holds them back: one peer gets what a viewer of many titles needs. */
export const TRANSPORT_RATES = {
  requests: { perSecond: 5, burst: 200 },
  bytes: { perSecond: 131_072, burst: 16 * MAX_TRANSPORT_BYTES },
} as const;

/**
 * What is not offered here is refused (`ContentUnknown`), and so are what is not sent for now (`ProviderStopped`), a peer that asks for too much, and strangers who have had
 * enough (`TooManyRequests`, with the time to wait).
 * @param offerOf what a peer that knows the id may learn
 */
export async function serveTransportFiles(
  host: Libp2p,
  store: NodeStore,
  offerOf: (contentId: string) => Offer,
  free: FreeUpload,
  log: Log,
): Promise<void> {
  const limits = new PeerLimits(TRANSPORT_RATES, () => performance.now());
  await serveProtocol(
    host,
    TRANSPORT_PROTOCOL,
    ASK_LIMITS,
    async (frames, connection) => {
      const asked = await frames.read(TIMEOUT_MS);
      if (!asked) return;
      const peerId = connection.remotePeer.toString();
      const contentId = new TextDecoder().decode(asked.subarray());
      const retryAfterMs = Math.max(
        limits.take(peerId, asked.byteLength).retryAfterMs,
        free.retryAfterMs(connection),
      );
      const offer = retryAfterMs > 0 ? 'unknown' : offerOf(contentId);
      const row =
        offer === 'offered' ? (store.contents.get(contentId) ?? store.broadcasts.get(contentId)) : null;
      const answer = row ? answerOf(row.transport) : refusalOf(whyNone(retryAfterMs, offer));
      limits.charge(peerId, frames.send(answer));
      free.charge(connection, row?.transport.byteLength ?? 0);
      // A peer that reads nothing runs into the time limit, which ends the stream.
      await frames.writable();
    },
    (error, { remotePeer }) =>
      log.warn({ err: error, peer: remotePeer.toString() }, 'a peer broke the transport-file protocol'),
  );
}

function whyNone(retryAfterMs: number, offer: Offer): AceError {
  return retryAfterMs > 0
    ? new AceError('TooManyRequests', 'The peer asks too often', { details: { retryAfterMs } })
    : whyNotOffered(offer === 'offered' ? 'unknown' : offer);
}

/**
 * @throws AceError `PeerUnreachable`, `PeerClosed`, `ContentUnknown`, `ProviderStopped`, `TooManyRequests`,
 *   `TransportFileInvalid`, `RequestTimeout`
 */
export async function fetchTransportFile(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  contentId: string,
): Promise<{ bytes: Uint8Array; file: TransportFile | BroadcastFile }> {
  const frames = await openStream(host, addresses, TRANSPORT_PROTOCOL, ANSWER_LIMITS);
  try {
    frames.send(new TextEncoder().encode(contentId));
    const answer = (await frames.read(TIMEOUT_MS))?.subarray();
    if (!answer) throw new AceError('PeerClosed', 'The peer did not answer about the content');
    const bytes = readAnswer(answer);
    return { bytes, file: readAnyTransportFile(contentId, bytes) };
  } finally {
    await frames.close();
  }
}
