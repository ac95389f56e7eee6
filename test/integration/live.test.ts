import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Devnet, paidUnits, revealedUnits, useDevnet } from '../helpers/devnet.ts';
import { decode, Encoder, type EncoderOptions, hasFfmpeg } from '../helpers/encoder.ts';
import { type LiveNode, liveNode, sequencesOf } from '../helpers/live-node.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

function encode(options: EncoderOptions): Encoder {
  const encoder = new Encoder(options);
  onTestFinished(() => encoder.stop());
  return encoder;
}

/** A node that broadcasts, fed by an encoder, with so many segments out. */
async function onAir(net: Devnet, options: Partial<EncoderOptions> = {}, segments = 3) {
  const broadcaster = await liveNode(net, 'broadcaster');
  const broadcast = await broadcaster.call('startBroadcast', { name: 'Harbour camera' });
  const encoder = encode({ target: broadcast.pushUrl ?? '', ...options });
  await published(broadcaster, segments, encoder);
  return { broadcaster, encoder, id: broadcast.contentId };
}

async function published(node: LiveNode, segments: number, encoder?: Encoder): Promise<void> {
  await waitFor(`${segments} segments`, async () => {
    const [broadcast] = await node.call('broadcasts', {});
    const now = broadcast?.segments ?? 0;
    if (encoder && !encoder.running && now < segments) throw new Error(`${now}: ${encoder.said}`);
    return now >= segments;
  });
}

const ascending = (times: readonly number[]) =>
  times.every((time, i) => i === 0 || time > (times[i - 1] ?? 0));
const heldBy = (node: LiveNode, id: string) =>
  node.peer.live.book
    .window(id)
    .filter(({ contentId }) => contentId && node.peer.store.contents.pieces.of(contentId).length > 0)
    .map(({ sequence }) => sequence);

describe.skipIf(!hasFfmpeg)('a broadcast that an encoder pushes', () => {
  itInTiers({ quick: [['fragmented MP4', true]], long: [['MPEG transport streams', false]] })(
    'of %s is decoded frame by frame by a viewer that joins in the middle, and paid',
    async (_what, fragmented) => {
      const net = await useDevnet();
      const { broadcaster, id } = await onAir(net, { fragmented });
      const viewer = await liveNode(net, 'viewer');
      const { content, playbackUrl } = await viewer.call('play', { contentId: id });
      expect(content).toMatchObject({ name: 'Harbour camera', live: { own: false, ended: false } });
      expect(playbackUrl).toBe(viewer.manifest(id));
      const { frames, times } = await decode(playbackUrl, 4);
      expect(frames).toBeGreaterThanOrEqual(70);
      expect(ascending(times)).toBe(true);
      expect(revealedUnits(viewer.peer)).toBeGreaterThan(0);
      await waitFor('the broadcaster is paid', () => paidUnits(broadcaster.peer) > 0);
      const { transfers } = await viewer.call('snapshot', {});
      expect(transfers).toMatchObject([{ contentId: id, name: 'Harbour camera' }]);
      // The library shows the broadcast, not its segments.
      for (const node of [viewer, broadcaster]) {
        expect((await node.call('contents', {})).map(({ contentId }) => contentId)).toEqual([id]);
      }
    },
  );

  it('is passed on: a second viewer is served in part by the first, and pays it', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const { id } = await onAir(net);
    const first = await liveNode(net, 'first');
    await first.call('play', { contentId: id });
    const watching = decode(first.manifest(id), 12);
    await waitFor('the first viewer has some segments', () => heldBy(first, id).length >= 3);
    const second = await liveNode(net, 'second');
    const { frames, times } = await decode(second.manifest(id), 6);
    expect(frames).toBeGreaterThanOrEqual(110);
    expect(ascending(times)).toBe(true);
    expect((await watching).frames).toBeGreaterThanOrEqual(220);
    await waitFor('the first viewer is paid', () => paidUnits(first.peer) > 0);
    // What the first one sent, the broadcaster did not have to.
    const served = (await first.call('channels', {})).contents;
    expect(served).toMatchObject([{ contentId: id, name: 'Harbour camera' }]);
    expect(served[0]?.servedBytes).toBeGreaterThan(0);
  });

  it('ends for its viewers when its broadcaster ends it, and takes nothing more', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const { broadcaster, encoder, id } = await onAir(net);
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    expect(await (await fetch(viewer.manifest(id))).text()).not.toContain('ENDLIST');
    await broadcaster.call('endBroadcast', { contentId: id });
    await waitFor('the viewer hears of the end', async () =>
      (await (await fetch(viewer.manifest(id))).text()).includes('#EXT-X-ENDLIST'),
    );
    const [ended] = await broadcaster.call('broadcasts', {});
    await encoder.stop();
    const more = await fetch(ended?.pushUrl?.replace('live.m3u8', 'more.ts') ?? '', {
      method: 'PUT',
      body: 'x',
    });
    expect(more.status).toBe(410);
    expect(await broadcaster.call('broadcasts', {})).toMatchObject([
      { ended: true, segments: ended?.segments },
    ]);
    // Who comes later is told of the end as well, and can still see the last of it.
    const late = await liveNode(net, 'late');
    const { frames } = await decode(late.manifest(id), 30);
    expect(frames).toBeGreaterThanOrEqual(50);
    await expect(broadcaster.call('endBroadcast', { contentId: id })).rejects.toMatchObject({
      code: 'BroadcastEnded',
    });
    // The same name again is another broadcast.
    const again = await broadcaster.call('startBroadcast', { name: 'Harbour camera' });
    expect(again.contentId).not.toBe(id);
  });

  it('costs a viewer nothing once its player is gone, nor while it takes no segments', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const { broadcaster, id } = await onAir(net, { rate: 3 });
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    const first = (await waitFor('a playlist', async () => sequencesOf(viewer.manifest(id))))[0] ?? 0;
    const url = viewer.at(`/ace/live/${id}/${first}.ts`);
    expect((await fetch(url)).status).toBe(200);
    // A player that pauses goes on asking for the playlist.
    await published(broadcaster, first + 50);
    const listed = await sequencesOf(viewer.manifest(id));
    expect(listed.at(-1)).toBeGreaterThanOrEqual(first + 49);
    const held = heldBy(viewer, id);
    expect(Math.max(...held)).toBeGreaterThanOrEqual(first + 3);
    // Half a minute ahead of what it took last, and what it began with.
    expect(Math.max(...held)).toBeLessThanOrEqual(first + 33);
    expect(await viewer.call('stop', { contentId: id })).toEqual({ stopped: true });
    expect(viewer.peer.live.watches()).toEqual([]);
    const after = viewer.peer.store.contents.totals().downBytes;
    await staysFor('what was fetched', 2_500, () => viewer.peer.store.contents.totals().downBytes);
    expect(viewer.peer.store.contents.totals().downBytes).toBe(after);
  });
});

