/**
 * Who has a content: asks all lookups at once, each for so long at most, and merges their answers. The answer comes
 * with the first provider; the other lookups go on, and what they find is part of the next answer. So a lookup that is
 * slow, away or lying holds up nobody that another one names.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Multiaddr } from '@multiformats/multiaddr';
import { LRUCache } from 'lru-cache';
import { isAceError } from '../../shared/errors.ts';
import type { Log } from '../process/log.ts';
import { type Stopped, stoppedProviders } from '../transfer/stopped.ts';
import type { Provider } from '../transfer/transfer.ts';
import { Signal } from '../util/signal.ts';
import { MAX_FOUND, MAX_KEPT_ANSWERS, MAX_PROVIDER_ADDRESSES } from './limits.ts';
import type { MetProviders } from './met-providers.ts';
import type { Heard } from './prober.ts';

export interface ProviderLookup {
  readonly name: string;
  /** It is given up after this long; what it found by then counts. */
  readonly deadlineMs: number;
  /** What it found is not asked for again for this long. */
  readonly keepMs: number;
  /** Tells of each provider as it is heard of. A lookup that cannot answer throws. */
  find(contentId: string, heard: Heard, signal: AbortSignal): Promise<void>;
}

export interface FinderOptions {
  /** Best first: providers are given in this order where the lookups do not rank them otherwise. */
  readonly lookups: readonly ProviderLookup[];
  /** This node, which is no provider of its own. */
  readonly peerId: string;
  /** Its account: other devices of it charge nothing. */
  readonly account: string;
  readonly met: MetProviders;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** Others may have found something by then too. */
const GRACE_MS = 20;
/** Above all of `MetProviders`. */
const OWN_RANK = 3;

interface Search {
  readonly found: Map<string, Provider>;
  /** Peers that have it and do not send it for now. */
  readonly stopped: Map<string, Stopped>;
  readonly controller: AbortController;
  readonly done: Promise<void>;
  endedAtMs: number | null;
  error: unknown;
}

export class ProviderFinder {
  readonly #options: FinderOptions;
  /** Searches by content and lookup, the one that was asked for last kept longest. */
  readonly #kept = new LRUCache<string, Map<string, Search>>({
    max: MAX_KEPT_ANSWERS,
    dispose: (byLookup, _, reason) => {
      if (reason === 'evict') for (const { controller } of byLookup.values()) controller.abort();
    },
  });
  /** A provider was found, or a search has ended. */
  readonly #signal = new Signal();
  #stopped = false;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /**
   * Providers, own devices first, then those that have served or at least greeted this node, then one of each lookup, round
   * and round; none twice. Whose device one is counts only where a greeting has shown it, whatever a lookup says.
   * @throws AceError when there is none: `ProviderStopped` when somebody has it all the same, `ShardUnavailable` when a
   *   lookup could not be asked
   */
  async find(contentId: string): Promise<Provider[]> {
    const searches = this.#searches(contentId);
    const all = Promise.allSettled(searches.map(({ done }) => done));
    let ended = false;
    void all.then(() => {
      ended = true;
      this.#signal.notify();
    });
    while (!ended && searches.every(({ found }) => found.size === 0)) await this.#signal.wait();
    if (!ended) await Promise.race([all, delay(GRACE_MS)]);
    const providers = this.#merged(searches);
    if (providers.length > 0) return providers;
    const stops = searches.flatMap(({ stopped }) => [...stopped.values()]);
    if (stops.length > 0) throw stoppedProviders(stops);
    const failed = searches.find(({ error }) => isAceError(error, 'ShardUnavailable'));
    if (failed) throw failed.error;
    return [];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const searches = [...this.#kept.values()].flatMap((byLookup) => [...byLookup.values()]);
    for (const { controller } of searches) controller.abort();
    await Promise.allSettled(searches.map(({ done }) => done));
  }

  #searches(contentId: string): Search[] {
    const byLookup = this.#kept.get(contentId) ?? new Map<string, Search>();
    this.#kept.set(contentId, byLookup);
    return this.#options.lookups.map((lookup) => {
      const known = byLookup.get(lookup.name);
      if (known && this.#isFresh(known, lookup)) return known;
      const search = this.#start(lookup, contentId, known);
      byLookup.set(lookup.name, search);
      return search;
    });
  }

  #isFresh({ endedAtMs, found }: Search, { keepMs }: ProviderLookup): boolean {
    if (endedAtMs === null) return true;
    return found.size > 0 && this.#options.nowMs() - endedAtMs < keepMs;
  }

  #start(lookup: ProviderLookup, contentId: string, before: Search | undefined): Search {
    const { log, nowMs, peerId } = this.#options;
    const controller = new AbortController();
    const now = new Set<string>();
    // Until it has answered again, what it found before stands, if its answers are kept at all.
    const found = new Map(lookup.keepMs > 0 ? before?.found : []);
    const take = (provider: Provider) => {
      const isNew = !found.has(provider.peerId);
      if (search.endedAtMs !== null || provider.peerId === peerId || provider.addresses.length === 0) return;
      if (isNew && found.size >= MAX_FOUND) return;
      now.add(provider.peerId);
      found.set(provider.peerId, provider);
      this.#signal.notify();
    };
    const stopped = new Map<string, Stopped>();
    const heard: Heard = {
      found: take,
      stopped: (at, stop) => {
        if (search.endedAtMs === null && stopped.size < MAX_FOUND) stopped.set(at, stop);
      },
    };
    const timer = setTimeout(() => controller.abort(), lookup.deadlineMs);
    if (this.#stopped) controller.abort();
    const aborted = new Promise<void>((resolve) => {
      controller.signal.addEventListener('abort', () => resolve(), { once: true });
      if (controller.signal.aborted) resolve();
    });
    // Later, so that what it finds at once belongs to a search that exists.
    const asking = Promise.resolve().then(() => lookup.find(contentId, heard, controller.signal));
    const asked = asking.catch((error: unknown) => {
      if (controller.signal.aborted) return; // its time was up
      search.error = error;
      log.debug({ err: error, source: lookup.name }, 'a source of providers could not be asked');
    });
    const done = Promise.race([asked, aborted]).finally(() => {
      clearTimeout(timer);
      search.endedAtMs = nowMs();
      for (const id of found.keys()) if (!now.has(id)) found.delete(id);
    });
    const search: Search = { found, stopped, controller, done, endedAtMs: null, error: null };
    return search;
  }

  /** One of each lookup, round and round, so that no lookup can push another's out of sight. */
  #merged(searches: readonly Search[]): Provider[] {
    const merged = new Map<string, Provider>();
    const lists = searches.map(({ found }) => [...found.values()]);
    for (let i = 0; lists.some((list) => i < list.length); i++) {
      for (const list of lists) {
        const provider = list[i];
        if (provider) merged.set(provider.peerId, joined(merged.get(provider.peerId), provider));
      }
    }
    const { met, account } = this.#options;
    const rank = ({ peerId }: Provider) => (met.isDeviceOf(peerId, account) ? OWN_RANK : met.rankOf(peerId));
    return [...merged.values()].sort((a, b) => rank(b) - rank(a));
  }
}

function joined(known: Provider | undefined, other: Provider): Provider {
  if (!known) return other;
  const addresses = new Map<string, Multiaddr>();
  for (const address of [...known.addresses, ...other.addresses]) addresses.set(address.toString(), address);
  return { ...known, addresses: [...addresses.values()].slice(0, MAX_PROVIDER_ADDRESSES) };
}
