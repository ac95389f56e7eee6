/**
 * The pages served to other machines, which somebody has asked for: whoever is not on this machine must show the token
 * for everything but the bare pages, and a name that was bound to our address is no way in. An address of this
 * machine's network is needed for some of it; without a network these are skipped.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { isThisMachine, refuseRequest, refuseUpgrade } from '../../main/rpc/guard.ts';
import { type HttpServer, startHttpServer } from '../../main/rpc/http.ts';
import { FAKE_TOKEN } from '../helpers/fake-node.ts';
import { FakeService } from '../helpers/fake-service.ts';

const address = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

let dir: string;
let server: HttpServer;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ace-pages-'));
  writeFileSync(join(dir, 'index.html'), '<!doctype html><title>pages</title>');
  server = await startHttpServer({
    port: 0,
    host: '0.0.0.0',
    pagesDir: dir,
    token: FAKE_TOKEN,
    service: new FakeService(),
    content: (_req, res) => res.end('content'),
  });
});
afterAll(async () => {
  await server?.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Asked {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** Not `fetch`: it does not let a caller set Host and Sec-Fetch headers. */
function ask(path: string, headers: Record<string, string> = {}, to = address ?? ''): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const options = { host: to, port: server.port, path };
    const req = request({ ...options, headers: { host: `${to}:${server.port}`, ...headers } }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (data: string) => {
        body += data;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body, headers: res.headers }));
    });
    req.on('error', reject).end();
  });
}

describe('who counts as this machine', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.8.8.8', true],
    ['::1', '::1', true],
    ['::ffff:127.0.0.1', '::ffff:127.0.0.1', true],
    ['192.168.1.5', '192.168.1.5', true],
    ['192.168.1.5', '192.168.1.6', false],
    ['::ffff:192.168.1.5', '::ffff:192.168.1.6', false],
    ['fe80::1', 'fe80::2', false],
    ['192.168.1.5', undefined, false],
    ['192.168.1.5', '1.127.0.0', false],
  ])('at %s, from %s: %s', (localAddress, remoteAddress, expected) => {
    expect(isThisMachine({ localAddress, remoteAddress } as never)).toBe(expected);
  });
});

