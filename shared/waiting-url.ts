/** In the address of a content: who asks shows by itself why nothing comes, and waits for it, be it for hours. */
export const WAITS_FLAG = 'waits';

/** For the page and the command line, which hear from the node why a transfer waits. A player elsewhere must be told. */
export function waitingUrl(playbackUrl: string): string {
  return `${playbackUrl}${playbackUrl.includes('?') ? '&' : '?'}${WAITS_FLAG}=1`;
}
