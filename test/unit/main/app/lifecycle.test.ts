import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserWindow } from 'electron';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Openings } from '../../../../main/app/deep-link.ts';
import { tellFailure } from '../../../../main/app/failure.ts';
import {
  DesktopApp,
  type FirstWindow,
  type LifecycleContext,
  type Stoppable,
} from '../../../../main/app/lifecycle.ts';
import { keepSessionWindow } from '../../../../main/app/session-end.ts';
import { AceError } from '../../../../shared/errors.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

type Listener = (event: { preventDefault(): void }, ...args: unknown[]) => void;

interface Options {
  readonly startNode?: () => Promise<Stoppable>;
  readonly argv?: readonly string[];
  readonly first?: FirstWindow;
  readonly keepsRunning?: boolean;
  readonly pageListens?: boolean;
}

function setUp(options: Options = {}) {
  const listeners = new Map<string, Listener>();
  const app = {
    isReady: () => true,
    whenReady: async () => {},
    on: (event: string, listener: Listener) => {
      listeners.set(event, listener);
    },
    quit: vi.fn(),
    exit: vi.fn(),
  };
  const openings = new Openings(app as never);
  const signals: { stop?: () => void; sessionEnd?: () => boolean } = {};
  const window = {
    isDestroyed: () => false,
    isMinimized: () => true,
    restore: vi.fn(),
    focus: vi.fn(),
    on: (event: string, listener: Listener) => listeners.set(`window-${event}`, listener),
  };
  const stop = vi.fn(async () => {});
  const report = vi.fn();
  const parts = {
    app,
    dialog: {
      showErrorBox: vi.fn(),
      showMessageBox: vi.fn(async (_box: { message: string; detail: string }) => ({ response: 0 })),
    },
    failureFile: join(tempDir(), 'last-failure.json'),
    openings,
    onStopSignal: (stop: () => void) => {
      signals.stop = stop;
    },
    onSessionEnd: (stop: () => boolean) => {
      signals.sessionEnd = stop;
    },
    shutdownWithinMs: 4_000,
    powerMonitor: () => ({
      on: (event: string, listener: Listener) => listeners.set(`power-${event}`, listener),
    }),
    argv: options.argv ?? ['ace-node'],
    startNode: vi.fn(options.startNode ?? (async () => ({ stop }))),
    openWindow: vi.fn(() => window as unknown as BrowserWindow),
    firstWindow: () => options.first ?? 'shown',
    keepsRunning: () => options.keepsRunning ?? false,
    showOnPage: vi.fn((_node: Stoppable, _view: unknown) => options.pageListens ?? false),
    onClosing: vi.fn(),
    startAgain: vi.fn(),
    reports: { folder: '', report },
    nowMs: () => 1_000,
  };
  const desktop = new DesktopApp(parts as unknown as LifecycleContext<Stoppable>);
  const emit = (event: string, ...args: unknown[]) => {
    const preventDefault = vi.fn();
    listeners.get(event)?.({ preventDefault }, ...args);
    return preventDefault;
  };
  return { ...parts, desktop, window, stop, report, emit, signals };
}

const LINK = 'acestream://bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const TO_LINK = { view: 'watch', link: LINK, contentId: null };

afterEach(() => vi.useRealTimers());

