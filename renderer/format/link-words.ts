import { m } from '../../shared/i18n/compiled/messages.js';
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
      return { what: m.link_connecting(), next: m.link_connecting_next(), warn: false };
    case 'lost':
      return { what: m.link_lost(), next: m.link_lost_next(), warn: true };
    case 'refused':
      return { what: m.link_refused(), next: m.link_refused_next(), warn: true };
    case 'no-token':
      return { what: m.link_no_token(), next: m.link_no_token_next(), warn: true };
  }
}
