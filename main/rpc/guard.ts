/**
 * Which requests are meant for us. Any web page in the user's browser can send requests to 127.0.0.1, so an address is
 * no proof of anything (test/adversary/SCENARIOS.md, row 40):
 * - `Host` must name this machine and our port, or a foreign name was rebound to 127.0.0.1; where the user has the
 *   pages served to other machines it must be the very IP address that was reached, since only names are rebound; other
 *   names that lead here are those that the user has named;
 * - `Origin`, if there is one, must be ours, or another page is the sender;
 * - `Sec-Fetch-Site` catches what carries no `Origin` (images, media, frames of other sites).
 * Players such as VLC send neither of the last two and pass, on this machine. From another one everything but the bare
 * pages takes the token, or the cookie that is given for the token: playing costs the user's money.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

export interface Refusal {
  readonly status: 400 | 401 | 403;
  readonly why: string;
}

export interface GuardOptions {
  readonly port: number;
  readonly token: string;
  /**
   * Further names that lead here, in lower case, with their port where that is another: a tunnel, a port mapping, a proxy.
   * Who is at their other end cannot be seen, so all that comes by them is from another machine.
   */
  readonly allowHosts?: readonly string[];
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
function refuseStranger(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  options: GuardOptions,
) {
  const host = headers.host?.toLowerCase();
  const isAllowed = host !== undefined && isAllowedHost(host, options);
  if (host === undefined || !(isAllowed || isOwnHost(host, options.port, socket)))
    return refusal(403, notOurs(host));
  const { origin } = headers;
  const isOwn =
    origin === undefined || origin === `http://${host}` || (isAllowed && origin === `https://${host}`);
  return isOwn ? null : refusal(403, 'Foreign origin');
}

/** With the way out. The name is repeated only where it is one. */
function notOurs(host: string | undefined): string {
  if (host === undefined || !isHostName(host)) return 'This address is not ours';
  return `This address is not ours. If ${host} leads here, start the node with --allow-host ${host}`;
}

/** `localhost:8080`, `node.example`, `[fd00::1]:6878` */
export function isHostName(text: string): boolean {
  return /^(?:[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/.test(text);
}

/** One that is allowed without a port is allowed with any. */
function isAllowedHost(host: string, { allowHosts = [] }: GuardOptions): boolean {
  return allowHosts.includes(host) || allowHosts.includes(host.replace(/:\d+$/, ''));
}

/**
 * For plain requests. A page of another site may open our pages in a tab (they show nothing without the token), and
 * the desktop window, whose pages have an origin of their own, adds the token to its media requests.
 */
export function refuseRequest(req: IncomingMessage, isPage: boolean, options: GuardOptions): Refusal | null {
  const stranger = refuseStranger(req, options);
  if (stranger) return stranger;
  const site = req.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') {
    if (isPage || isFromHere(req, options) || showsToken(req, options)) return null;
    return refusal(401, 'From another machine this takes the token: add ?token=… to the address');
  }
  const opensTab =
    req.headers['sec-fetch-mode'] === 'navigate' && req.headers['sec-fetch-dest'] === 'document';
  if (isPage && opensTab && req.method === 'GET') return null;
  if (tokenMatches(bearerToken(req.headers), options.token)) return null;
  return refusal(403, 'Requests from other sites are refused');
}

/** Whether a request has the token itself, which opens more than media: in its `Authorization` or its address. */
export function hasToken(req: IncomingMessage, token: string): boolean {
  return (
    tokenMatches(bearerToken(req.headers), token) ||
    tokenMatches(requestUrl(req)?.searchParams.get('token'), token)
  );
}

export function refuseUpgrade(req: IncomingMessage, options: GuardOptions): Refusal | null {
  const stranger = refuseStranger(req, options);
  if (stranger) return stranger;
  const url = requestUrl(req);
  if (url?.pathname !== '/rpc') return refusal(400, 'No socket here');
  if (!tokenMatches(url.searchParams.get('token'), options.token)) return refusal(401, 'Wrong token');
  return null;
}

/** Only a connection from one's own address has the same address at both ends. */
export function isThisMachine({ localAddress, remoteAddress }: Ends): boolean {
  return remoteAddress !== undefined && (isLoopback(remoteAddress) || remoteAddress === localAddress);
}

/** Also by a name of this machine: what came through a tunnel or a proxy has an address of this machine, too. */
export function isFromHere(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  options: GuardOptions,
): boolean {
  return isThisMachine(socket) && !isAllowedHost(headers.host?.toLowerCase() ?? '', options);
}

/** For a browser on another machine that has shown the token: a `<video>` and the parts of a playlist cannot show it. */
export function mediaCookie({ port, token }: GuardOptions): string {
  return `${cookieName(port)}=${cookieValue(token)}; Path=/; HttpOnly; SameSite=Strict`;
}

type Ends = Pick<Socket, 'localAddress' | 'remoteAddress'>;

function refusal(status: Refusal['status'], why: string): Refusal {
  return { status, why };
}

function showsToken(req: IncomingMessage, { port, token }: GuardOptions): boolean {
  if (hasToken(req, token)) return true;
  const name = `${cookieName(port)}=`;
  const cookie = req.headers.cookie?.split(/;\s*/).find((each) => each.startsWith(name));
  return tokenMatches(cookie?.slice(name.length), cookieValue(token));
}

/** Browsers share cookies between the ports of a machine. */
function cookieName(port: number): string {
  return `ace-media-${port}`;
}

/** Opens media only: the token cannot be had from it. */
function cookieValue(token: string): string {
  return createHmac('sha256', token).update('ace-node media cookie').digest('base64url');
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

function isOwnHost(host: string, port: number, { localAddress = '' }: Ends): boolean {
  const own = localAddress.replace(/^::ffff:/, '').replace(/%.*$/, '');
  const names = isLoopback(localAddress)
    ? // The whole of 127/8 is this machine: it may listen on another address of it.
      ['127.0.0.1', 'localhost', '[::1]', own]
    : [own.includes(':') ? `[${own}]` : own];
  return names.some((name) => host === `${name}:${port}` || (port === 80 && host === name));
}

function bearerToken(headers: IncomingHttpHeaders): string | null {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? null;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
