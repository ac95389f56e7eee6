import type { BrowserWindowConstructorOptions, Session, WebContents } from 'electron';
import { describe, expect, it, vi } from 'vitest';
import { PAGES_URL } from '../../../../main/app/pages-scheme.ts';
import {
  isAllowedExternal,
  openWindow,
  secureContents,
  secureSession,
  type WindowConstructor,
} from '../../../../main/app/window.ts';

type Handler = (...args: never[]) => unknown;

class SessionDouble {
  request: Handler = () => {};
  check: Handler = () => {};
  device: Handler = () => {};
  headers: Handler = () => {};
  headersFilter: unknown;
  answers: Handler = () => {};
  answersFilter: unknown;
  setPermissionRequestHandler = (handler: Handler) => {
    this.request = handler;
  };
  setPermissionCheckHandler = (handler: Handler) => {
    this.check = handler;
  };
  setDevicePermissionHandler = (handler: Handler) => {
    this.device = handler;
  };
  load: Handler = () => {};
  download: Handler = () => {};
  on = (_event: 'will-download', handler: Handler) => {
    this.download = handler;
  };
  webRequest = {
    onBeforeRequest: (_filter: unknown, handler: Handler) => {
      this.load = handler;
    },
    onBeforeSendHeaders: (filter: unknown, handler: Handler) => {
      this.headersFilter = filter;
      this.headers = handler;
    },
    onHeadersReceived: (filter: unknown, handler: Handler) => {
      this.answersFilter = filter;
      this.answers = handler;
    },
  };
}

class ContentsDouble {
  openHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' });
  downloadURL = vi.fn();
  events = new Map<string, (event: { preventDefault(): void; url: string }) => void>();
  setWindowOpenHandler = (handler: typeof this.openHandler) => {
    this.openHandler = handler;
  };
  on = (event: string, listener: (event: { preventDefault(): void; url: string }) => void) => {
    this.events.set(event, listener);
  };
}

function secured() {
  const session = new SessionDouble();
  secureSession(session as unknown as Session, { port: 6878, token: 'secret' });
  return session;
}

function securedContents(openExternal = vi.fn(async () => {})) {
  const contents = new ContentsDouble();
  const onError = vi.fn();
  secureContents(contents as unknown as WebContents, { openExternal }, onError);
  return { contents, openExternal, onError };
}

describe('openWindow', () => {
  it('isolates and sandboxes the pages, and shows the window when it is ready', () => {
    let options: BrowserWindowConstructorOptions = {};
    let ready = () => {};
    const calls: string[] = [];
    class WindowDouble {
      constructor(given: BrowserWindowConstructorOptions) {
        options = given;
      }
      webContents = { on: () => {} };
      on() {}
      once(_event: 'ready-to-show', listener: () => void) {
        ready = listener;
      }
      async loadURL(url: string) {
        calls.push(url);
      }
      show() {
        calls.push('show');
      }
    }
    openWindow({
      Window: WindowDouble as unknown as WindowConstructor,
      preloadPath: '/out/preload/index.cjs',
      iconPath: '/icon.png',
      placement: { bounds: null, size: { width: 800, height: 600 }, maximized: false },
      minimized: false,
      isPackaged: true,
      isDark: false,
      reports: { folder: '', report: () => {} },
      nowMs: () => 0,
    });
    expect(options.webPreferences).toMatchObject({
      preload: '/out/preload/index.cjs',
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      devTools: false,
    });
    expect(options.show).toBe(false);
    expect(calls).toEqual([PAGES_URL]);
    ready();
    expect(calls).toEqual([PAGES_URL, 'show']);
  });
});

