/** The part of a page's `location` that decides. */
export interface PageAddress {
  readonly protocol: string;
  readonly port: string;
  readonly origin: string;
}

/**
 * The same server under the name that this page was opened with: `localhost` and `127.0.0.1` are two sites to a
 * browser, and the node refuses requests from another site.
 */
export function ownUrl(playbackUrl: string, page: PageAddress): string {
  const url = new URL(playbackUrl, page.origin);
  if (page.protocol !== 'http:' || url.port !== page.port) return url.href;
  return page.origin + url.pathname + url.search;
}
