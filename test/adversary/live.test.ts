import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { createHost } from '../../main/p2p/host.ts';
import { GossipRouter } from '../../main/p2p/protocols/gossip/router.ts';
import { liveTopic } from '../../main/p2p/protocols/live/constants.ts';
import { LiveGossip } from '../../main/p2p/protocols/live/gossip.ts';
import { askHolds, askRecords } from '../../main/p2p/protocols/live/protocol.ts';
import { createDevice } from '../../main/wallet/device.ts';
import type { WalletSecrets } from '../../main/wallet/keystore.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { MAX_SEGMENT_BYTES } from '../../shared/live/records.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { type Devnet, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { longestWorkMs } from '../helpers/event-loop.ts';
import { type LiveNode, liveNode, sequencesOf } from '../helpers/live-node.ts';
import { signedSegment } from '../helpers/live-records.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

/** A broadcast of made-up segments, which nobody could decode: nothing here looks into them. */
async function broadcasting(net: Devnet, segments: number, secrets?: WalletSecrets) {
  const broadcaster = await net.peer('broadcaster', secrets);
  const { contentId } = await broadcaster.live.start('Harbour', null);
  for (let i = 0; i < segments; i++) await publish(broadcaster, contentId);
  return { broadcaster, id: contentId };
}

function publish(peer: TestPeer, id: string, discontinuity = false) {
  return peer.live.broadcaster.publish(id, {
    bytes: randomBytes(50_000),
    durationMs: 1_000,
    init: null,
    discontinuity,
  });
}

/** A host in the test's hands that says what it likes about a broadcast. */
async function liar(net: Devnet, peer: Pick<TestPeer, 'host' | 'settings'>, id: string) {
  const router = new GossipRouter(Date.now, () => undefined);
  const host = await createHost({ deviceSeed: createDevice().seed(), listen: [], gossip: router });
  net.owns(async () => host.stop());
  const topic = liveTopic(peer.settings.networkId, id);
  await host.dial(peer.host.getMultiaddrs());
  await waitFor('the peer listens', () => router.pubsub.getSubscribers(topic).length > 0);
  return {
    host,
    say: async (message: Uint8Array) => {
      await router.pubsub.publish(topic, message).catch(() => undefined); // its own buffer may be full
    },
  };
}

describe('lies about a broadcast', () => {
  it('are neither believed nor passed on: who tells them is not listened to any more', async () => {
    const net = await useDevnet();
    const { broadcaster, id } = await broadcasting(net, 3);
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    await waitFor('the viewer knows it', () => viewer.peer.live.book.window(id).length === 3);
    const { say } = await liar(net, viewer.peer, id);
    const stranger = createDevice();
    // Its own segments, under the broadcaster's id.
    for (let i = 3; i < 8; i++) await say(signedSegment(stranger, { broadcast: id, sequence: i }));
    for (let i = 0; i < 5; i++) await say(randomBytes(300));
    await publish(broadcaster, id);
    await waitFor('the broadcast goes on', () => viewer.peer.live.book.window(id).length === 4);
    const sequences = () => viewer.peer.live.book.window(id).map((one) => one.sequence);
    expect(await staysFor('the window', 300, sequences)).toEqual([0, 1, 2, 3]);
    expect(viewer.peer.live.book.window(id)).toMatchObject(
      broadcaster.live.book.window(id).map(({ contentId }) => ({ contentId })),
    );
    expect(viewer.peer.store.liveRecords.contradictions(id)).toEqual([]);
  });

  it('of its own broadcaster, two segments with one number, are remembered by those who hear both', async () => {
    const net = await useDevnet();
    // Two copies of one device, as a cheat would run them.
    const twin = createDevice();
    const secrets = { phrase: createPhrase(12), deviceSeed: twin.seed() };
    const { broadcaster, id } = await broadcasting(net, 2, secrets);
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    await waitFor('the viewer knows it', () => viewer.peer.live.book.window(id).length === 2);
    const { say } = await liar(net, viewer.peer, id);
    const message = signedSegment(twin, { broadcast: id, sequence: 1, startsAtMs: Date.now() });
    await say(message);
    await waitFor('it is remembered', () => viewer.peer.store.liveRecords.contradictions(id).length === 1);
    expect(viewer.peer.live.book.window(id)[1]?.contentId).toBe(
      broadcaster.live.book.window(id)[1]?.contentId,
    );
  });

  it('are not made by books that were restored from an older copy: used numbers are asked for first', async () => {
    const net = await useDevnet();
    const { broadcaster, id } = await broadcasting(net, 2);
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    await broadcaster.stop();
    cpSync(broadcaster.dir, join(net.dir, 'copy'), { recursive: true });
    const again = await net.peer('broadcaster');
    for (let i = 0; i < 3; i++) await publish(again, id);
    await waitFor('the viewer knows all', () => viewer.peer.live.book.window(id).length === 5);
    await again.stop();

    const restored = await net.peer('copy');
    expect(restored.store.broadcasts.get(id)?.nextSequence).toBe(2);
    expect((await publish(restored, id)).sequence).toBe(5);
    await waitFor('it goes on', () => viewer.peer.live.book.window(id).length === 6);
    expect(viewer.peer.store.liveRecords.contradictions(id)).toEqual([]);
  });

  it('a gap that nobody can fill is passed over, and the playlist never goes back', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const { broadcaster, id } = await broadcasting(net, 3);
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    await waitFor('the viewer knows it', () => viewer.peer.live.book.window(id).length === 3);
    expect(await sequencesOf(viewer.manifest(id))).toEqual([0, 1, 2]);
    // Nobody can tell of 3: it is gone everywhere.
    await viewer.peer.live.unwatch(id);
    const unheard = vi.spyOn(LiveGossip.prototype, 'publish').mockImplementation(() => undefined);
    const lost = await publish(broadcaster, id);
    unheard.mockRestore();
    broadcaster.store.commit(() => broadcaster.store.liveRecords.remove(id, [lost]));
    broadcaster.live.book.dropHeardBefore(id, 0);
    await viewer.call('play', { contentId: id });
    await publish(broadcaster, id, true);
    await publish(broadcaster, id);
    await waitFor('the viewer hears what comes after', () =>
      viewer.peer.live.book.window(id).some(({ sequence }) => sequence === 5),
    );
    const playlists: number[][] = [];
    await waitFor('it goes on behind the gap', async () => {
      playlists.push(await sequencesOf(viewer.manifest(id)));
      return playlists.at(-1)?.[0] === 4;
    });
    expect(playlists.pop()).toEqual([4, 5]);
    // Until then it waits for what is missing.
    for (const playlist of playlists) expect(playlist).toEqual([0, 1, 2]);
    const text = await (await fetch(viewer.manifest(id))).text();
    expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:4');
    expect(text).toContain('#EXT-X-DISCONTINUITY-SEQUENCE:1');
    expect((await fetch(viewer.at(`/ace/live/${id}/3.ts`))).status).toBe(404);
    expect((await fetch(viewer.at(`/ace/live/${id}/4.ts`))).status).toBe(200);
  });
});

