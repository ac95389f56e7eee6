/** What access to titles costs, as the procedures show it. */
import { formatAmount, parseAmount, type TokenAmount } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';
import type { AccessView } from '../../shared/rpc/content.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import type { AccessBook } from '../account/access-book.ts';

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
