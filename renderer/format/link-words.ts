import type { LinkState } from '../state/link.ts';

export interface LinkWords {
  readonly what: string;
  readonly next: string;
  /** A problem that a person may act on. */
  readonly warn: boolean;
}

/** What to say about the connection to the node; `null` while all is well. */
export function linkWords(link: LinkState): LinkWords | null {
  switch (link) {
    case 'connected':
      return null;
    case 'connecting':
      return { what: 'Connecting to the node…', next: 'This takes a moment after a start.', warn: false };
    case 'lost':
      return {
        what: 'The node does not answer.',
        next: 'Nothing is lost. The figures below are the last ones heard; the page connects again by itself.',
        warn: true,
      };
    case 'refused':
      return {
        what: 'The node does not accept this page.',
        next: 'Its key has changed. Open the address that the node printed when it started.',
        warn: true,
      };
    case 'no-token':
      return {
        what: 'This address lacks the key to your node.',
        next: 'Open the whole address that the node printed when it started; it ends with #token=…',
        warn: true,
      };
  }
}