describe('DesktopApp: start', () => {
  it('starts the node, then opens one window', async () => {
    const s = setUp();
    await s.desktop.run();
    expect(s.startNode).toHaveBeenCalledOnce();
    expect(s.openWindow).toHaveBeenCalledOnce();
  });

  it('starts hidden where it should, and shows itself for a second start', async () => {
    const s = setUp({ first: 'none' });
    await s.desktop.run();
    expect(s.openWindow).not.toHaveBeenCalled();
    s.emit('second-instance', ['ace-node']);
    expect(s.openWindow).toHaveBeenCalledOnce();
  });

  it('has a minimized window where it should, which comes forward for a second start', async () => {
    const s = setUp({ first: 'minimized' });
    await s.desktop.run();
    expect(s.openWindow).toHaveBeenCalledExactlyOnceWith(expect.anything(), true);
    expect(s.window.restore).not.toHaveBeenCalled();
    s.emit('second-instance', ['ace-node']);
    expect(s.openWindow).toHaveBeenCalledOnce();
    expect(s.window.restore).toHaveBeenCalledOnce();
  });

  it('shows itself for a second start that came before its node was there', async () => {
    const started = Promise.withResolvers<Stoppable>();
    const s = setUp({ startNode: () => started.promise, first: 'none' });
    const running = s.desktop.run();
    s.emit('second-instance', ['ace-node']);
    started.resolve({ stop: s.stop });
    await running;
    expect(s.openWindow).toHaveBeenCalledOnce();
  });

  it('brings the window forward for a second instance', async () => {
    const s = setUp();
    await s.desktop.run();
    s.emit('second-instance', ['ace-node']);
    expect(s.openWindow).toHaveBeenCalledOnce();
    expect(s.window.restore).toHaveBeenCalled();
    expect(s.window.focus).toHaveBeenCalled();
  });

  it('says why the node cannot start, and exits with 1', async () => {
    const s = setUp({
      startNode: async () => {
        throw new AceError('DataDirInUse', 'Another node uses this folder');
      },
    });
    await s.desktop.run();
    expect(s.dialog.showMessageBox.mock.calls[0]?.[0].detail).toBe('Another node uses this folder');
    expect(s.report).toHaveBeenCalledWith('start-failed', expect.any(AceError));
    expect(s.startAgain).not.toHaveBeenCalled();
    expect(s.app.exit).toHaveBeenCalledWith(1);
    expect(s.openWindow).not.toHaveBeenCalled();
  });
});

describe('DesktopApp: what nobody sees', () => {
  const notToday = async () => {
    throw new AceError('StoreFailed', 'The disk is full');
  };

  it('is waited for only so long, and told once more at the next start', async () => {
    const s = setUp();
    s.dialog.showMessageBox.mockReturnValue(new Promise(() => {}));
    const box = { app: s.app, dialog: s.dialog as never, file: s.failureFile };
    const failure = { title: 'Ace Node cannot start', text: 'The disk is full' };
    expect(await tellFailure(box, failure, { withinMs: 1 })).toBe(false);
    const next = setUp();
    copyFileSync(s.failureFile, next.failureFile);
    await next.desktop.run();
    expect(next.dialog.showMessageBox.mock.calls[0]?.[0]).toMatchObject({
      message: 'Ace Node cannot start the last time',
      detail: 'The disk is full',
    });
    await vi.waitFor(() => expect(existsSync(next.failureFile)).toBe(false));
    expect(next.openWindow).toHaveBeenCalledOnce();
  });

  it('is not told again once somebody has answered', async () => {
    const s = setUp({ startNode: notToday });
    await s.desktop.run();
    expect(existsSync(s.failureFile)).toBe(false);
  });

  it('is said on stderr’s box while the app is not ready: there is no other', async () => {
    const s = setUp();
    const failure = { title: 'Ace Node cannot start', text: 'why' };
    const app = { isReady: () => false };
    await tellFailure({ app, dialog: s.dialog as never, file: s.failureFile }, failure);
    expect(s.dialog.showErrorBox).toHaveBeenCalledExactlyOnceWith('Ace Node cannot start', 'why');
  });

  it.each([
    [0, 1],
    [1, 0],
  ])(
    'of a key store that is locked, a new start is offered: button %i, %i starts',
    async (response, starts) => {
      const s = setUp({
        startNode: async () => {
          throw new AceError('KeyStoreLocked', 'unlock it');
        },
      });
      s.dialog.showMessageBox.mockResolvedValue({ response });
      await s.desktop.run();
      expect(s.startAgain).toHaveBeenCalledTimes(starts);
      expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1);
    },
  );
});

