import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { FeedHub } from '../../../../main/rpc/feed.ts';
import { createProcedures } from '../../../../main/rpc/procedures.ts';
import {
  attachWebSocket,
  MAX_CONNECTIONS,
  MAX_OPEN_CALLS,
  MAX_PAYLOAD_BYTES,
} from '../../../../main/rpc/websocket.ts';
import { connect, type WsClient } from '../../../../main/rpc/ws-client.ts';
import type { FeedListener, NodeSnapshot, Output, ServerFrame } from '../../../../shared/rpc/rpc.ts';
import type { SettlementView } from '../../../../shared/rpc/settlements.ts';
import { FAKE_TOKEN, type FakeNode, startFakeNode } from '../../../helpers/fake-node.ts';

let node: FakeNode;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  node = await startFakeNode({ pagesDir: import.meta.dirname });
});
afterEach(async () => {
  for (const socket of open.splice(0)) await socket.close();
  // The feed is left with the last connection.
  await vi.waitFor(() => expect(node.service.listenerCount).toBe(0));
});
afterAll(() => node.close());

function socketTo(path: string, options: ClientOptions = {}): WebSocket {
  const ws = new WebSocket(`ws://127.0.0.1:${node.port}${path}`, options);
  open.push(ws);
  return ws;
}

/** 101 when the connection was taken, otherwise the status of the refusal. */
function statusOf(ws: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    ws.on('error', () => {});
    ws.once('open', () => resolve(101));
    ws.once('unexpected-response', (_req, res) => {
      res.resume();
      resolve(res.statusCode ?? 0);
    });
  });
}

async function client(): Promise<WsClient> {
  const connected = await connect(node.url, FAKE_TOKEN);
  open.push(connected);
  return connected;
}

describe('attachWebSocket: who is let in', () => {
  const path = `/rpc?token=${FAKE_TOKEN}`;

  it('takes our token', async () => {
    expect(await statusOf(socketTo(path))).toBe(101);
  });

  it.each(['/rpc', '/rpc?token=', '/rpc?token=wrong', `/rpc?token=${FAKE_TOKEN}x`])(
    'refuses %s',
    async (wrong) => {
      expect(await statusOf(socketTo(wrong))).toBe(401);
    },
  );

  it('refuses any other path', async () => {
    expect(await statusOf(socketTo(`/other?token=${FAKE_TOKEN}`))).toBe(400);
  });

  it('refuses a foreign host even with the token', async () => {
    expect(await statusOf(socketTo(path, { headers: { host: `evil.example:${node.port}` } }))).toBe(403);
  });

  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1'])('refuses the origin %s', async (origin) => {
    expect(await statusOf(socketTo(path, { origin }))).toBe(403);
  });

  it('takes our own origin', async () => {
    expect(await statusOf(socketTo(path, { origin: `http://127.0.0.1:${node.port}` }))).toBe(101);
  });

  it(`refuses more than ${MAX_CONNECTIONS} connections`, async () => {
    const sockets = Array.from({ length: MAX_CONNECTIONS }, () => socketTo(path));
    await Promise.all(sockets.map(statusOf));
    expect(await statusOf(socketTo(path))).toBe(503);
  });
});

describe('attachWebSocket: what is sent', () => {
  const path = `/rpc?token=${FAKE_TOKEN}`;

  it.each([
    'not json',
    '[]',
    '{"id":-1,"procedure":"snapshot"}',
    '{"id":1}',
    '{"id":1,"procedure":"x","more":1}',
  ])('hangs up on %s', async (text) => {
    const ws = socketTo(path);
    await statusOf(ws);
    const closed = new Promise((resolve) => ws.once('close', resolve));
    ws.send(text);
    expect(await closed).toBe(1007);
  });

  it('hangs up on a frame that is too large, and stays alive', async () => {
    const ws = socketTo(path);
    await statusOf(ws);
    const closed = new Promise((resolve) => ws.once('close', resolve));
    ws.send('x'.repeat(MAX_PAYLOAD_BYTES + 1));
    expect(await closed).toBe(1009);
    expect(await statusOf(socketTo(path))).toBe(101);
  });

  it('answers too many calls at once with an error each', async () => {
    let release = () => {};
    const gate = new Promise<Output<'shutdown'>>((resolve) => {
      release = () => resolve({});
    });
    const shutdown = vi.spyOn(node.service, 'shutdown').mockReturnValue(gate);
    const ws = socketTo(path);
    await statusOf(ws);
    const refused = new Promise<ServerFrame>((resolve) => {
      ws.on('message', (data) => {
        const frame = JSON.parse(data.toString()) as ServerFrame;
        if ('error' in frame) resolve(frame);
      });
    });
    for (let id = 0; id <= MAX_OPEN_CALLS; id++)
      ws.send(JSON.stringify({ id, procedure: 'shutdown', input: {} }));
    expect(await refused).toMatchObject({ id: MAX_OPEN_CALLS, error: { code: 'TooManyRequests' } });
    release();
    shutdown.mockRestore();
  });
});

