import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type HttpOptions, type HttpServer, startHttpServer } from '../../../../main/rpc/http.ts';
import { FAKE_TOKEN } from '../../../helpers/fake-node.ts';
import { FakeService } from '../../../helpers/fake-service.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let pagesDir: string;
let server: HttpServer;

function start(options: Partial<HttpOptions> = {}): Promise<HttpServer> {
  return startHttpServer({
    port: 0,
    pagesDir,
    token: FAKE_TOKEN,
    service: new FakeService(),
    content: (_req, res) => res.end('content'),
    ...options,
  });
}

/** Not `fetch`: it does not let a caller set Host and Sec-Fetch headers. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port: server.port, path, headers, method }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        body += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }));
    });
    req.on('error', reject);
    req.end();
  });
}

beforeAll(async () => {
  pagesDir = mkdtempSync(join(tmpdir(), 'ace-pages-'));
  writeFileSync(join(pagesDir, 'index.html'), '<!doctype html><title>pages</title>');
  server = await start();
});
afterAll(async () => {
  await server.close();
  rmSync(pagesDir, { recursive: true, force: true });
});

describe('startHttpServer: pages', () => {
  it('serves them with a strict content policy', async () => {
    const { status, headers, body } = await ask('/');
    expect(status).toBe(200);
    expect(body).toContain('pages');
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
  });

  it('serves no file outside of them', async () => {
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/..%2fpackage.json', '//etc/passwd']) {
      expect((await ask(path)).status, path).toBeGreaterThanOrEqual(400);
    }
  });

  it('refuses any method but GET and HEAD', async () => {
    expect((await ask('/', {}, 'POST')).status).toBe(405);
  });

  it('says what to do when they are not built', async () => {
    const bare = await start({ pagesDir: join(pagesDir, 'missing') });
    const text = await fetch(bare.url).then((r) => r.text());
    await bare.close();
    expect(text).toContain('npm run build');
  });
});

describe('startHttpServer: requests that are not meant for us', () => {
  const page = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1',
    '127.0.0.1:1',
    'localhost.evil.example',
    '192.168.1.5',
  ])('refuses the host %s', async (host) => {
    expect((await ask('/', { host })).status).toBe(403);
    expect((await ask('/content/x', { host })).status).toBe(403);
  });

  it.each(['127.0.0.1', 'localhost', '[::1]', 'LOCALHOST'])(
    'takes the host %s with our port',
    async (name) => {
      expect((await ask('/', { host: `${name}:${server.port}` })).status).toBe(200);
    },
  );

  it.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1'])(
    'refuses the origin %s',
    async (origin) => {
      expect((await ask('/', { origin })).status).toBe(403);
      expect((await ask('/content/x', { origin })).status).toBe(403);
    },
  );

  it('takes our own origin', async () => {
    expect((await ask('/content/x', { origin: `http://127.0.0.1:${server.port}` })).status).toBe(200);
  });

  it.each(['cross-site', 'same-site'])('refuses content to a %s page', async (site) => {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'video' };
    expect((await ask('/content/x', headers)).status).toBe(403);
    expect((await ask('/content/x', { ...page, 'sec-fetch-site': site })).status).toBe(403);
  });

  it('lets another site open the pages in a tab, but not in a frame', async () => {
    expect((await ask('/', { ...page, 'sec-fetch-site': 'cross-site' })).status).toBe(200);
    const framed = { ...page, 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' };
    expect((await ask('/', framed)).status).toBe(403);
  });

  it('lets the desktop window load media with the token, and with no other', async () => {
    const media = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'video' };
    expect((await ask('/content/x', { ...media, authorization: `Bearer ${FAKE_TOKEN}` })).status).toBe(200);
    expect((await ask('/content/x', { ...media, authorization: 'Bearer wrong' })).status).toBe(403);
  });

  it('serves players, which send none of these headers', async () => {
    expect((await ask('/ace/getstream?id=x')).body).toBe('content');
  });
});

describe('startHttpServer: port', () => {
  let taken: ReturnType<typeof createServer>;
  let port: number;

  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    port = (taken.address() as AddressInfo).port;
  });
  afterAll(() => {
    taken.close();
  });

  it('takes the next free one when the wanted one is in use', async () => {
    const next = await start({ port });
    await next.close();
    expect(next.port).toBeGreaterThan(port);
    expect(next.port).toBeLessThanOrEqual(port + 20);
  });

  it('refuses when exactly that port is wanted', async () => {
    await expect(start({ port, exact: true })).rejects.toMatchObject({
      code: 'PortInUse',
      details: { port },
    });
  });
});

describe('startHttpServer: trouble', () => {
  let own: HttpServer | null = null;
  afterEach(async () => {
    await own?.close();
    own = null;
  });

  it('answers 500 when the content handler throws, and stays alive', async () => {
    own = await start({
      content: () => {
        throw new Error('secret');
      },
    });
    const res = await fetch(`${own.url}content/x`);
    expect(res.status).toBe(500);
    expect(await res.text()).not.toContain('secret');
    expect((await fetch(own.url)).status).toBe(200);
  });

  it('closes while a player still reads', async () => {
    const busy = await start({ content: (_req, res) => void res.write('a start') });
    const res = await new Promise<IncomingMessage>((resolve) => get(`${busy.url}content/x`, resolve));
    res.on('error', () => {});
    await busy.close();
  });
});
