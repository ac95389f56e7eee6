/** Whoever reaches the loopback server can open connections and say nothing, or next to nothing. */

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ConnectionLimits, MAX_CONNECTIONS } from '../../main/rpc/connections.ts';
import { type HttpServer, startHttpServer } from '../../main/rpc/http.ts';
import { FAKE_TOKEN } from '../helpers/fake-node.ts';
import { FakeService } from '../helpers/fake-service.ts';
import { waitFor } from '../helpers/wait.ts';

let pagesDir: string;
const undo: (() => unknown)[] = [];

beforeAll(() => {
  pagesDir = mkdtempSync(join(tmpdir(), 'ace-pages-'));
  writeFileSync(join(pagesDir, 'index.html'), '<!doctype html><title>pages</title>');
});
afterAll(() => rmSync(pagesDir, { recursive: true, force: true }));
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** `/content/slow` sends a byte and then nothing until it is told to go on. */
async function start(limits?: ConnectionLimits) {
  const goOn = Promise.withResolvers<void>();
  const server: HttpServer = await startHttpServer({
    port: 0,
    pagesDir,
    token: FAKE_TOKEN,
    service: new FakeService(),
    content: (req, res) => {
      if (req.method === 'PUT') return void takeAll(req, res);
      if (req.url !== '/content/slow') return void res.end('content');
      res.write('a');
      void goOn.promise.then(() => res.end('z'));
    },
    ...(limits && { limits }),
  });
  undo.push(() => server.close());
  return { server, goOn: goOn.resolve };
}

/** Answers once the body is whole, with what it was. */
async function takeAll(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of req as AsyncIterable<Buffer>) parts.push(part);
  res.setHeader('x-body', Buffer.concat(parts).toString());
  res.end();
}

interface Line {
  readonly socket: Socket;
  closed: boolean;
  received: string;
}

function open(port: number, text = ''): Promise<Line> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const line: Line = { socket, closed: false, received: '' };
    socket.setEncoding('utf8').on('data', (data: string) => {
      line.received += data;
    });
    socket.on('error', () => {}); // cut off by the server
    socket.once('close', () => {
      line.closed = true;
      resolve(line);
    });
    socket.once('connect', () => {
      socket.write(text);
      resolve(line);
    });
    undo.push(() => socket.destroy());
  });
}

const openMany = (port: number, count: number, text?: string) =>
  Promise.all(Array.from({ length: count }, () => open(port, text)));
const openOnes = (lines: readonly Line[]) => lines.filter(({ closed }) => !closed).length;

