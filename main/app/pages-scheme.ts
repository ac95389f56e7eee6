/**
 * The pages' own scheme, `app://ace-node/`: a real origin with its own storage and a strict content policy, where
 * `file://` would have neither. Only files below the built pages can be had.
 */
import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import type { CustomScheme, Protocol } from 'electron';
import { PAGE_HEADERS, WINDOW_CONTENT_SECURITY_POLICY } from '../rpc/security-headers.ts';

const PAGES_SCHEME = 'app';
export const PAGES_ORIGIN = 'app://ace-node';
export const PAGES_URL = `${PAGES_ORIGIN}/`;

const HEADERS = { ...PAGE_HEADERS, 'Content-Security-Policy': WINDOW_CONTENT_SECURITY_POLICY };

const MIME_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

const scheme: CustomScheme = {
  scheme: PAGES_SCHEME,
  // Neither bypassCSP nor corsEnabled: the pages get no privilege over a web page but a secure context.
  privileges: { standard: true, secure: true, supportFetchAPI: true },
};

/** Must run before the app is ready. */
export function registerPagesScheme(protocol: Pick<Protocol, 'registerSchemesAsPrivileged'>): void {
  protocol.registerSchemesAsPrivileged([scheme]);
}

/** Serves the pages, once the app is ready. */
export function servePages(protocol: Pick<Protocol, 'handle'>, pagesDir: string): void {
  protocol.handle(PAGES_SCHEME, (request) => answer(request, pagesDir));
}

async function answer(request: Request, pagesDir: string): Promise<Response> {
  const file = request.method === 'GET' ? filePath(request.url, pagesDir) : null;
  const type = file === null ? undefined : MIME_TYPES[extname(file)];
  if (file === null || type === undefined) return notFound();
  try {
    const body = new Uint8Array(await readFile(file));
    return new Response(body, { headers: { ...HEADERS, 'Content-Type': type } });
  } catch {
    return notFound();
  }
}

/** The file that an address names, or `null` where it leads out of the pages. */
function filePath(address: string, pagesDir: string): string | null {
  const url = URL.parse(address);
  if (url?.host !== 'ace-node') return null;
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    return null;
  }
  if (path.includes('\0')) return null;
  const file = join(pagesDir, path === '/' ? 'index.html' : path);
  return file.startsWith(pagesDir + sep) ? file : null;
}

function notFound(): Response {
  return new Response('No such page', {
    status: 404,
    headers: { ...PAGE_HEADERS, 'Content-Type': 'text/plain' },
  });
}
