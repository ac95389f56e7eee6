/** Which view is on the screen, kept in the fragment of the address so that back and reload work. */
export const VIEWS = ['watch', 'wallet', 'credit', 'settlements'] as const;
export type View = (typeof VIEWS)[number];

export const VIEW_NAMES: Readonly<Record<View, string>> = {
  watch: 'Watch',
  wallet: 'Wallet',
  credit: 'Credit',
  settlements: 'Settlements',
};

export class Route {
  view = $state<View>(fromHash(location.hash));

  /** Follows the address; the answer stops. */
  start(): () => void {
    const follow = () => {
      this.view = fromHash(location.hash);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }
}

function fromHash(hash: string): View {
  return VIEWS.find((view) => hash === `#${view}`) ?? 'watch';
}
