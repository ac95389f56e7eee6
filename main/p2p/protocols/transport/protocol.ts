/** Fetches a transport file from a peer by content id. One request and one answer per stream. */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError } from '../../../../shared/errors.ts';
import {
  MAX_TRANSPORT_BYTES,
  readTransportFile,
  type TransportFile,
} from '../../../content/transport-file.ts';
import type { NodeStore } from '../../../db/node/store.ts';
import type { Log } from '../../../log.ts';
import { openStream, serveProtocol } from '../../host.ts';

export const TRANSPORT_PROTOCOL = '/ace/transport/1.0.0';

const ASK_LIMITS = { maxFrameBytes: 120, maxBufferedBytes: 4_096 } as const;
const ANSWER_LIMITS = {
  maxFrameBytes: MAX_TRANSPORT_BYTES,
  maxBufferedBytes: 2 * MAX_TRANSPORT_BYTES,
} as const;
const TIMEOUT_MS = 10_000;

/** An unknown content is answered with an empty frame. */
export async function serveTransportFiles(host: Libp2p, store: NodeStore, log: Log): Promise<void> {
  await serveProtocol(
    host,
    TRANSPORT_PROTOCOL,
    ASK_LIMITS,
    async (frames) => {
      const asked = await frames.read(TIMEOUT_MS);
      if (!asked) return;
      const row = store.contents.get(new TextDecoder().decode(asked.subarray()));
      frames.send(row?.transport ?? new Uint8Array(0));
      // A peer that reads nothing runs into the time limit, which ends the stream.
      await frames.writable();
    },
    (error) => log.warn({ err: error }, 'a peer broke the transport-file protocol'),
  );
}

/** @throws AceError `PeerUnreachable`, `ContentUnknown`, `TransportFileInvalid`, `RequestTimeout` */
export async function fetchTransportFile(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  contentId: string,
): Promise<{ bytes: Uint8Array; file: TransportFile }> {
  const frames = await openStream(host, addresses, TRANSPORT_PROTOCOL, ANSWER_LIMITS);
  try {
    frames.send(new TextEncoder().encode(contentId));
    const bytes = (await frames.read(TIMEOUT_MS))?.subarray();
    if (!bytes || bytes.byteLength === 0)
      throw new AceError('ContentUnknown', 'The peer does not have this content');
    return { bytes, file: readTransportFile(contentId, bytes) };
  } finally {
    await frames.close();
  }
}