describe('a flood about a broadcast', () => {
  itInTiers<[string, (id: string) => (i: number) => Uint8Array]>({
    quick: [
      [
        'well-formed records of a stranger',
        (id) => {
          const stranger = createDevice();
          return (i) => signedSegment(stranger, { broadcast: id, sequence: i + 10 });
        },
      ],
    ],
    long: [['junk', () => () => randomBytes(900)]],
  })('of %s does not hold up the node, and leaves nothing', async (_what, make) => {
    const net = await useDevnet();
    const { broadcaster, id } = await broadcasting(net, 2);
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    await waitFor('the viewer knows it', () => viewer.peer.live.book.window(id).length === 2);
    const { say } = await liar(net, viewer.peer, id);
    const messages = Array.from({ length: 2_000 }, (_, i) => make(id)(i));
    const lagMs = await longestWorkMs(async () => {
      for (const [i, message] of messages.entries()) {
        await say(message);
        if (i % 50 === 0) await delay(1);
      }
      await publish(broadcaster, id);
      await waitFor('the broadcast goes on', () => viewer.peer.live.book.window(id).length === 3);
    });
    expect(lagMs).toBeLessThan(1_000);
    expect(viewer.peer.live.book.window(id)).toHaveLength(3);
  });

  it('of questions is refused by name, and others are answered', async () => {
    const net = await useDevnet();
    const { broadcaster, id } = await broadcasting(net, 2);
    const { host } = await liar(net, broadcaster, id);
    const addresses = broadcaster.host.getMultiaddrs();
    const codes: string[] = [];
    const ask = () => askRecords(host, addresses, id, -1).catch(({ code }) => void codes.push(code));
    // Several at once, and as long as it takes: a busy machine asks no faster than it is allowed to.
    const refused = async () => {
      await Promise.all(Array.from({ length: 8 }, ask));
      return codes.length > 0;
    };
    await waitFor('a refusal', refused);
    expect(new Set(codes)).toEqual(new Set(['TooManyRequests']));
    const other = await net.peer('other');
    expect(await askRecords(other.host, addresses, id, 0)).toHaveLength(1);
    const unknown = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';
    await expectAceRejection('BroadcastUnknown', askRecords(other.host, addresses, unknown, 0));
    const held = broadcaster.live.book.window(id)[0]?.contentId ?? '';
    expect(await askHolds(other.host, addresses, [held, unknown], 5_000)).toEqual([true, false]);
  });
});

