/**
 * Which view is on the screen, kept in the fragment of the address so that back and reload work: `#/settlements/s0-12`.
 * The slash keeps it apart from the names of places on a page.
 */

import { m } from '../../shared/i18n/compiled/messages.js';
import { feedListener, type NodeClient } from '../../shared/rpc/rpc.ts';
import { VIEWS, type ViewName } from '../../shared/rpc/shell.ts';

export const VIEW_NAMES: Readonly<Record<ViewName, () => string>> = {
  watch: m.nav_watch,
  sharing: m.nav_sharing,
  traffic: m.nav_traffic,
  wallet: m.nav_wallet,
  credit: m.nav_credit,
  settlements: m.nav_settlements,
  network: m.nav_network,
  settings: m.nav_settings,
};

export class Route {
  view = $state<ViewName>(fromHash(location.hash));
  /** What follows the view, as in `#/settlements/s0-12`. */
  detail = $state<string | null>(detailOf(location.hash));

  /** An `ace:` link that the system handed over, until the library has taken it. */
  link = $state<string | null>(null);

  /** Follows the address, and what the desktop shell asks to be shown; the answer stops. */
  start(client: NodeClient): () => void {
    const follow = () => {
      this.view = fromHash(location.hash);
      this.detail = detailOf(location.hash);
    };
    addEventListener('hashchange', follow);
    const unsubscribe = client.subscribe(
      feedListener({
        navigate: ({ view, link }) => {
          if (link !== null) this.link = link;
          this.navigate(`#/${view}`);
        },
      }),
    );
    return () => {
      removeEventListener('hashchange', follow);
      unsubscribe();
    };
  }

  /** @param address as in a link of the pages: `#/settlements/s0-12` */
  navigate(address: string): void {
    location.hash = address;
  }

  /** The link that was handed over; it is there once. */
  takeLink(): string | null {
    const { link } = this;
    this.link = null;
    return link;
  }
}

function fromHash(hash: string): ViewName {
  const name = hash.replace(/^#\/?/, '').split('/', 1)[0];
  return VIEWS.find((view) => name === view) ?? 'watch';
}

function detailOf(hash: string): string | null {
  const [, ...rest] = hash.replace(/^#\/?/, '').split('/');
  if (rest.length === 0) return null;
  try {
    return decodeURIComponent(rest.join('/'));
  } catch {
    return null; // an address that was changed by hand: the view itself is shown
  }
}