describe('a window that starts minimized', () => {
  const openOne = (maximized: boolean) => {
    const calls: string[] = [];
    const once = new Map<string, () => void>();
    class WindowDouble {
      readonly webContents = { on: () => {} };
      once = (event: string, listener: () => void) => void once.set(event, listener);
      on = () => {};
      loadURL = async () => {};
      minimize = () => void calls.push('minimize');
      maximize = () => void calls.push('maximize');
      show = () => void calls.push('show');
    }
    openWindow({
      Window: WindowDouble as unknown as WindowConstructor,
      preloadPath: '',
      iconPath: '',
      placement: { bounds: null, size: { width: 800, height: 600 }, maximized },
      minimized: true,
      isPackaged: true,
      isDark: false,
      reports: { folder: '', report: () => {} },
      nowMs: () => 0,
    });
    return { calls, once };
  };

  it('is not shown when its page is there, only when it is fetched', () => {
    const { calls, once } = openOne(false);
    once.get('ready-to-show')?.();
    expect(calls).toEqual(['minimize']);
    once.get('restore')?.();
    expect(calls).toEqual(['minimize', 'show']);
  });

  it('is as large then as it was left', () => {
    const { calls, once } = openOne(true);
    once.get('restore')?.();
    expect(calls).toEqual(['minimize', 'maximize', 'show']);
  });
});

describe('secureSession', () => {
  const ask = (session: SessionDouble, permission: string, requestingUrl: string): boolean => {
    let answer = false;
    const decide = (allowed: boolean) => {
      answer = allowed;
    };
    session.request(...([{}, permission, decide, { requestingUrl }] as never[]));
    return answer;
  };

  it.each([
    'media',
    'geolocation',
    'notifications',
    'midi',
    'clipboard-read',
    'openExternal',
    'usb',
    'unknown',
  ])('denies %s to our own pages', (permission) => {
    const session = secured();
    expect(ask(session, permission, PAGES_URL)).toBe(false);
    expect(session.check(...([null, permission, PAGES_URL] as never[]))).toBe(false);
  });

  it.each([
    ['app://ace-node/index.html', true],
    ['http://127.0.0.1:6878/content/x', true],
    ['blob:app://ace-node/1', true],
    ['data:image/png;base64,AA', true],
    ['http://127.0.0.1:6879/', false],
    ['http://127.0.0.1:68780/', false],
    ['https://evil.example/', false],
    ['wss://evil.example/', false],
    ['file:///etc/passwd', false],
    ['blob:https://evil.example/1', false],
    ['app://ace-node.evil/', false],
  ])('lets a request for %s through: %s', (url, through) => {
    const decide = vi.fn();
    secured().load(...([{ url }, decide] as never[]));
    expect(decide).toHaveBeenCalledExactlyOnceWith({ cancel: !through });
  });

  it('keeps nothing as a file but what our pages and our node offer', () => {
    const prevented = (url: string) => {
      const preventDefault = vi.fn();
      secured().download(...([{ preventDefault }, { getURL: () => url }] as never[]));
      return preventDefault.mock.calls.length > 0;
    };
    expect(prevented('http://127.0.0.1:6878/content/x.m3u')).toBe(false);
    expect(prevented('blob:app://ace-node/1')).toBe(false);
    expect(prevented('https://evil.example/x.exe')).toBe(true);
    expect(prevented('data:text/html,x')).toBe(true);
  });

  it('allows full screen to our own pages only', () => {
    const session = secured();
    expect(ask(session, 'fullscreen', PAGES_URL)).toBe(true);
    expect(ask(session, 'fullscreen', 'https://evil.example/')).toBe(false);
    expect(session.check(...([null, 'fullscreen', 'https://evil.example'] as never[]))).toBe(false);
  });

  it('denies every device', () => {
    expect(secured().device()).toBe(false);
  });

  it('sends the token to our node and nowhere else', () => {
    const session = secured();
    expect(session.headersFilter).toEqual({ urls: ['http://127.0.0.1:6878/*'] });
    const proceed = vi.fn();
    const requestHeaders = { Range: 'bytes=0-', Origin: 'app://ace-node' };
    session.headers(...([{ requestHeaders }, proceed] as never[]));
    // The server takes requests of its own origin only, or of none with the token.
    expect(proceed).toHaveBeenCalledWith({
      requestHeaders: { Range: 'bytes=0-', Authorization: 'Bearer secret' },
    });
  });

  it('lets a script of our pages read what our node answers, and no other page', () => {
    const session = secured();
    expect(session.answersFilter).toEqual({ urls: ['http://127.0.0.1:6878/*'] });
    const proceed = vi.fn();
    session.answers(...([{ responseHeaders: { ETag: ['"x"'] } }, proceed] as never[]));
    expect(proceed).toHaveBeenCalledWith({
      responseHeaders: { ETag: ['"x"'], 'Access-Control-Allow-Origin': ['app://ace-node'] },
    });
  });
});

