/**
 * What of the node's feed is worth a notification to a user who is not looking at the window: pure, from what was known
 * before and what the feed brings now. The first picture of a kind is the base and gives no notice.
 */

import type { ContentView } from '../../shared/rpc/content.ts';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { NavigateView } from '../../shared/rpc/shell.ts';

export type Notice =
  /** A title that is being watched stands still for want of money. */
  | { readonly kind: 'credit-used-up'; readonly contentId: string; readonly name: string }
  | { readonly kind: 'loans-repaid' }
  | { readonly kind: 'import-finished'; readonly contentId: string; readonly name: string }
  /** Of somebody else's. */
  | { readonly kind: 'broadcast-ended'; readonly contentId: string; readonly name: string };

export class NoticeWatch {
  /** Titles that stand still for want of money; `null` before the first snapshot. */
  #unpaid: ReadonlySet<string> | null = null;
  #creditUsedUnits = 0;
  /** By content id; `null` before the first list. */
  #contents: ReadonlyMap<string, ContentView> | null = null;

  onSnapshot({ transfers, credit }: NodeSnapshot): Notice[] {
    const standing = transfers.filter(({ reason }) => reason?.code === 'CreditExhausted');
    const known = this.#unpaid;
    const repaid = this.#creditUsedUnits > 0 && credit.usedUnits === 0;
    this.#unpaid = new Set(standing.map(({ contentId }) => contentId));
    this.#creditUsedUnits = credit.usedUnits;
    if (known === null) return [];
    const fresh = standing.find(({ contentId }) => !known.has(contentId));
    return [
      ...(fresh ? [{ kind: 'credit-used-up' as const, contentId: fresh.contentId, name: fresh.name }] : []),
      ...(repaid ? [{ kind: 'loans-repaid' as const }] : []),
    ];
  }

  onContents(contents: readonly ContentView[]): Notice[] {
    const known = this.#contents;
    this.#contents = new Map(contents.map((content) => [content.contentId, content]));
    if (known === null) return [];
    return contents.flatMap(({ contentId, name, origin, live }): Notice[] => {
      const before = known.get(contentId);
      if (live) {
        const ended = live.ended && !live.own && before?.live?.ended === false;
        return ended ? [{ kind: 'broadcast-ended', contentId, name }] : [];
      }
      return origin === 'imported' && before?.origin !== 'imported'
        ? [{ kind: 'import-finished', contentId, name }]
        : [];
    });
  }
}

/** What a click on a notice shows. */
export function noticeTarget(notice: Notice): NavigateView {
  switch (notice.kind) {
    case 'credit-used-up':
      return { view: 'credit', link: null, contentId: notice.contentId };
    case 'loans-repaid':
      return { view: 'credit', link: null, contentId: null };
    case 'import-finished':
    case 'broadcast-ended':
      return { view: 'watch', link: null, contentId: notice.contentId };
  }
}