describe('what is pushed', () => {
  async function pushing() {
    const net = await useDevnet();
    const node = await liveNode(net, 'broadcaster');
    const { contentId, pushUrl } = await node.call('startBroadcast', { name: 'Harbour' });
    const base = pushUrl?.replace(/live\.m3u8$/, '') ?? '';
    return { net, node, id: contentId, base };
  }
  const put = (url: string, body: NonNullable<RequestInit['body']> = 'x', init: RequestInit = {}) =>
    fetch(url, { method: 'PUT', body, ...init });
  const segments = async (node: LiveNode) => (await node.call('broadcasts', {}))[0]?.segments;
  const playlist = (...names: string[]) =>
    ['#EXTM3U', '#EXT-X-MEDIA-SEQUENCE:0', ...names.flatMap((name) => ['#EXTINF:1.0,', name]), ''].join('\n');

  it('needs the key, a plain name, a known ending, and no page of another site behind it', async () => {
    const { node, id, base } = await pushing();
    const key = base.split('/').at(-2) ?? '';
    expect((await put(`${base}a.ts`)).status).toBe(201);
    for (const [url, status] of [
      [`${base.replace(key, [...key].reverse().join(''))}a.ts`, 404],
      [`${base.replace(`/${key}`, '')}a.ts`, 404],
      [`${base.replace(id, 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi')}a.ts`, 404],
      [`${base}a.exe`, 400],
      [`${base}sub/a.ts`, 400],
      [`${base}..%2f..%2fa.ts`, 400],
      [`${base}%2e%2e`, 404],
      [`${base}.hidden.ts`, 400],
      [`${base}a%00.ts`, 400],
      [base, 400],
    ] as const) {
      expect([url, (await put(url)).status]).toEqual([url, status]);
    }
    expect(await rawPut(`${base}../${key}/x/../../../node.db`)).toBe(400);
    expect((await put(`${base}a.ts`, 'x', { headers: { origin: 'https://evil.example' } })).status).toBe(403);
    expect((await fetch(`${base}a.ts`)).status).toBe(405);
    expect((await fetch(`${base}a.ts`, { method: 'DELETE' })).status).toBe(204);
    // What was deleted is no segment, whatever the playlist says.
    expect((await put(`${base}live.m3u8`, playlist('a.ts'))).status).toBe(201);
    expect(await segments(node)).toBe(0);
  });

  it('becomes a segment once the playlist names it, and only once', async () => {
    const { node, base } = await pushing();
    await put(`${base}a.ts`, randomBytes(20_000));
    expect(await segments(node)).toBe(0);
    for (let i = 0; i < 3; i++) expect((await put(`${base}live.m3u8`, playlist('a.ts'))).status).toBe(201);
    expect(await segments(node)).toBe(1);
    const bad = await put(`${base}live.m3u8`, playlist('../a.ts'));
    expect([bad.status, await bad.text()]).toEqual([
      400,
      'The playlist is refused: a file in it has no plain name\n',
    ]);
    // A segment of more bits than a broadcast may have is left out, and the next one says so.
    await put(`${base}b.ts`, randomBytes(13_000_000));
    await put(`${base}c.ts`, randomBytes(20_000));
    expect((await put(`${base}live.m3u8`, playlist('a.ts', 'b.ts', 'c.ts'))).status).toBe(201);
    expect(await segments(node)).toBe(2);
    const [, second] = node.peer.live.book.window((await node.call('broadcasts', {}))[0]?.contentId ?? '');
    expect(second?.discontinuities).toBe(1);
  });

  it('is refused when it is too large, said or unsaid', async () => {
    const { node, base } = await pushing();
    expect(await said(base, MAX_SEGMENT_BYTES + 1)).toBe(413);
    expect((await put(`${base}live.m3u8`, Buffer.alloc(1_048_577))).status).toBe(413);
    const before = process.memoryUsage().rss;
    const endless = request(`${base}a.ts`, { method: 'PUT' });
    // Whoever goes on sending may be cut off before it reads the answer.
    const outcome = new Promise<number | string>((resolve) => {
      endless.once('response', (res) => resolve(res.statusCode ?? 0));
      endless.on('error', () => resolve('cut off'));
    });
    const sending = setInterval(() => {
      if (!endless.destroyed && endless.writableLength < 4_194_304) endless.write(Buffer.alloc(1_048_576));
    }, 2);
    expect([413, 'cut off']).toContain(await outcome);
    clearInterval(sending);
    endless.destroy();
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1_048_576);
    expect(await segments(node)).toBe(0);
  });

  it('leaves nothing when it breaks off', async () => {
    const { net, node, base } = await pushing();
    const url = new URL(`${base}a.ts`);
    for (const head of [
      'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'Content-Length: 1000\r\n\r\nhello',
    ]) {
      const socket = connect(Number(url.port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`PUT ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n${head}`);
      // Time for the node to take what came, and to notice the end: a slow machine makes the test see less.
      await delay(100);
      socket.destroy();
      await delay(100);
    }
    await put(`${base}live.m3u8`, playlist('a.ts'));
    expect(await segments(node)).toBe(0);
    expect(readdirSync(join(net.dir, 'broadcaster', 'pieces'))).toEqual([]);
  });

  async function said(base: string, sizeBytes: number): Promise<number> {
    const req = request(`${base}a.ts`, { method: 'PUT', headers: { 'content-length': sizeBytes } });
    req.on('error', () => {}); // it is cut off
    req.flushHeaders();
    const [res] = (await once(req, 'response')) as [{ statusCode: number }];
    req.destroy();
    return res.statusCode;
  }

  /** The path goes out as it is written. */
  async function rawPut(address: string): Promise<number> {
    const { host, port } = new URL(address);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    const path = address.slice(address.indexOf('/broadcast/'));
    socket.write(`PUT ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer.toString())?.[1]);
  }
});
