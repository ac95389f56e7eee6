/**
 * All that a page in the desktop window can reach of the process outside: call a procedure, follow the feed, learn where
 * a file lies that the user handed to it. The IPC
 * method names are fixed here, and no Electron object or event is handed over.
 *
 * Only types come from shared/rpc/rpc.ts, so that a sandboxed preload stays a few lines; the annotations make the
 * compiler refuse a name that differs from the contract.
 */
import { contextBridge, type IpcRendererEvent, ipcRenderer, webUtils } from 'electron';
import type { FeedTopic, IPC_CALL, IPC_FEED } from '../../shared/rpc/rpc.ts';

const call: typeof IPC_CALL = 'ace:call';
const feed: typeof IPC_FEED = 'ace:feed';

contextBridge.exposeInMainWorld('aceNode', {
  call: (procedure: string, input: unknown): Promise<unknown> => ipcRenderer.invoke(call, procedure, input),
  onFeed(listener: (topic: FeedTopic, data: unknown) => void): () => void {
    const onFeed = (_event: IpcRendererEvent, topic: FeedTopic, data: unknown) => listener(topic, data);
    ipcRenderer.on(feed, onFeed);
    return () => ipcRenderer.off(feed, onFeed);
  },
  /** Where a file lies that the user dropped or chose; empty for one that a script made up. */
  pathOf: (file: File): string => webUtils.getPathForFile(file),
});
