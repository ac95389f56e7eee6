/**
 * Which requests on loopback are meant for us. Any web page in the user's browser can send requests to 127.0.0.1, so
 * an address is no proof of anything (SCENARIOS.md, 40):
 * - `Host` must name this machine and our port, or a foreign name was rebound to 127.0.0.1;
 * - `Origin`, if there is one, must be ours, or another page is the sender;
 * - `Sec-Fetch-Site` catches what carries no `Origin` (images, media, frames of other sites).
 * Players such as VLC send neither of the last two and pass.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export interface Refusal {
  readonly status: 400 | 401 | 403;
  readonly why: string;
}

export interface GuardOptions {
  readonly port: number;
  readonly token: string;
}

/** Compares in a time that tells nothing about how much of it was right. */
export function tokenMatches(given: string | null | undefined, token: string): boolean {
  if (typeof given !== 'string') return false;
  return timingSafeEqual(sha256(given), sha256(token));
}

/** Path and query of a request; `null` when they cannot be read. */
export function requestUrl(req: Pick<IncomingMessage, 'url'>): URL | null {
  // Resolving "//host/path" would take the host from the request line.
  if (!req.url?.startsWith('/') || req.url.startsWith('//')) return null;
  return URL.parse(req.url, 'http://127.0.0.1');
}

/** For every request, WebSocket upgrades included. `null` lets it pass. */
export function refuseStranger(headers: IncomingHttpHeaders, port: number): Refusal | null {
  const host = headers.host?.toLowerCase();
  if (host === undefined || !isOwnHost(host, port)) return { status: 403, why: 'This address is not ours' };
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return { status: 403, why: 'Foreign origin' };
  return null;
}

/**
 * For plain requests. A page of another site may open our pages in a tab (they show nothing without the token), and
 * the desktop window, whose pages have an origin of their own, adds the token to its media requests.
 */
export function refuseRequest(req: IncomingMessage, isPage: boolean, options: GuardOptions): Refusal | null {
  const stranger = refuseStranger(req.headers, options.port);
  if (stranger) return stranger;
  const site = req.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return null;
  const opensTab =
    req.headers['sec-fetch-mode'] === 'navigate' && req.headers['sec-fetch-dest'] === 'document';
  if (isPage && opensTab && req.method === 'GET') return null;
  if (showsToken(req, options.token)) return null;
  return { status: 403, why: 'Requests from other sites are refused' };
}

/** Whether a request has the token in its `Authorization`. */
export function showsToken(req: Pick<IncomingMessage, 'headers'>, token: string): boolean {
  return tokenMatches(bearerToken(req.headers), token);
}

export function refuseUpgrade(req: IncomingMessage, options: GuardOptions): Refusal | null {
  const stranger = refuseStranger(req.headers, options.port);
  if (stranger) return stranger;
  const url = requestUrl(req);
  if (url?.pathname !== '/rpc') return { status: 400, why: 'No socket here' };
  if (!tokenMatches(url.searchParams.get('token'), options.token)) return { status: 401, why: 'Wrong token' };
  return null;
}

function isOwnHost(host: string, port: number): boolean {
  const names = ['127.0.0.1', 'localhost', '[::1]'];
  return names.some((name) => host === `${name}:${port}` || (port === 80 && host === name));
}

function bearerToken(headers: IncomingHttpHeaders): string | null {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? null;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
