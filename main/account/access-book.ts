/**
 * The access that this account has bought: its home shard's certificates, kept here and shown to the providers of
 * what was bought. One that lacks is asked for: it may have been bought on another device.
 */
import { LRUCache } from 'lru-cache';
import { type AccessOffer, offerAt } from '../../shared/economy/access-terms.ts';
import { formatAmount } from '../../shared/economy/money.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import {
  type AccessCertificate,
  accessEndMs,
  type SignedAccess,
} from '../../shared/settlement/access-certificate.ts';
import type { Sold, SoldTerms } from '../content/sold-terms.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { AccessGate } from '../pieces/access-gate.ts';
import type { Log } from '../process/log.ts';

export interface AccessBookContext {
  readonly store: Pick<NodeStore, 'accessCertificates' | 'commit'>;
  readonly sold: Pick<SoldTerms, 'of'>;
  readonly gate: Pick<AccessGate, 'read'>;
  readonly account: string;
  readonly toleranceMs: number;
  readonly nowMs: () => number;
  /** The home shard. @throws AceError `ShardUnavailable`, … */
  readonly ask: (contentId: string, seller: string) => Promise<SignedAccess | null>;
  /** Something may be open now that was not. */
  readonly onOpened: () => void;
  readonly log: Log;
}

/** What this account may do with something that is sold. */
export interface AccessState {
  readonly sold: Sold;
  /** What is asked now. */
  readonly offer: AccessOffer;
  readonly state: 'own' | 'open' | 'needed' | 'expired';
  /** Of what was bought: when it ends, or has ended; `null` for ever, and where nothing was bought. */
  readonly untilMs: number | null;
  /** Of what is open: bought now, one more span is added to it. Otherwise what is left of it would be lost. */
  readonly goesOn: boolean;
}

/** What lacks is asked for again after so long: it may be bought meanwhile on another device. */
const ASK_AGAIN_MS = 15_000;
/** Contents of which is remembered when they were asked for: who pages through more asks for some of them too soon again. */
const MAX_ASKED = 1_024;

export class AccessBook {
  readonly #context: AccessBookContext;
  /** When a certificate was asked for last, by content, on a clock that nobody sets. */
  readonly #askedAtMs = new LRUCache<string, number>({ max: MAX_ASKED });
  readonly #asking = new Map<string, Promise<void>>();

  constructor(context: AccessBookContext) {
    this.#context = context;
  }

  /** The terms of a content or a segment and what of them is bought; `null` when it costs nothing or is not known here. */
  state(contentId: string): AccessState | null {
    const { sold: terms, account, nowMs, toleranceMs } = this.#context;
    const sold = terms.of(contentId);
    if (!sold) return null;
    const offer = offerAt(sold.terms, nowMs());
    const unopened = { sold, offer, untilMs: null, goesOn: false };
    if (sold.terms.seller === account) return { ...unopened, state: 'own' };
    const bought = this.#bought(sold);
    const endMs = bought && accessEndMs(bought, sold.terms, toleranceMs);
    if (bought === null || endMs === null) return { ...unopened, state: 'needed' };
    const untilMs = Number.isFinite(endMs) ? endMs : null;
    const goesOn = bought.priceXac >= offer.priceXac && bought.lastsMs === offer.lastsMs;
    return { sold, offer, state: endMs > nowMs() ? 'open' : 'expired', untilMs, goesOn };
  }

  /** What a provider is shown; `null` where nothing is sold or bought. */
  certificate(contentId: string): SignedAccess | null {
    const { sold: terms, account, store } = this.#context;
    const sold = terms.of(contentId);
    if (sold?.terms.seller === account) return null;
    return sold ? store.accessCertificates.get(sold.contentId, sold.terms.seller) : null;
  }

  /** Why nothing of it is asked for now; `null` when it may be. Asks the shard in the background when that is due. */
  trouble(contentId: string): AceError | null {
    const state = this.state(contentId);
    if (!state || state.state === 'own' || state.state === 'open') return null;
    const { contentId: soldId } = state.sold;
    const askedAtMs = this.#askedAtMs.get(soldId) ?? Number.NEGATIVE_INFINITY;
    if (performance.now() - askedAtMs >= ASK_AGAIN_MS) void this.#tryRefresh(contentId);
    return accessError(state);
  }

  /** The same, after the shard was asked if that is due. */
  async check(contentId: string): Promise<AceError | null> {
    if (this.trouble(contentId) === null) return null;
    const sold = this.#context.sold.of(contentId);
    if (sold) await this.#asking.get(sold.contentId);
    return this.trouble(contentId);
  }

  /** Asks the shard for the certificate. @throws AceError `ShardUnavailable`, … */
  async refresh(contentId: string): Promise<void> {
    const { sold: terms, account, ask, gate, store, onOpened, log } = this.#context;
    const sold = terms.of(contentId);
    if (!sold || sold.terms.seller === account) return;
    const { seller } = sold.terms;
    this.#askedAtMs.set(sold.contentId, performance.now());
    const signed = await ask(sold.contentId, seller);
    const access = signed && gate.read(signed);
    if (!signed) return;
    if (access?.account !== account || access.contentId !== sold.contentId || access.seller !== seller) {
      log.error({ contentId: sold.contentId }, 'the shard’s certificate of access is not what was asked for');
      return;
    }
    store.commit(() => store.accessCertificates.put(sold.contentId, seller, signed));
    onOpened();
  }

  #tryRefresh(contentId: string): Promise<void> {
    const soldId = this.#context.sold.of(contentId)?.contentId ?? contentId;
    const known = this.#asking.get(soldId);
    if (known) return known;
    const asking = this.refresh(contentId)
      .catch((error: unknown) => {
        const { log } = this.#context;
        if (!isAceError(error)) log.error({ err: error }, 'a certificate of access could not be kept');
        else log.debug({ err: error, contentId }, 'the shard did not say what was bought; it is asked again');
      })
      .finally(() => this.#asking.delete(soldId));
    this.#asking.set(soldId, asking);
    return asking;
  }

  /** What this account has bought of it, on whatever terms. */
  #bought({ contentId, terms }: Sold): AccessCertificate | null {
    const { store, gate, account } = this.#context;
    const signed = store.accessCertificates.get(contentId, terms.seller);
    const access = signed && gate.read(signed);
    return access?.account === account ? access : null;
  }
}

/** Why something that is sold is not to be had, with what it costs. */
export function accessError({ sold, offer, state }: AccessState): AceError {
  const priceXac = formatAmount(offer.priceXac);
  const details = {
    contentId: sold.contentId,
    seller: sold.terms.seller,
    priceXac,
    lastsMs: offer.lastsMs,
    premium: sold.terms.premium ? 1 : 0,
  };
  const how = `\`ace-node access ${sold.contentId}\` buys it`;
  return state === 'expired'
    ? new AceError(
        'AccessExpired',
        `The access that was bought has ended; going on costs ${priceXac} XAC: ${how}`,
        {
          reaction: 'pause-channel',
          details,
        },
      )
    : new AceError('AccessNeeded', `Access has to be bought first, for ${priceXac} XAC: ${how}`, {
        reaction: 'pause-channel',
        details,
      });
}
