/** Shows what notices.ts found to the user, through the system; a click leads to the view that it is about. */
import type { Notification, NotificationConstructorOptions } from 'electron';
import { feedListener } from '../../shared/rpc/rpc.ts';
import type { NavigateView } from '../../shared/rpc/shell.ts';
import type { FeedHub } from '../rpc/feed.ts';
import type { NodeService } from '../rpc/service.ts';
import { type Notice, NoticeWatch, noticeTarget } from './notices.ts';
import type { ShellWords } from './shell-words.ts';

/** A hundred imports are one notification, not a hundred. */
const SAME_KIND_MS = 10_000;

export interface NotificationsContext {
  readonly Notification: {
    new (options: NotificationConstructorOptions): Notification;
    isSupported(): boolean;
  };
  readonly service: Pick<NodeService, 'contents'>;
  readonly feed: Pick<FeedHub, 'subscribe'>;
  /** Not while the node waits for its wallet. */
  readonly isRunning: () => boolean;
  readonly words: () => ShellWords;
  /** The user wants them, and is not looking at the window. */
  readonly wanted: () => boolean;
  readonly go: (view: NavigateView) => void;
  readonly onError: (error: unknown) => void;
  readonly nowMs: () => number;
}

/** The answer stops. */
export function startNotifications(context: NotificationsContext): () => void {
  const watch = new NoticeWatch();
  const shownAtMs = new Map<Notice['kind'], number>();
  /** Electron forgets the click of a notification that nothing refers to. */
  const open = new Set<Notification>();

  const show = (notice: Notice) => {
    const nowMs = context.nowMs();
    const lastMs = shownAtMs.get(notice.kind);
    if (lastMs !== undefined && nowMs - lastMs < SAME_KIND_MS) return;
    if (!context.wanted() || !context.Notification.isSupported()) return;
    shownAtMs.set(notice.kind, nowMs);
    const notification = new context.Notification(context.words().notice(notice));
    open.add(notification);
    notification.on('click', () => {
      open.delete(notification);
      context.go(noticeTarget(notice));
    });
    notification.on('close', () => open.delete(notification));
    notification.show();
  };

  // The base: what is there already is no news. A node that waits for its wallet has none yet.
  let hasBase = false;
  const takeBase = () => {
    if (hasBase || !context.isRunning()) return;
    hasBase = true;
    context.service.contents({}).then((contents) => watch.onContents(contents), context.onError);
  };
  const stop = context.feed.subscribe(
    feedListener({
      wallet: takeBase,
      snapshot: (snapshot) => watch.onSnapshot(snapshot).forEach(show),
      contents: (contents) => watch.onContents(contents).forEach(show),
    }),
  );
  takeBase();
  return () => {
    stop();
    for (const notification of open) notification.close();
    open.clear();
  };
}