describe('served to every address', () => {
  it('says where this machine reaches it', () => {
    expect(server.url).toBe(`http://127.0.0.1:${server.port}/`);
  });

  it('keeps to loopback names on loopback', async () => {
    expect((await ask('/', {}, '127.0.0.1')).status).toBe(200);
    expect((await ask('/', { host: `192.168.1.5:${server.port}` }, '127.0.0.1')).status).toBe(403);
  });

  it.runIf(process.platform === 'linux')('answers on every loopback address that was reached', async () => {
    expect((await ask('/', {}, '127.0.0.2')).status).toBe(200);
    expect((await ask('/', { host: `127.0.0.3:${server.port}` }, '127.0.0.2')).status).toBe(403);
  });

  it.skipIf(address === undefined)('refuses a name that was bound anew to this address', async () => {
    for (const host of ['evil.example', `evil.example:${server.port}`, `localhost:${server.port}`]) {
      expect((await ask('/', { host })).status, host).toBe(403);
      expect((await ask('/content/x?token=fake-token', { host })).status, host).toBe(403);
    }
    expect((await ask('/')).status).toBe(200);
  });

  it.skipIf(address === undefined)('refuses a foreign origin and a foreign site, token or not', async () => {
    const path = `/content/x?token=${FAKE_TOKEN}`;
    expect((await ask(path, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await ask(path, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });
});

describe('isThisMachine, asked by the server', () => {
  // One machine cannot be two, so the ends of the socket are put there by hand.
  it('asks another machine for the token, and remembers by a cookie that it was shown', async () => {
    const { refuseRequest, mediaCookie } = await import('../../main/rpc/guard.ts');
    const options = { port: 6878, token: FAKE_TOKEN };
    const socket = { localAddress: '192.168.1.5', remoteAddress: '192.168.1.6' };
    const asked = (url: string, headers: Record<string, string> = {}, isPage = false) =>
      refuseRequest(
        { url, method: 'GET', socket, headers: { host: '192.168.1.5:6878', ...headers } } as never,
        isPage,
        options,
      )?.status ?? 200;
    expect(asked('/', {}, true)).toBe(200);
    expect(asked('/content/x')).toBe(401);
    expect(asked('/content/x?token=wrong')).toBe(401);
    expect(asked(`/content/x?token=${FAKE_TOKEN}`)).toBe(200);
    expect(asked('/content/x', { authorization: `Bearer ${FAKE_TOKEN}` })).toBe(200);
    const cookie = mediaCookie(options).split(';')[0] ?? '';
    expect(mediaCookie(options)).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(FAKE_TOKEN);
    expect(asked('/content/x', { cookie: `a=b; ${cookie}` })).toBe(200);
    expect(asked('/content/x', { cookie: `${cookie}x` })).toBe(401);
    expect(asked('/content/x', { cookie: `ace-media-6878=${FAKE_TOKEN}` })).toBe(401);
    const renewed = mediaCookie({ ...options, token: 'another' }).split(';')[0] ?? '';
    expect(asked('/content/x', { cookie: renewed })).toBe(401);
    expect(asked('/content/x', { cookie, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(asked('/content/x', { cookie, host: '127.0.0.1:6878' })).toBe(403);
    expect(asked('/content/x', { cookie, host: '192.168.1.7:6878' })).toBe(403);
  });
});

describe('a further name that leads here', () => {
  it('is named with the way to allow it, where it is a name', async () => {
    const host = 'localhost:8080';
    const refused = await ask('/', { host }, '127.0.0.1');
    expect(refused.status).toBe(403);
    expect(refused.body).toContain(`start the node with --allow-host ${host}`);
    expect((await ask('/', { host: '<b>x</b>' }, '127.0.0.1')).body).not.toContain('<b>');
  });

  it('serves pages once it is allowed, and asks all else for the token, as from another machine', async () => {
    const token = FAKE_TOKEN;
    const socket = { localAddress: '127.0.0.1', remoteAddress: '127.0.0.1' };
    const options = { port: 6878, token, allowHosts: ['localhost:8080', 'node.example'] };
    const asked = (url: string, host: string, headers: Record<string, string> = {}, isPage = false) =>
      refuseRequest({ url, method: 'GET', socket, headers: { host, ...headers } } as never, isPage, options)
        ?.status ?? 200;
    for (const host of ['localhost:8080', 'node.example', 'Node.Example:443']) {
      const name = host.toLowerCase();
      expect(asked('/', host, {}, true)).toBe(200);
      expect(asked('/content/x', host)).toBe(401);
      expect(asked(`/content/x?token=${token}`, host, { origin: `http://${name}` })).toBe(200);
      expect(asked(`/content/x?token=${token}`, host, { origin: `https://${name}` })).toBe(200);
      expect(asked(`/content/x?token=${token}`, host, { origin: 'https://evil.example' })).toBe(403);
      const upgrade = { url: `/rpc?token=${token}`, socket, headers: { host } } as never;
      expect(refuseUpgrade(upgrade, options)).toBeNull();
    }
    expect(asked('/content/x', '127.0.0.1:6878')).toBe(200);
    for (const host of ['localhost:8081', 'evil.example', 'node.example.evil', 'xnode.example', '::1'])
      expect(asked('/', host, {}, true), host).toBe(403);
  });
});

describe('a renewed token', () => {
  it('is the only one that is taken, and cuts off who came with the old one', async () => {
    const other = await startHttpServer({
      port: 0,
      pagesDir: dir,
      token: 'old',
      service: new FakeService(),
      content: (_req, res) => res.end(),
    });
    const open = (token: string) => {
      const ws = new WebSocket(`${other.url.replace('http', 'ws')}rpc?token=${token}`);
      return new Promise<WebSocket | number>((resolve) => {
        ws.once('open', () => resolve(ws));
        ws.on('error', () => {});
        ws.once('unexpected-response', (_req, res) => resolve(res.statusCode ?? 0));
      });
    };
    const before = (await open('old')) as WebSocket;
    const closed = new Promise((resolve) => before.once('close', resolve));
    other.setToken('new');
    expect(await closed).toBe(4001);
    expect(await open('old')).toBe(401);
    const after = (await open('new')) as WebSocket;
    expect(after.readyState).toBe(WebSocket.OPEN);
    after.terminate();
    await other.close();
  });
});
