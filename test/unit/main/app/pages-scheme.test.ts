import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Protocol } from 'electron';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { registerPagesScheme, servePages } from '../../../../main/app/pages-scheme.ts';

let dir: string;
let ask: (url: string, method?: string) => Promise<Response>;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ace-scheme-'));
  mkdirSync(join(dir, 'renderer', 'assets'), { recursive: true });
  writeFileSync(join(dir, 'renderer', 'index.html'), 'pages');
  writeFileSync(join(dir, 'renderer', 'assets', 'index.js'), 'code');
  writeFileSync(join(dir, 'renderer', 'notes.txt'), 'not a page');
  writeFileSync(join(dir, 'secret.js'), 'secret');
  const handle = vi.fn<Protocol['handle']>();
  servePages({ handle }, join(dir, 'renderer'));
  const handler = handle.mock.calls[0]?.[1];
  ask = async (url, method = 'GET') => (await handler?.(new Request(url, { method }))) as Response;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('servePages', () => {
  it('serves pages with the strict content policy', async () => {
    const page = await ask('app://ace-node/');
    expect(await page.text()).toBe('pages');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page.headers.get('content-security-policy')).toContain(
      "connect-src 'self' http://127.0.0.1:* ws:",
    );
    expect(page.headers.get('content-type')).toContain('text/html');
    expect((await ask('app://ace-node/assets/index.js')).headers.get('content-type')).toContain('javascript');
  });

  it.each([
    'app://ace-node/../secret.js',
    'app://ace-node/%2e%2e/secret.js',
    'app://ace-node/..%2fsecret.js',
    'app://ace-node/assets/..%2f..%2fsecret.js',
    'app://ace-node/%00',
    'app://ace-node/%',
    'app://other/index.html',
    'app://ace-node/notes.txt',
    'app://ace-node/assets',
    'app://ace-node/none.js',
  ])('has nothing at %s', async (url) => {
    expect((await ask(url)).status).toBe(404);
  });

  it('answers GET only', async () => {
    expect((await ask('app://ace-node/', 'POST')).status).toBe(404);
  });
});

describe('registerPagesScheme', () => {
  it('makes a standard, secure scheme that no policy is bypassed for', () => {
    const registerSchemesAsPrivileged = vi.fn();
    registerPagesScheme({ registerSchemesAsPrivileged });
    expect(registerSchemesAsPrivileged).toHaveBeenCalledExactlyOnceWith([
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
    ]);
  });
});