describe('DesktopApp: the window is closed', () => {
  it('keeps the window while the channels are closed, where closing it quits', async () => {
    const s = setUp();
    await s.desktop.run();
    expect(s.emit('window-close')).toHaveBeenCalledOnce();
    expect(s.onClosing).toHaveBeenCalledOnce();
    expect(s.stop).toHaveBeenCalledOnce();
    expect(s.emit('window-close')).not.toHaveBeenCalled();
  });

  it('lets it go where the node runs on', async () => {
    const s = setUp({ keepsRunning: true });
    await s.desktop.run();
    expect(s.emit('window-close')).not.toHaveBeenCalled();
    expect(s.stop).not.toHaveBeenCalled();
  });
});

describe('DesktopApp: the system shuts down', () => {
  it('asks it to wait for the channels', async () => {
    const s = setUp();
    await s.desktop.run();
    expect(s.emit('power-shutdown')).toHaveBeenCalledOnce();
    expect(s.stop).toHaveBeenCalledOnce();
  });
});

describe('DesktopApp: what asks it to stop', () => {
  it('is listened to only once the app is ready: Electron’s own handlers come before', async () => {
    const ready = Promise.withResolvers<void>();
    const s = setUp();
    s.app.whenReady = () => ready.promise;
    const running = s.desktop.run();
    expect(s.signals).toEqual({});
    ready.resolve();
    await running;
    s.signals.stop?.();
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(0));
  });

  it('has the time that the system gives: of the session’s end and of a shutdown', async () => {
    for (const end of ['session', 'shutdown']) {
      const s = setUp();
      await s.desktop.run();
      if (end === 'session') s.signals.sessionEnd?.();
      else s.emit('power-shutdown');
      expect(s.onClosing).toHaveBeenCalledExactlyOnceWith(expect.anything(), {
        sinceMs: 1_000,
        untilMs: 5_000,
      });
    }
  });
});

