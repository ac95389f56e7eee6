/** How a viewer meets a provider: both show the certificate of their device, and know then who pays whom. */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError } from '../../shared/errors.ts';
import type { Counterparty } from '../channel/payee.ts';
import { openStream } from '../p2p/host.ts';
import type { Meter } from '../p2p/meter.ts';
import { deviceKeyOf } from '../wallet/device-peer-id.ts';
import { OPENING_WINDOW_BYTES, PIECES_LIMITS, PIECES_PROTOCOL, type PiecesTimeouts } from './constants.ts';
import { unexpected } from './fetching.ts';
import { type CertificateCheck, Remote } from './remote.ts';

export interface GreetingContext {
  /** Who pays. */
  readonly payer: { readonly account: string };
  readonly meter: Meter;
  /** This device's certificate, canonical bytes. */
  readonly certificate: Uint8Array;
  readonly checkCertificate: CertificateCheck;
  readonly timeouts: PiecesTimeouts;
}

export interface Greeted {
  readonly remote: Remote;
  readonly provider: Counterparty;
  /** The provider is a device of the same account: nothing is charged. */
  readonly free: boolean;
  readonly roundTripMs: number;
}

/**
 * @param until aborted when nobody wants the stream any more
 * @throws AceError `PeerUnreachable`, `InvalidCertificate`, `ChannelMismatch`, `RequestTimeout`, …
 */
export async function greet(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  context: GreetingContext,
  until: AbortSignal,
): Promise<Greeted> {
  const frames = await openStream(host, addresses, PIECES_PROTOCOL, PIECES_LIMITS, until);
  const remote = new Remote(frames, context.meter);
  const giveUp = () => remote.abort(new AceError('PeerClosed', 'Nobody waits for the greeting any more'));
  until.addEventListener('abort', giveUp);
  try {
    frames.widen(OPENING_WINDOW_BYTES);
    const sentAtMs = performance.now();
    remote.send({ type: 'hello', certificate: context.certificate });
    const welcome = await remote.receive(context.timeouts.handshakeMs);
    if (welcome?.type !== 'welcome') throw unexpected('provider', welcome);
    const roundTripMs = performance.now() - sentAtMs;
    const connection = host.getConnections().find((c) => c.streams.includes(frames.stream));
    if (!connection) throw new AceError('PeerClosed', 'The connection closed during the greeting');
    const device = deviceKeyOf(connection.remotePeer);
    const account = await context.checkCertificate(welcome.certificate, device);
    refuseChargeOfOwn(context.payer.account, account, welcome.free);
    return { remote, provider: { account, device }, free: welcome.free, roundTripMs };
  } catch (error) {
    remote.abort(error as Error);
    throw error;
  } finally {
    until.removeEventListener('abort', giveUp);
  }
}

/** Between devices of one account nothing is charged, whatever the provider says. */
function refuseChargeOfOwn(own: string, provider: string, free: boolean): void {
  if (provider !== own || free) return;
  throw new AceError('ChannelMismatch', 'A device of the same account wants to be paid', {
    reaction: 'drop-peer',
  });
}
