/** The demo's second story: one node sells access to a title, another is refused, buys it, and plays it. */
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';
import type { NodeConnection } from './node-connection.ts';

/** Document 003: a title of the premium pool for 3 XAC. */
const PRICE_XAC = '3';
/** For the first of it that is fetched, at least: what is left over stays. */
const TRAFFIC_XAT = '0.01';
/** Only the beginning is played: the credit story moves all of the file. */
const FIRST_BYTE = { range: 'bytes=0-0' };

export interface DemoAccess {
  readonly contentId: string;
  readonly priceXac: string;
  /** With what a player was refused before the purchase, and its HTTP status. */
  readonly refusal: { readonly status: number; readonly code: string };
  /** Taken from what the buyer had to spend; decimal token strings. */
  readonly burnedXat: string;
  readonly sellerXac: string;
  readonly feeXac: string;
  /** Whether it played afterwards. */
  readonly played: boolean;
}

/** @throws AceError what a node refuses */
export async function sellAndBuy(
  seller: NodeConnection,
  buyer: NodeConnection,
  path: string,
): Promise<DemoAccess> {
  const { contentId } = await seller.call('importFile', { path, priceXac: PRICE_XAC, premium: true });
  const { playbackUrl } = await buyer.call('play', { contentId });
  const refused = await fetch(playbackUrl, { headers: FIRST_BYTE });
  const { code } = (await refused.json()) as { code?: string };
  await buyer.call('topUp', { amountXat: formatAmount(parseAmount(PRICE_XAC) + parseAmount(TRAFFIC_XAT)) });
  const quote = await buyer.call('quoteAccess', { contentId });
  const { to, priceXac, premium, lastsMs, expiresAtMs } = quote;
  await buyer.call('buyAccess', { contentId, to, priceXac, premium, lastsMs, expiresAtMs });
  const playing = await fetch(playbackUrl, { headers: FIRST_BYTE });
  const { byteLength } = await playing.arrayBuffer();
  await buyer.call('stop', { contentId });
  if (code === undefined) throw new AceError('Internal', 'The demo’s buyer was refused without a reason');
  return {
    contentId,
    priceXac,
    refusal: { status: refused.status, code },
    burnedXat: quote.fromXat,
    sellerXac: quote.sellerXac,
    feeXac: formatAmount(parseAmount(priceXac) - parseAmount(quote.sellerXac)),
    played: playing.ok && byteLength === 1,
  };
}