describe('secureContents', () => {
  it('opens no window; allowed links go to the browser of the system', () => {
    const { contents, openExternal } = securedContents();
    expect(contents.openHandler({ url: 'https://github.com/ace' })).toEqual({ action: 'deny' });
    expect(contents.openHandler({ url: 'https://evil.example/' })).toEqual({ action: 'deny' });
    expect(openExternal).toHaveBeenCalledExactlyOnceWith('https://github.com/ace');
  });

  it('says that the system could not open a link, and goes on', async () => {
    const failure = new Error('no browser');
    const { contents, onError } = securedContents(vi.fn(() => Promise.reject(failure)));
    contents.openHandler({ url: 'https://github.com/ace' });
    await vi.waitFor(() => expect(onError).toHaveBeenCalledExactlyOnceWith(failure));
  });

  it('keeps the playlist of a content as a file, and nothing else', () => {
    const { contents, openExternal } = securedContents();
    const own = 'http://127.0.0.1:6878/content/bafyabc234.m3u';
    for (const url of [
      own,
      'http://127.0.0.1:6878/content/bafyabc234',
      'http://127.0.0.1:6878/content/../bafyabc234.m3u',
      'http://evil.example:6878/content/bafyabc234.m3u',
      'http://127.0.0.1@evil.example/content/bafyabc234.m3u',
      'file:///content/bafyabc234.m3u',
    ])
      expect(contents.openHandler({ url })).toEqual({ action: 'deny' });
    expect(contents.downloadURL).toHaveBeenCalledExactlyOnceWith(own);
    expect(openExternal).not.toHaveBeenCalled();
  });

  it.each(['will-navigate', 'will-redirect', 'will-frame-navigate'])('%s stays inside our pages', (event) => {
    const { contents } = securedContents();
    const go = (url: string) => {
      const preventDefault = vi.fn();
      contents.events.get(event)?.({ preventDefault, url });
      return preventDefault.mock.calls.length === 0;
    };
    expect(go(`${PAGES_URL}#/credit`)).toBe(true);
    for (const url of [
      'https://evil.example/',
      'file:///etc/passwd',
      'app://other/',
      'app://ace-node.evil/',
      'x',
    ]) {
      expect(go(url), url).toBe(false);
    }
  });

  it('attaches no webview', () => {
    const { contents } = securedContents();
    const preventDefault = vi.fn();
    contents.events.get('will-attach-webview')?.({ preventDefault, url: '' });
    expect(preventDefault).toHaveBeenCalledOnce();
  });
});

describe('isAllowedExternal', () => {
  it.each(['https://github.com/x', 'https://acestream.org/'])('allows %s', (url) => {
    expect(isAllowedExternal(url)).toBe(true);
  });

  it.each([
    'http://github.com/',
    'https://github.com.evil.example/',
    'https://evil.example/github.com',
    'https://github.com@evil.example/',
    'https://me:pw@github.com/',
    'https://github.com:8443/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'nonsense',
  ])('refuses %s', (url) => {
    expect(isAllowedExternal(url)).toBe(false);
  });
});