describe('the end of the session on Windows', () => {
  type Asked = (event: { preventDefault(): void }) => void;
  class Window {
    static all: Window[] = [];
    readonly options: object;
    readonly listeners = new Map<string, Asked>();
    constructor(options: object) {
      this.options = options;
      Window.all.push(this);
    }
    on(event: string, listener: Asked) {
      this.listeners.set(event, listener);
    }
  }

  it('is put off by a window that is always there and never shown', () => {
    const [stop, preventDefault] = [vi.fn(() => true), vi.fn()];
    expect(keepSessionWindow(Window as never, 'linux', stop)).toBeNull();
    keepSessionWindow(Window as never, 'win32', stop);
    expect(Window.all).toMatchObject([{ options: { show: false, skipTaskbar: true } }]);
    Window.all[0]?.listeners.get('query-session-end')?.({ preventDefault });
    expect([stop, preventDefault].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    // As taskkill asks every window.
    Window.all[0]?.listeners.get('close')?.({ preventDefault });
    expect([stop, preventDefault].map(({ mock }) => mock.calls.length)).toEqual([2, 2]);
    stop.mockReturnValue(false);
    Window.all[0]?.listeners.get('close')?.({ preventDefault });
    expect([stop, preventDefault].map(({ mock }) => mock.calls.length)).toEqual([3, 2]);
  });
});

describe('DesktopApp: links', () => {
  it('keeps the link of a cold start until a page listens, even when it starts hidden', async () => {
    const s = setUp({ argv: ['ace-node', '--at-login', LINK], first: 'none' });
    await s.desktop.run();
    expect(s.openWindow).toHaveBeenCalledOnce();
    s.showOnPage.mockReturnValue(true);
    s.desktop.showPending();
    expect(s.showOnPage).toHaveBeenLastCalledWith(expect.anything(), TO_LINK);
    s.showOnPage.mockClear();
    s.desktop.showPending();
    expect(s.showOnPage).not.toHaveBeenCalled();
  });

  it('takes a link over from a second instance', async () => {
    const s = setUp({ pageListens: true });
    await s.desktop.run();
    s.emit('second-instance', ['ace-node', '--flag', LINK]);
    expect(s.showOnPage).toHaveBeenCalledExactlyOnceWith(expect.anything(), TO_LINK);
  });

  it('takes a link that macOS hands over before the node is there', async () => {
    const started = Promise.withResolvers<Stoppable>();
    const s = setUp({ startNode: () => started.promise, pageListens: true, first: 'none' });
    const running = s.desktop.run();
    expect(s.emit('open-url', LINK)).toHaveBeenCalled();
    expect(s.openWindow).not.toHaveBeenCalled();
    started.resolve({ stop: s.stop });
    await running;
    expect(s.openWindow).toHaveBeenCalledOnce();
    s.desktop.showPending();
    expect(s.showOnPage).toHaveBeenCalledExactlyOnceWith(expect.anything(), TO_LINK);
  });

  it('only shows the window for what is no link', async () => {
    const s = setUp({ pageListens: true });
    await s.desktop.run();
    s.emit('open-url', 'https://evil.example/');
    s.emit('second-instance', ['ace-node', 'file:///etc/passwd', `ace:${'x'.repeat(300)}`]);
    expect(s.showOnPage).not.toHaveBeenCalled();
    expect(s.window.focus).toHaveBeenCalledTimes(3);
  });
});

describe('DesktopApp: quit', () => {
  it('quits with its last window, unless the user has it keep running', async () => {
    for (const keepsRunning of [false, true]) {
      const s = setUp({ keepsRunning });
      await s.desktop.run();
      s.emit('window-all-closed');
      expect(s.app.quit).toHaveBeenCalledTimes(keepsRunning ? 0 : 1);
    }
  });

  it('shows that it closes, and stops the node once before it exits, however often it is asked', async () => {
    const s = setUp();
    await s.desktop.run();
    const prevented = s.emit('before-quit');
    s.emit('before-quit');
    s.signals.stop?.();
    expect(prevented).toHaveBeenCalled();
    expect(s.onClosing).toHaveBeenCalledExactlyOnceWith(expect.anything(), {
      sinceMs: 1_000,
      untilMs: 21_000,
    });
    expect(s.app.exit).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(0));
    expect(s.stop).toHaveBeenCalledOnce();
  });

  it('ends after a bound although the node does not stop, and reports it', async () => {
    const s = setUp();
    s.stop.mockReturnValue(new Promise(() => {}));
    await s.desktop.run();
    vi.useFakeTimers();
    s.desktop.quit();
    vi.advanceTimersByTime(19_999);
    expect(s.app.exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1);
    expect(s.report).toHaveBeenCalledWith('stop-too-slow', expect.any(Error));
  });

  it('says so when the node does not stop cleanly', async () => {
    const s = setUp();
    s.stop.mockRejectedValue(new AceError('StoreFailed', 'The disk is full'));
    await s.desktop.run();
    s.emit('before-quit');
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledWith(1));
    expect(s.dialog.showMessageBox.mock.calls[0]?.[0].detail).toBe('The disk is full');
    expect(s.report).toHaveBeenCalledWith('stop-failed', expect.any(AceError));
  });

  it('says that the disk is full, whatever part of the node has met it', async () => {
    const s = setUp();
    s.stop.mockRejectedValue(Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' }));
    await s.desktop.run();
    s.emit('before-quit');
    await vi.waitFor(() => expect(s.dialog.showMessageBox).toHaveBeenCalledOnce());
    expect(s.dialog.showMessageBox.mock.calls[0]?.[0].detail).toBe('The disk is full');
  });

  it('reports what nobody handled, closes cleanly all the same, and exits with 1', async () => {
    const s = setUp();
    await s.desktop.run();
    s.desktop.fail(new Error('boom'));
    s.desktop.fail(new Error('boom again'));
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1));
    expect(s.report).toHaveBeenCalledTimes(2);
    expect(s.stop).toHaveBeenCalledOnce();
    expect(s.dialog.showMessageBox).toHaveBeenCalledOnce();
  });

  it.each<[string, (s: ReturnType<typeof setUp>) => void]>([
    ['the end of the session', (s) => s.signals.sessionEnd?.()],
    ['a shutdown', (s) => s.emit('power-shutdown')],
  ])('has no more time than the system gives when %s comes while it closes', async (_what, end) => {
    const s = setUp();
    s.stop.mockReturnValue(new Promise(() => {}));
    await s.desktop.run();
    vi.useFakeTimers();
    s.desktop.quit();
    end(s);
    expect(s.onClosing).toHaveBeenLastCalledWith(expect.anything(), { sinceMs: 1_000, untilMs: 5_000 });
    // Nobody who gives more time puts that off.
    s.emit('before-quit');
    vi.advanceTimersByTime(3_999);
    expect(s.app.exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1);
    expect(s.stop).toHaveBeenCalledOnce();
  });

  it('shows no box for longer than the system waits, and tells it at the next start', async () => {
    const s = setUp();
    s.dialog.showMessageBox.mockReturnValue(new Promise(() => {}));
    s.stop.mockRejectedValue(new AceError('StoreFailed', 'The disk is full'));
    await s.desktop.run();
    s.emit('before-quit');
    await vi.waitFor(() => expect(s.dialog.showMessageBox).toHaveBeenCalledOnce());
    s.signals.sessionEnd?.();
    expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1);
    expect(existsSync(s.failureFile)).toBe(true);
  });

  it('opens no window while it quits', async () => {
    const s = setUp();
    await s.desktop.run();
    s.emit('before-quit');
    s.emit('second-instance', [LINK]);
    expect(s.openWindow).toHaveBeenCalledOnce();
  });
});

