import { describe, expect, it, vi } from 'vitest';
import { createFeedHub } from '../../../../main/rpc/feed.ts';
import {
  attachIpc,
  type FrameLike,
  type IpcMainLike,
  type WebContentsLike,
} from '../../../../main/rpc/ipc.ts';
import { createProcedures, type Reply } from '../../../../main/rpc/procedures.ts';
import { IPC_CALL, IPC_FEED } from '../../../../shared/rpc/rpc.ts';
import { FakeService } from '../../../helpers/fake-service.ts';

const ORIGIN = 'app://ace-node';
const ownFrame: FrameLike = { origin: ORIGIN, parent: null };

class IpcMainDouble implements IpcMainLike {
  handlers = new Map<string, Parameters<IpcMainLike['handle']>[1]>();
  handle(method: string, handler: Parameters<IpcMainLike['handle']>[1]): void {
    this.handlers.set(method, handler);
  }
  removeHandler(method: string): void {
    this.handlers.delete(method);
  }
  call(senderFrame: FrameLike | null, ...args: unknown[]): Promise<Reply> | undefined {
    return this.handlers.get(IPC_CALL)?.({ senderFrame }, ...args);
  }
}

class WebContentsDouble implements WebContentsLike {
  mainFrame = ownFrame;
  destroyed = false;
  send = vi.fn();
  events = new Map<string, () => void>();
  isDestroyed(): boolean {
    return this.destroyed;
  }
  on(event: string, listener: () => void): void {
    this.events.set(event, listener);
  }
  once(event: string, listener: () => void): void {
    this.events.set(event, listener);
  }
}

function setUp() {
  const service = new FakeService();
  const ipcMain = new IpcMainDouble();
  const transport = attachIpc({
    ipcMain,
    procedures: createProcedures(service),
    feed: createFeedHub(service),
    origin: ORIGIN,
  });
  return { service, ipcMain, transport };
}

describe('attachIpc', () => {
  it('answers a call from our own top frame', async () => {
    const { ipcMain } = setUp();
    expect(await ipcMain.call(ownFrame, 'snapshot', {})).toHaveProperty('output');
  });

  it.each<[string, FrameLike | null]>([
    ['a frame that is gone', null],
    ['a web page', { origin: 'https://evil.example', parent: null }],
    ['a page of the node over HTTP', { origin: 'http://127.0.0.1:6878', parent: null }],
    ['a look-alike', { origin: 'app://ace-node.evil', parent: null }],
    ['a frame inside our page', { origin: ORIGIN, parent: {} }],
  ])('refuses %s', async (_who, frame) => {
    const { ipcMain, service } = setUp();
    const topUp = vi.spyOn(service, 'topUp');
    expect(await ipcMain.call(frame, 'topUp', { amountXat: '1' })).toMatchObject({
      error: { code: 'InvalidInput' },
    });
    expect(topUp).not.toHaveBeenCalled();
  });

  it('checks the input as every transport does', async () => {
    const { ipcMain } = setUp();
    expect(await ipcMain.call(ownFrame, { evil: true }, {})).toMatchObject({
      error: { code: 'InvalidInput' },
    });
    expect(await ipcMain.call(ownFrame, 'topUp', { amountXat: 1 })).toMatchObject({
      error: { code: 'InvalidInput' },
    });
  });

  it('passes the feed on to a loaded page of ours, once', async () => {
    const { transport, service } = setUp();
    const contents = new WebContentsDouble();
    transport.addWindow(contents);
    contents.events.get('did-finish-load')?.();
    contents.events.get('did-finish-load')?.();
    await service.settleNow();
    await vi.waitFor(() =>
      expect(contents.send).toHaveBeenCalledWith(IPC_FEED, 'snapshot', expect.anything()),
    );
    const rows = contents.send.mock.calls.filter((args) => args[1] === 'settlements');
    expect(rows).toHaveLength(1);
    contents.events.get('destroyed')?.();
    expect(service.listenerCount).toBe(0);
  });

  it('tells nothing to a window that shows anything else', () => {
    const { transport, service } = setUp();
    const contents = new WebContentsDouble();
    contents.mainFrame = { origin: 'https://evil.example', parent: null };
    transport.addWindow(contents);
    contents.events.get('did-finish-load')?.();
    expect(service.listenerCount).toBe(0);
  });

  it('says when a page of ours is loaded, and tells it what the shell has to say, but no other page', () => {
    const service = new FakeService();
    const onPageLoaded = vi.fn();
    const transport = attachIpc({
      ipcMain: new IpcMainDouble(),
      procedures: createProcedures(service),
      feed: createFeedHub(service),
      origin: ORIGIN,
      onPageLoaded,
    });
    const view = { view: 'watch', link: null, contentId: null } as const;
    const contents = new WebContentsDouble();
    transport.addWindow(contents);
    expect(transport.tell('navigate', view)).toBe(false);
    contents.events.get('did-finish-load')?.();
    expect(onPageLoaded).toHaveBeenCalledOnce();
    expect(transport.tell('navigate', view)).toBe(true);
    expect(contents.send).toHaveBeenCalledExactlyOnceWith(IPC_FEED, 'navigate', view);

    contents.events.get('render-process-gone')?.();
    expect(transport.tell('navigate', view), 'its process ended').toBe(false);
    contents.mainFrame = { origin: 'https://evil.example', parent: null };
    contents.events.get('did-finish-load')?.();
    expect(onPageLoaded).toHaveBeenCalledOnce();
    expect(transport.tell('navigate', view), 'it shows something else').toBe(false);
    transport.close();
  });

  it('is gone after close', () => {
    const { transport, ipcMain, service } = setUp();
    const contents = new WebContentsDouble();
    transport.addWindow(contents);
    contents.events.get('did-finish-load')?.();
    transport.close();
    expect(ipcMain.handlers.size).toBe(0);
    expect(service.listenerCount).toBe(0);
  });
});
