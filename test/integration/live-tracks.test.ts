/** What a broadcast has to hear, and its way to another player, are as those of a file. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { useDevnet } from '../helpers/devnet.ts';
import { decode, Encoder, type EncoderOptions, hasFfmpeg } from '../helpers/encoder.ts';
import { liveNode } from '../helpers/live-node.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

async function onAir(options: Partial<EncoderOptions> = {}) {
  const net = await useDevnet();
  const broadcaster = await liveNode(net, 'broadcaster');
  const { contentId, pushUrl } = await broadcaster.call('startBroadcast', { name: 'Harbour camera' });
  const encoder = new Encoder({ target: pushUrl ?? '', ...options });
  onTestFinished(() => encoder.stop());
  await waitFor(
    'three segments',
    async () => ((await broadcaster.call('broadcasts', {}))[0]?.segments ?? 0) >= 3,
  );
  return { broadcaster, viewer: await liveNode(net, 'viewer'), contentId };
}

describe.skipIf(!hasFfmpeg)('a broadcast', () => {
  it.each([
    ['MPEG transport streams', false],
    ['fragmented MP4', true],
  ])(
    'of %s says which sounds it has, once a player takes it',
    { tags: 'long' },
    async (_what, fragmented) => {
      const { broadcaster, viewer, contentId } = await onAir({ fragmented, audio: 'ac3' });
      for (const node of [viewer, broadcaster]) {
        const asked = node.call('tracks', { contentId });
        await decode(node.manifest(contentId), 1);
        expect((await asked).tracks?.map(({ name, type }) => [name, type])).toEqual([
          ['H.264', expect.stringContaining('avc1')],
          ['AC-3', 'audio/mp4; codecs="ac-3"'],
        ]);
      }
    },
  );

  it('says nothing of its tracks while no player takes it, and is asked for by nobody', {
    tags: 'long',
  }, async () => {
    const { viewer, contentId } = await onAir();
    let told = false;
    const asked = viewer.call('tracks', { contentId }).finally(() => {
      told = true;
    });
    expect(await staysFor('whether it was told', 1_000, () => told)).toBe(false);
    await viewer.call('stop', { contentId });
    expect(await asked).toEqual({ tracks: null });
  });

  it('opens in the player of the system by a playlist that names its address', { tags: 'long' }, async () => {
    const { viewer, contentId } = await onAir();
    const res = await fetch(viewer.at(`/content/${contentId}.m3u`));
    expect(res.headers.get('content-type')).toContain('audio/x-mpegurl');
    expect(res.headers.get('content-disposition')).toContain('Harbour camera.m3u');
    expect(await res.text()).toBe(`#EXTM3U\n#EXTINF:-1,Harbour camera\n${viewer.manifest(contentId)}\n`);
  });
});
