import type { BrowserWindow } from 'electron';
import { describe, expect, it, vi } from 'vitest';
import { type LifecycleParts, runApp, type Stoppable } from '../../../../main/app/lifecycle.ts';
import { AceError } from '../../../../shared/errors.ts';

type Listener = (event: { preventDefault(): void }) => void;

function setUp(options: { hasLock?: boolean; startNode?: () => Promise<Stoppable> } = {}) {
  const listeners = new Map<string, Listener>();
  const app = {
    requestSingleInstanceLock: () => options.hasLock ?? true,
    whenReady: async () => {},
    on: (event: string, listener: Listener) => {
      listeners.set(event, listener);
    },
    quit: vi.fn(),
    exit: vi.fn(),
  };
  const window = { isDestroyed: () => false, isMinimized: () => true, restore: vi.fn(), focus: vi.fn() };
  const stop = vi.fn(async () => {});
  const showErrorBox = vi.fn();
  const parts = {
    app,
    dialog: { showErrorBox },
    startNode: vi.fn(options.startNode ?? (async () => ({ stop }))),
    openWindow: vi.fn(() => window as unknown as BrowserWindow),
  };
  const emit = (event: string) => {
    const preventDefault = vi.fn();
    listeners.get(event)?.({ preventDefault });
    return preventDefault;
  };
  return { ...parts, parts: parts as unknown as LifecycleParts<Stoppable>, window, stop, showErrorBox, emit };
}

describe('runApp', () => {
  it('starts the node, then opens one window', async () => {
    const s = setUp();
    await runApp(s.parts);
    expect(s.startNode).toHaveBeenCalledOnce();
    expect(s.openWindow).toHaveBeenCalledOnce();
  });

  it('leaves at once when another instance runs, without touching the data', async () => {
    const s = setUp({ hasLock: false });
    await runApp(s.parts);
    expect(s.app.quit).toHaveBeenCalledOnce();
    expect(s.startNode).not.toHaveBeenCalled();
  });

  it('brings the window forward for a second instance', async () => {
    const s = setUp();
    await runApp(s.parts);
    s.emit('second-instance');
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
    await runApp(s.parts);
    expect(s.showErrorBox).toHaveBeenCalledWith(expect.any(String), 'Another node uses this folder');
    expect(s.app.exit).toHaveBeenCalledWith(1);
    expect(s.openWindow).not.toHaveBeenCalled();
  });

  it('stops the node once before it exits, however often it is asked', async () => {
    const s = setUp();
    await runApp(s.parts);
    const prevented = s.emit('before-quit');
    s.emit('before-quit');
    expect(prevented).toHaveBeenCalled();
    expect(s.app.exit).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledExactlyOnceWith(0));
    expect(s.stop).toHaveBeenCalledOnce();
  });

  it('says so when the node does not stop cleanly', async () => {
    const s = setUp();
    s.stop.mockRejectedValue(new AceError('StoreFailed', 'The disk is full'));
    await runApp(s.parts);
    s.emit('before-quit');
    await vi.waitFor(() => expect(s.app.exit).toHaveBeenCalledWith(1));
    expect(s.showErrorBox).toHaveBeenCalledWith(expect.any(String), 'The disk is full');
  });

  it('opens no window while it quits', async () => {
    const s = setUp();
    await runApp(s.parts);
    s.emit('before-quit');
    s.emit('second-instance');
    expect(s.openWindow).toHaveBeenCalledOnce();
  });
});
