/** How pages reach the app and the network: IPC, schemes, the session. */
import { EventEmitter } from 'node:events';
import { type Any, afterReady, beforeReady, note } from './state.ts';

export const ipcMain = {
  handlers: new Map<string, Any>(),
  handle(method: string, handler: Any): void {
    if (ipcMain.handlers.has(method)) throw new Error(`${method} is handled already`);
    ipcMain.handlers.set(method, handler);
  },
  removeHandler: (method: string) => ipcMain.handlers.delete(method),
};

export const protocol = {
  handlers: new Map<string, Any>(),
  registerSchemesAsPrivileged(schemes: object[]): void {
    beforeReady('protocol.registerSchemesAsPrivileged');
    note('protocol.registerSchemesAsPrivileged', schemes);
  },
  handle(scheme: string, handler: Any): void {
    afterReady('protocol.handle');
    protocol.handlers.set(scheme, handler);
  },
};

class Session extends EventEmitter {
  handlers = new Map<string, Any>();
  #keep = (name: string) => (handler: Any, more?: Any) => {
    this.handlers.set(name, more ?? handler);
    if (more) this.handlers.set(`${name}Filter`, () => handler);
  };
  setPermissionRequestHandler = this.#keep('permissionRequest');
  setPermissionCheckHandler = this.#keep('permissionCheck');
  setDevicePermissionHandler = this.#keep('devicePermission');
  webRequest = {
    onBeforeRequest: this.#keep('beforeRequest'),
    onBeforeSendHeaders: this.#keep('beforeSendHeaders'),
    onHeadersReceived: this.#keep('headersReceived'),
  };
}
export const session = { defaultSession: new Session() };
