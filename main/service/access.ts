/** What access to titles costs, as the procedures show it. */
import { formatAmount, parseAmount, type TokenAmount } from '../../shared/economy/money.ts';
import type { AccessOperation } from '../../shared/economy/operation.ts';
import { AceError } from '../../shared/errors.ts';
import type { AccessView } from '../../shared/rpc/content.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import type { AccessBook, AccessState } from '../account/access-book.ts';
import { parseContentId } from '../content/transport-file.ts';
import type { RunningPeer } from '../peer/peer.ts';

/** `null` for what costs nothing. */
export function accessViewOf(access: Pick<AccessBook, 'state'>, contentId: string): AccessView | null {
  const known = access.state(contentId);
  if (!known) return null;
  const { sold, offer, state, untilMs } = known;
  return {
    contentId: sold.contentId,
    seller: shownAddress(sold.terms.seller),
    premium: sold.terms.premium,
    priceXac: formatAmount(offer.priceXac),
    lastsMs: offer.lastsMs,
    state,
    untilMs,
  };
}

/** @throws AceError `InvalidAmount` */
export function askedPrice(text: string): TokenAmount {
  const price = parseAmount(text.trim());
  if (price === 0n)
    throw new AceError('InvalidAmount', 'The price must be more than 0: leave it out for nothing');
  return price;
}

/**
 * What access to a title costs, as its file says, and of a broadcast its newest record; a title that is not known here is
 * looked up. @throws AceError `NoProviders`, `ShardUnavailable`, `InvalidInput` when it costs nothing
 */
export async function accessTerms(
  { access, live }: Pick<RunningPeer, 'access' | 'live'>,
  link: string,
): Promise<Omit<AccessOperation, 'from' | 'nonce'>> {
  const contentId = parseContentId(link);
  const broadcast = await live.broadcastOf(contentId);
  // Its file has the price of its beginning: who pays that later has bought nothing.
  if (broadcast !== null) await live.hearNewest(broadcast);
  // Also within a moment of the last time: a purchase whose answer was lost is found before its price is told again.
  await access.refresh(contentId);
  const state = access.state(contentId);
  if (!state) {
    throw new AceError('InvalidInput', 'Access to this title costs nothing: play it', {
      details: { field: 'contentId', reason: 'costs-nothing' },
    });
  }
  const { seller, premium } = state.sold.terms;
  const { priceXac, lastsMs } = state.offer;
  return { kind: 'access', to: seller, contentId: state.sold.contentId, priceXac, premium, lastsMs };
}

/**
 * What is known of the title counts: nobody pays for what is open already, or what opens nothing.
 * @param wasOpen whether it was when the user was told the price
 * @throws AceError `AccessBought`, `SlippageExceeded`
 */
export function checkPurchase(
  { to, priceXac, premium, lastsMs }: AccessOperation,
  known: AccessState | null,
  wasOpen = true,
): void {
  if (!known) return;
  const { state, offer, sold } = known;
  if (state === 'own')
    throw new AceError('AccessBought', 'This account sells this title: it has access to it');
  // Bought again before its end, what ends goes on from there.
  if (state === 'open' && offer.lastsMs === 0)
    throw new AceError('AccessBought', 'Access to this title is bought already, for ever');
  if (state === 'open' && !wasOpen)
    throw new AceError('AccessBought', 'Access to this title was bought meanwhile: nothing is paid again');
  if (state === 'open' && !known.goesOn) {
    throw new AceError(
      'AccessBought',
      'Access to this title was bought on other terms: buy again once it has ended, or what is left of it is lost',
    );
  }
  const isAsked =
    to === sold.terms.seller &&
    premium === sold.terms.premium &&
    priceXac === offer.priceXac &&
    lastsMs === offer.lastsMs;
  if (isAsked) return;
  throw new AceError(
    'SlippageExceeded',
    `Its seller asks ${formatAmount(offer.priceXac)} XAC now, on other terms than these: ask for a new quote`,
    { details: { priceXac: formatAmount(offer.priceXac) } },
  );
}