describe.skipIf(!hasFfmpeg)('a broadcast out of a folder', () => {
  it.each([
    ['written in place', 'delete_segments'],
    ['renamed when they are whole', 'delete_segments+temp_file'],
  ])(
    'takes each segment once, with files %s, and goes on after a restart',
    { tags: 'long' },
    async (_what, flags) => {
      const net = await useDevnet();
      const folder = join(net.dir, 'encoder');
      mkdirSync(folder);
      const broadcaster = await liveNode(net, 'broadcaster');
      const { contentId, pushUrl } = await broadcaster.call('startBroadcast', { name: 'Hall', folder });
      expect(pushUrl).not.toBeNull();
      const encoder = encode({ target: join(folder, 'live.m3u8'), flags });
      await published(broadcaster, 4, encoder);
      await broadcaster.stop();
      const seen = new Set(readdirSync(folder));
      const whole = (name: string) => !seen.has(name) && !name.endsWith('.tmp');
      await waitFor('the encoder goes on meanwhile', () => readdirSync(folder).filter(whole).length >= 2);
      const again = await liveNode(net, 'broadcaster');
      const before = (await again.call('broadcasts', {}))[0]?.segments ?? 0;
      await published(again, before + 4, encoder);
      const viewer = await liveNode(net, 'viewer');
      const { times } = await decode(viewer.manifest(contentId), 6);
      expect(times.length).toBeGreaterThanOrEqual(110);
      expect(ascending(times)).toBe(true);
      // One clock of the encoder, no segment twice, none left out: they follow one another by their times of play.
      const window = again.peer.live.book.window(contentId);
      expect(window.map(({ sequence }) => sequence)).toEqual(window.map((_, i) => i));
      expect(new Set(window.map((record) => record.contentId)).size).toBe(window.length);
      await encoder.stop();
    },
  );

  it('is refused when there is no such folder', async () => {
    const net = await useDevnet();
    const node = await liveNode(net, 'broadcaster');
    await expect(
      node.call('startBroadcast', { name: 'Hall', folder: join(net.dir, 'gone') }),
    ).rejects.toMatchObject({ code: 'InvalidInput', message: expect.stringContaining('make it') });
  });
});

describe('the addresses of a broadcast', () => {
  it('lead players to its playlist, and everything else to where it was', async () => {
    const net = await useDevnet();
    const node = await liveNode(net, 'broadcaster');
    const { contentId } = await node.call('startBroadcast', { name: 'Hall' });
    await node.peer.live.broadcaster.publish(contentId, {
      bytes: Buffer.alloc(5_000, 'segment'),
      durationMs: 2_000,
      init: null,
      discontinuity: false,
    });
    const manifest = await fetch(node.at(`/ace/manifest.m3u8?id=ace:${contentId}`));
    expect(manifest.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(manifest.headers.get('cache-control')).toBe('no-store');
    const text = await manifest.text();
    expect(text).toContain(`/ace/live/${contentId}/0.ts`);
    for (const path of [`/ace/getstream?id=${contentId}`, `/content/${contentId}`]) {
      const response = await fetch(node.at(path), { redirect: 'manual' });
      expect(response.status).toBe(302);
      expect(response.headers.get('location')).toBe(`/ace/manifest.m3u8?content_id=${contentId}`);
    }
    const segment = await fetch(node.at(`/ace/live/${contentId}/0.ts`));
    expect(segment.headers.get('content-type')).toBe('video/mp2t');
    expect((await segment.arrayBuffer()).byteLength).toBe(5_000);
    const head = await fetch(node.at(`/ace/live/${contentId}/0.ts`), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '5000']);
    for (const [path, status] of [
      [`/ace/live/${contentId}/1.ts`, 404],
      [`/ace/live/${contentId}/../0.ts`, 404],
      [`/ace/live/${contentId}/init-${contentId}.mp4`, 404],
      [`/ace/live/${contentId.replace(/.{4}$/, 'aaaa')}/0.ts`, 404],
      ['/ace/manifest.m3u8', 400],
      ['/ace/manifest.m3u8?id=nonsense', 400],
    ] as const) {
      expect([path, (await fetch(node.at(path))).status]).toEqual([path, status]);
    }
    // Players and scripts that take it for a file are told what it is.
    const asFile = await fetch(node.at(`/content/${contentId}.ts`));
    expect([asFile.status, await asFile.text()]).toEqual([
      409,
      '"Hall" is a live broadcast: it can only be watched\n',
    ]);
    // A broadcast cannot be saved, and says so.
    await expect(node.call('play', { contentId, download: true })).rejects.toMatchObject({
      code: 'ContentIsLive',
    });
  });
});