describe('idle connections', () => {
  it.each([
    ['say nothing', ''],
    ['send half a request', 'GET /content/x HTTP/1.1\r\nHost: 127.0.'],
  ])('a thousand that %s stop neither pages nor players nor sockets', async (_what, text) => {
    const { server, goOn } = await start();
    const player = await new Promise<IncomingMessage>((resolve) =>
      get(new URL('/content/slow', server.url), resolve),
    );
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}rpc?token=${FAKE_TOKEN}`);
    undo.push(() => socket.terminate());
    await new Promise((resolve) => socket.once('open', resolve));

    const lines = await openMany(server.port, 1_000, text);
    const newest = await open(server.port, text);
    await waitFor('the oldest are closed', () => openOnes(lines) <= MAX_CONNECTIONS);
    expect((await fetch(server.url)).status).toBe(200);
    expect(await (await fetch(new URL('/content/x', server.url))).text()).toBe('content');
    goOn();
    expect((await player.toArray()).join('')).toBe('az');
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(newest.closed).toBe(false);
    expect(openOnes(lines)).toBeGreaterThan(MAX_CONNECTIONS / 2);
  });

  it('give way, the longest unused first', async () => {
    const { server } = await start({ connections: 3, headersTimeoutMs: 10_000, keepAliveMs: 10_000 });
    const request = `GET /content/x HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`;
    const first = await open(server.port);
    const second = await open(server.port);
    first.socket.write(request);
    await waitFor('the first was answered', () => first.received.includes('content'));
    const more = await openMany(server.port, 2);
    await waitFor('the second is closed', () => second.closed);
    expect(openOnes([first, ...more])).toBe(3);
  });
});

describe('slow requests', () => {
  it('that trickle are cut off after the time for a request, while others are answered', async () => {
    const { server } = await start({ connections: 100, headersTimeoutMs: 500, keepAliveMs: 1_000 });
    const lines = await openMany(server.port, 50, 'GET / HTTP/1.1\r\n');
    const trickle = setInterval(() => {
      for (const { socket } of lines) if (!socket.destroyed) socket.write('X-Slow: 1\r\n');
    }, 50);
    undo.push(() => clearInterval(trickle));
    expect((await fetch(server.url)).status).toBe(200);
    await waitFor('all are cut off', () => openOnes(lines) === 0);
    expect(lines.every(({ received }) => received.startsWith('HTTP/1.1 408'))).toBe(true);
  });

  it('that never begin are cut off too', async () => {
    const { server } = await start({ connections: 100, headersTimeoutMs: 500, keepAliveMs: 1_000 });
    const lines = await openMany(server.port, 20);
    await waitFor('all are cut off', () => openOnes(lines) === 0);
  });

  it('do not shorten an answer that takes longer than a request may', async () => {
    const { server, goOn } = await start({ connections: 100, headersTimeoutMs: 200, keepAliveMs: 200 });
    const answer = fetch(new URL('/content/slow', server.url));
    setTimeout(goOn, 1_000);
    expect(await (await answer).text()).toBe('az');
  });
});

describe('large requests', () => {
  it.each([
    ['a page', 'POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT'],
    ['a content', 'GET /content/x HTTP/1.1\r\nHost: 127.0.0.1:PORT'],
    ['the socket', 'POST /rpc HTTP/1.1\r\nHost: 127.0.0.1:PORT'],
    ['a foreign page', 'PUT /broadcast/a/b/c.ts HTTP/1.1\r\nHost: evil.example'],
  ])('whose body is huge are answered and cut off without reading it: to %s', async (_what, head) => {
    const { server } = await start();
    for (const length of ['Content-Length: 1000000000000', 'Transfer-Encoding: chunked']) {
      const line = await open(server.port, `${head.replace('PORT', `${server.port}`)}\r\n${length}\r\n\r\n`);
      const body = Buffer.alloc(65_536, '0');
      let sentBytes = 0;
      const push = () => {
        while (!line.socket.destroyed && line.socket.write(body)) sentBytes += body.length;
      };
      line.socket.on('drain', push);
      push();
      await waitFor('it is cut off', () => line.closed);
      expect(line.received).toMatch(/^(HTTP\/1\.1 4(?:03|05|13) |$)/);
      // What the system's buffers take; nobody reads them.
      expect(sentBytes).toBeLessThan(32 * 1_048_576);
    }
    expect((await fetch(server.url)).status).toBe(200);
  });

  it('are refused before anything looks at them', async () => {
    const { server } = await start();
    const line = await open(server.port, `GET /content/x HTTP/1.1\r\nX-Long: ${'a'.repeat(70_000)}`);
    await waitFor('it is refused', () => line.closed);
    expect(line.received).toMatch(/^HTTP\/1\.1 431/);
  });
});

it('a segment that is pushed while it plays is not cut off by the limits for those who say nothing', async () => {
  const { server } = await start({ connections: 8, headersTimeoutMs: 300, keepAliveMs: 300 });
  const push = request(new URL('/broadcast/a/b/c.ts', server.url), { method: 'PUT' });
  const answered = once(push, 'response') as Promise<[IncomingMessage]>;
  push.write('a');
  // Each of its limits is over by then: six times the 300 ms, looked at every 100 ms.
  await delay(2_000);
  push.end('z');
  const [answer] = await answered;
  answer.resume();
  expect(answer.headers['x-body']).toBe('az');
});