describe('DesktopApp: what goes wrong on the way to the end', () => {
  const boom = () => {
    throw new Error('boom');
  };

  // The bound was set after it, and the node stopped after it: neither happened, and the process stayed.
  it('closes the node although the window cannot show that it does', async () => {
    const s = setUp();
    s.onClosing.mockImplementation(boom);
    await s.desktop.run();
    s.emit('before-quit');
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(0));
    expect(s.stop).toHaveBeenCalledOnce();
    expect(s.report).toHaveBeenCalledWith('unhandled', expect.any(Error));
  });

  it('closes the node when no window can be opened', async () => {
    const s = setUp();
    s.openWindow.mockImplementation(boom);
    await s.desktop.run();
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1));
    expect(s.stop).toHaveBeenCalledOnce();
  });

  it('ends although the box cannot be shown, where it cannot start', async () => {
    const s = setUp({ startNode: async () => boom() });
    s.dialog.showMessageBox.mockRejectedValue(new Error('no display'));
    await s.desktop.run();
    expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1);
  });

  it('ends although the box cannot be shown, where it had to stop', async () => {
    const s = setUp();
    s.dialog.showMessageBox.mockRejectedValue(new Error('no display'));
    await s.desktop.run();
    s.desktop.fail(new Error('boom'));
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1));
  });

  it('ends although it cannot be started again', async () => {
    const s = setUp();
    s.startAgain.mockImplementation(boom);
    await s.desktop.run();
    s.emit('before-quit');
    s.emit('second-instance', [LINK]);
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(1));
  });

  it('closes a node that comes up after an error that nobody handled, and tells it in one box', async () => {
    const started = Promise.withResolvers<Stoppable>();
    const s = setUp({ startNode: () => started.promise });
    const box = Promise.withResolvers<{ response: number }>();
    s.dialog.showMessageBox.mockReturnValue(box.promise);
    const running = s.desktop.run();
    await vi.waitFor(() => expect(s.startNode).toHaveBeenCalledOnce());
    s.desktop.fail(new Error('boom'));
    started.resolve({ stop: s.stop });
    await running;
    expect(s.stop).toHaveBeenCalledOnce();
    expect(s.openWindow).not.toHaveBeenCalled();
    expect(s.app.exit).not.toHaveBeenCalled();
    box.resolve({ response: 0 });
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledWith(1));
    expect(s.dialog.showMessageBox).toHaveBeenCalledOnce();
  });

  it('is started again on the link that came while it closed, also after a start without one', async () => {
    const s = setUp();
    await s.desktop.run();
    s.emit('before-quit');
    s.emit('second-instance', [LINK]);
    s.emit('second-instance', ['ace-node']);
    await vi.waitFor(() => expect(s.startAgain).toHaveBeenCalledExactlyOnceWith(LINK));
  });
});
