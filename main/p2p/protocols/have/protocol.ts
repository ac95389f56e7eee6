/**
 * Asks a peer whether it has a content for others. A peer that has it answers with its certificate, which shows whose device it
 * is; the connection proves that it is this device. So a provider that somebody names costs one question, and no trust.
 */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError, isAceError } from '../../../../shared/errors.ts';
import type { Log } from '../../../process/log.ts';
import { deviceKeyOf } from '../../../wallet/device-peer-id.ts';
import { answerOf, readAnswer, refusalOf } from '../../answer.ts';
import { openStream, serveProtocol } from '../../host.ts';
import { type Offer, whyNotOffered } from '../../offer.ts';
import { PeerLimits } from '../../peer-limits.ts';

export const HAVE_PROTOCOL = '/ace/have/2.0.0';

/** An id, or a certificate: a few hundred bytes. */
const LIMITS = { maxFrameBytes: 1_024, maxBufferedBytes: 2_048 } as const;
/** For a question of one message and an answer of one. */
const TIMEOUT_MS = 5_000;
/** Of one peer: a page of the library at once, and what its player looks up. */
const RATES = {
  requests: { perSecond: 20, burst: 100 },
  bytes: { perSecond: 20_480, burst: 102_400 },
} as const;

export interface HaveContext {
  readonly offerOf: (contentId: string) => Offer;
  /** This device's certificate, canonical bytes. */
  readonly certificate: Uint8Array;
  readonly log: Log;
}

/**
 * What is not here is refused (`ContentUnknown`), and so is what is not sent for now (`ProviderStopped`), and a peer that asks
 * too often (`TooManyRequests`).
 */
export async function serveHave(host: Libp2p, { offerOf, certificate, log }: HaveContext): Promise<void> {
  const limits = new PeerLimits(RATES, () => performance.now());
  await serveProtocol(
    host,
    HAVE_PROTOCOL,
    LIMITS,
    async (frames, connection) => {
      const asked = await frames.read(TIMEOUT_MS);
      if (!asked) return;
      const { retryAfterMs } = limits.take(connection.remotePeer.toString(), asked.byteLength);
      if (retryAfterMs > 0) {
        const details = { retryAfterMs };
        frames.send(refusalOf(new AceError('TooManyRequests', 'The peer asks too often', { details })));
      } else {
        const offer = offerOf(new TextDecoder().decode(asked.subarray()));
        frames.send(offer === 'offered' ? answerOf(certificate) : refusalOf(whyNotOffered(offer)));
      }
      await frames.writable(TIMEOUT_MS);
    },
    (error, { remotePeer }) =>
      log.debug({ err: error, peer: remotePeer.toString() }, 'a peer broke the have protocol'),
  );
}

export interface Holder {
  readonly account: string;
  /** Where it answered. */
  readonly address: Multiaddr;
}

/**
 * `null`: it does not have the content.
 * @param signal ends the question, also while it is dialed
 * @throws AceError `ProviderStopped`, `PeerUnreachable`, `RequestTimeout`, `TooManyRequests`, `InvalidCertificate`, …
 */
export async function askHave(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  contentId: string,
  checkCertificate: (certificate: Uint8Array, device: Uint8Array) => Promise<string>,
  signal: AbortSignal,
): Promise<Holder | null> {
  const frames = await openStream(host, addresses, HAVE_PROTOCOL, LIMITS, signal);
  const stop = () => frames.abort(new Error('the question was given up'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    frames.send(new TextEncoder().encode(contentId));
    const answer = (await frames.read(TIMEOUT_MS))?.subarray();
    if (!answer) return null;
    const certificate = readAnswer(answer);
    const connection = host.getConnections().find(({ streams }) => streams.includes(frames.stream));
    if (!connection) return null; // it closed meanwhile
    const account = await checkCertificate(certificate, deviceKeyOf(connection.remotePeer));
    return { account, address: connection.remoteAddr };
  } catch (error) {
    if (isAceError(error, 'ContentUnknown')) return null;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await frames.close();
  }
}
