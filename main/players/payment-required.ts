/** What a player is told of something that has to be bought first: a status, figures for programs, and a page for people. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AceError } from '../../shared/errors.ts';

/** Why a content is not to be had: it is sold, and not bought; else `null`. */
export type AccessCheck = (contentId: string) => Promise<AceError | null>;

/** Whether it was answered: another error, or one that comes too late for that, is not. */
export function answerPaymentRequired(req: IncomingMessage, res: ServerResponse, error: AceError): boolean {
  const { code, message, details } = error;
  if ((code !== 'AccessNeeded' && code !== 'AccessExpired') || res.headersSent) return false;
  const { contentId, seller, priceXac, lastsMs } = details;
  // guard.ts has checked that the name is ours.
  const buyUrl = `http://${req.headers.host}/#/watch/${contentId}`;
  res
    .writeHead(402, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      link: `<${buyUrl}>; rel="payment"`,
    })
    .end(`${JSON.stringify({ code, message, contentId, priceXac, lastsMs, seller, buyUrl })}\n`);
  return true;
}
