/**
 * Asks peers that strangers named whether they have a content, many at once, each for a moment. Only who is there, is
 * who it was named as, and says yes counts as a provider; so a thousand made-up names cost time, and hide nobody.
 */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { LRUCache } from 'lru-cache';
import { isAceError } from '../../shared/errors.ts';
import { stoppedUntilMs } from '../p2p/offer.ts';
import { askHave } from '../p2p/protocols/have/protocol.ts';
import type { Stopped } from '../transfer/stopped.ts';
import type { Provider } from '../transfer/transfer.ts';
import { MAX_SILENT, PROBE_MS, PROBED_AT_ONCE, SILENT_MS } from './limits.ts';
import type { MetProviders } from './met-providers.ts';

export interface Candidate {
  readonly peerId: string;
  /** Each ends with the peer's id. */
  readonly addresses: readonly Multiaddr[];
}

/** Takes what is heard, as it comes. */
export interface Heard {
  found(provider: Provider): void;
  /** This peer has it, and does not send it for now. */
  stopped(peerId: string, stopped: Stopped): void;
}

export interface ProberOptions {
  readonly host: Libp2p;
  readonly checkCertificate: (certificate: Uint8Array, device: Uint8Array) => Promise<string>;
  readonly met: MetProviders;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
}

export class Prober {
  readonly #options: ProberOptions;
  /** Until when a (peer, addresses) is passed over: false addresses of a peer do not count against its right ones. */
  readonly #silent = new LRUCache<string, number>({ max: MAX_SILENT });

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Asks each candidate as it comes; resolves when the last has answered or was given up. */
  async ask(
    contentId: string,
    candidates: AsyncIterable<Candidate>,
    heard: Heard,
    signal: AbortSignal,
  ): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const candidate of candidates) {
      if (signal.aborted) break;
      const asking = this.#askOne(contentId, candidate, heard, signal).finally(() => running.delete(asking));
      running.add(asking);
      if (running.size >= PROBED_AT_ONCE) await Promise.race(running);
    }
    await Promise.all(running);
  }

  async #askOne(
    contentId: string,
    { peerId, addresses }: Candidate,
    heard: Heard,
    signal: AbortSignal,
  ): Promise<void> {
    const { host, checkCertificate, met, nowMs, wallMs } = this.#options;
    const place = [peerId, ...addresses.map(String)].join(' ');
    if ((this.#silent.peek(place) ?? 0) > nowMs()) return;
    try {
      const until = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
      const holder = await askHave(host, addresses, contentId, checkCertificate, until);
      if (!holder) return;
      met.greeted(peerId, holder.account);
      heard.found({
        peerId,
        account: holder.account,
        addresses: withLast(addresses, holder.address, peerId),
      });
    } catch (error) {
      if (isAceError(error, 'ProviderStopped')) {
        heard.stopped(peerId, { untilMs: stoppedUntilMs(error, wallMs()) });
        return;
      }
      // Nobody is there, or not the one who was named, or it wants to be left alone; a question cut short shows nothing.
      const restMs = isAceError(error, 'TooManyRequests') ? Number(error.details.retryAfterMs) : SILENT_MS;
      if (!signal.aborted) this.#silent.set(place, nowMs() + Math.min(restMs || SILENT_MS, SILENT_MS));
    }
  }
}

/** Where it answered comes first; an inbound connection's address is none to dial. */
function withLast(
  addresses: readonly Multiaddr[],
  answered: Multiaddr,
  peerId: string,
): readonly Multiaddr[] {
  const text = answered.toString();
  const first = addresses.find((address) => address.toString().startsWith(text) && text.length > 0);
  if (!first) return addresses;
  return [first, ...addresses.filter((address) => address !== first)].filter((a) =>
    a.toString().includes(peerId),
  );
}
