/** The built preload, run as Electron runs it: CommonJS, with nothing but `electron` to require. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { IPC_CALL, IPC_FEED } from '../../../../shared/rpc/rpc.ts';

const PRELOAD = join(import.meta.dirname, '../../../../out/preload/index.cjs');

type Bridge = Record<string, (...args: unknown[]) => unknown>;

function load() {
  const exposed: Record<string, Bridge> = {};
  const listeners = new Set<(...args: unknown[]) => void>();
  const ipcRenderer = {
    invoke: vi.fn(async () => ({ output: {} })),
    on: vi.fn((_method: string, listener: (...args: unknown[]) => void) => listeners.add(listener)),
    off: vi.fn((_method: string, listener: (...args: unknown[]) => void) => listeners.delete(listener)),
  };
  const required: string[] = [];
  const electron = {
    contextBridge: {
      exposeInMainWorld: (name: string, api: Bridge) => {
        exposed[name] = api;
      },
    },
    ipcRenderer,
    webUtils: { getPathForFile: (file: { path: string }) => file.path },
  };
  const require = (name: string) => {
    required.push(name);
    if (name !== 'electron') throw new Error(`A sandboxed preload cannot require ${name}`);
    return electron;
  };
  // No process, no Buffer, no globals of Node.
  new Script(readFileSync(PRELOAD, 'utf8')).runInContext(
    createContext({ require, module: { exports: {} }, exports: {} }),
  );
  return { exposed, ipcRenderer, listeners, required };
}

describe('the built preload', () => {
  it('gives the pages three functions and nothing of Electron', () => {
    const { exposed, required } = load();
    expect(Object.keys(exposed)).toEqual(['aceNode']);
    expect(Object.keys(exposed.aceNode ?? {}).sort()).toEqual(['call', 'onFeed', 'pathOf']);
    for (const each of Object.values(exposed.aceNode ?? {})) expect(each).toBeTypeOf('function');
    expect(new Set(required)).toEqual(new Set(['electron']));
  });

  it('calls one fixed method, with a procedure and its input only', async () => {
    const { exposed, ipcRenderer } = load();
    await exposed.aceNode?.call?.('snapshot', { a: 1 }, 'more', 'than', 'that');
    expect(ipcRenderer.invoke).toHaveBeenCalledExactlyOnceWith(IPC_CALL, 'snapshot', { a: 1 });
  });

  it('hears one fixed method, and hands no event over', () => {
    const { exposed, ipcRenderer, listeners } = load();
    const heard = vi.fn();
    const stop = exposed.aceNode?.onFeed?.(heard) as () => unknown;
    expect(ipcRenderer.on.mock.calls[0]?.[0]).toBe(IPC_FEED);
    for (const listener of listeners) listener({ sender: 'electron' }, 'snapshot', { a: 1 });
    expect(heard).toHaveBeenCalledExactlyOnceWith('snapshot', { a: 1 });
    stop();
    expect(listeners.size).toBe(0);
  });

  it('tells where a file lies that the user handed over', () => {
    expect(load().exposed.aceNode?.pathOf?.({ path: '/films/a.mp4' })).toBe('/films/a.mp4');
  });
});
