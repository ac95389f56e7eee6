/**
 * The typed procedures over Electron IPC. It knows Electron only by shape, so that tests need none.
 *
 * A call counts only if it comes from the top frame of our own pages: any other frame that ever got into the window
 * is refused before its input is looked at.
 */
import { type Feed, type FeedTopic, IPC_CALL, IPC_FEED } from '../../shared/rpc/rpc.ts';
import type { FeedHub } from './feed.ts';
import type { Procedures, Reply } from './procedures.ts';
import { NO_LOG, type RpcLog } from './service.ts';

export interface FrameLike {
  readonly origin: string;
  /** `null` for a top frame. */
  readonly parent: unknown;
}

export interface IpcEventLike {
  readonly senderFrame: FrameLike | null;
}

export interface IpcMainLike {
  handle(method: string, handler: (event: IpcEventLike, ...args: unknown[]) => Promise<Reply>): void;
  removeHandler(method: string): void;
}

export interface WebContentsLike {
  readonly mainFrame: FrameLike;
  isDestroyed(): boolean;
  send(method: string, ...args: unknown[]): void;
  on(event: 'did-finish-load' | 'render-process-gone', listener: () => void): unknown;
  once(event: 'destroyed', listener: () => void): unknown;
}

export interface IpcOptions {
  readonly ipcMain: IpcMainLike;
  readonly procedures: Procedures;
  readonly feed: FeedHub;
  /** Origin of our own pages, such as `app://ace-node`. */
  readonly origin: string;
  /** A page of ours was loaded: the feed is on its way to it. */
  readonly onPageLoaded?: () => void;
  readonly log?: RpcLog;
}

export interface IpcTransport {
  /** Passes the feed on to a window, anew each time it loads a page of ours. */
  addWindow(contents: WebContentsLike): void;
  /** Tells every window that shows a page of ours. The answer is whether there was one. */
  tell<T extends FeedTopic>(topic: T, data: Feed[T]): boolean;
  close(): void;
}

export function attachIpc(options: IpcOptions): IpcTransport {
  const { ipcMain, procedures, feed, origin, log = NO_LOG } = options;
  const unsubscribers = new Map<WebContentsLike, () => void>();

  ipcMain.handle(IPC_CALL, async (event, procedure, input) => {
    const frame = event.senderFrame;
    if (frame === null || frame.parent !== null || frame.origin !== origin) {
      log.warn({ origin: frame?.origin ?? null }, 'a call from a foreign frame was refused');
      return { error: { code: 'InvalidInput', message: 'Only the node’s own pages may call it' } };
    }
    return procedures.dispatch(procedure, input);
  });

  const unsubscribe = (contents: WebContentsLike) => {
    unsubscribers.get(contents)?.();
    unsubscribers.delete(contents);
  };

  return {
    addWindow(contents) {
      contents.on('did-finish-load', () => {
        unsubscribe(contents);
        if (contents.mainFrame.origin !== origin) return;
        const stop = feed.subscribe((topic, data) => {
          if (!contents.isDestroyed()) contents.send(IPC_FEED, topic, data);
        });
        unsubscribers.set(contents, stop);
        options.onPageLoaded?.();
      });
      contents.on('render-process-gone', () => unsubscribe(contents));
      contents.once('destroyed', () => unsubscribe(contents));
    },
    tell(topic, data) {
      const windows = [...unsubscribers.keys()].filter((contents) => !contents.isDestroyed());
      for (const contents of windows) contents.send(IPC_FEED, topic, data);
      return windows.length > 0;
    },
    close() {
      ipcMain.removeHandler(IPC_CALL);
      for (const contents of [...unsubscribers.keys()]) unsubscribe(contents);
    },
  };
}