describe('attachWebSocket: a slow reader', () => {
  it('misses snapshots instead of filling memory, and gets the newest when it has caught up', async () => {
    let emit: FeedListener = () => {};
    const feed: FeedHub = {
      subscribe: (listener) => {
        emit = listener;
        return () => {};
      },
      close: () => {},
    };
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const procedures = createProcedures(node.service);
    const transport = attachWebSocket({
      server,
      procedures,
      feed,
      guard: () => ({ port, token: FAKE_TOKEN }),
    });
    const heard: number[] = [];
    const socket = await new Promise<Socket>((resolve) => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/rpc?token=${FAKE_TOKEN}`);
      open.push(ws);
      ws.on('upgrade', (res) => resolve(res.socket));
      ws.on('message', (data) =>
        heard.push((JSON.parse(data.toString()) as { data: { peers: number } }).data.peers),
      );
    });
    socket.pause();
    const base = await node.service.snapshot();
    const large = { ...base, dataDir: 'x'.repeat(65_536) };
    const sent = 800;
    for (let peers = 1; peers <= sent; peers++) {
      emit('snapshot', { ...large, peers });
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resume();
    await vi.waitFor(() => expect(heard.at(-1)).toBe(sent), { timeout: 5_000 });
    expect(heard.length).toBeLessThan(sent / 2);
    transport.close();
    server.close();
  });
});

describe('connect', () => {
  it('calls and gets the output', async () => {
    const snapshot = await (await client()).call('snapshot', {});
    expect(snapshot.account).toMatch(/^0x/);
  });

  it('throws the AceError of the node', async () => {
    const call = (await client()).call('importFile', { path: '/none' });
    await expect(call).rejects.toMatchObject({
      name: 'AceError',
      code: 'FileMissing',
      details: { path: '/none' },
    });
  });

  it('hears a snapshot first, then what changes', async () => {
    const connected = await client();
    const topics: string[] = [];
    const rows = new Promise<readonly SettlementView[]>((resolve) => {
      connected.subscribe((topic, data) => {
        topics.push(topic);
        if (topic === 'settlements') resolve(data as readonly SettlementView[]);
      });
    });
    await vi.waitFor(() => expect(topics[0]).toBe('snapshot'));
    await connected.call('settleNow', {});
    expect((await rows)[0]?.seq).toBeGreaterThan(0);
    expect(connected).toBeDefined();
  });

  it('gives a late subscriber the last snapshot at once', async () => {
    const connected = await client();
    await new Promise<void>((resolve) => connected.subscribe(() => resolve()));
    let heard: NodeSnapshot | null = null;
    connected.subscribe((topic, data) => {
      if (topic === 'snapshot') heard ??= data as NodeSnapshot;
    });
    expect(heard).not.toBeNull();
  });

  it('throws NodeNotRunning for a wrong token and where nobody listens', async () => {
    await expect(connect(node.url, 'wrong')).rejects.toMatchObject({ code: 'NodeNotRunning' });
    await expect(connect('http://127.0.0.1:1/', FAKE_TOKEN)).rejects.toMatchObject({
      code: 'NodeNotRunning',
    });
  });

  it('rejects what is under way, and says so, when the node stops', async () => {
    const short = await startFakeNode({ pagesDir: import.meta.dirname });
    vi.spyOn(short.service, 'shutdown').mockReturnValue(new Promise(() => {}));
    const connected = await connect(short.url, FAKE_TOKEN);
    const states: boolean[] = [];
    connected.onConnection((state) => states.push(state));
    const call = connected.call('shutdown', {});
    const rejected = expect(call).rejects.toMatchObject({ code: 'NodeNotRunning' });
    await short.close();
    await rejected;
    expect(states).toEqual([true, false]);
  });
});
