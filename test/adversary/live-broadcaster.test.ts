import { Buffer } from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import type { LiveRecord } from '../../shared/live/records.ts';
import { type Devnet, MIB, revealedUnits, useDevnet } from '../helpers/devnet.ts';
import { longestWorkMs } from '../helpers/event-loop.ts';
import { liveNode } from '../helpers/live-node.ts';
import { signedSegment } from '../helpers/live-records.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

/** A broadcaster whose device is in the test's hands, so that it signs what it likes. */
async function hostile(net: Devnet) {
  const device = createDevice();
  const broadcaster = await net.peer('hostile', { phrase: createPhrase(12), deviceSeed: device.seed() });
  const { contentId: id } = await broadcaster.live.start('Harbour', null);
  const says = (fields: Partial<LiveRecord> & { readonly sequence: number }) =>
    broadcaster.live.book.hear(
      id,
      signedSegment(device, { broadcast: id, startsAtMs: Date.now() - 60_000, ...fields }),
    );
  return { broadcaster, id, says };
}

describe('a broadcaster that signs records of its own making', () => {
  it('cannot make a playlist without end out of interruptions', async () => {
    const net = await useDevnet();
    const { id, says } = await hostile(net);
    const last = 2 ** 39;
    says({ sequence: last - 1, discontinuities: 0 });
    says({ sequence: last, discontinuities: 100_000_000 });
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    await waitFor('the viewer knows it', () => viewer.peer.live.book.window(id).length === 2);
    let text = '';
    const lagMs = await longestWorkMs(async () => {
      text = await (await fetch(viewer.manifest(id))).text();
    });
    expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);
    expect(lagMs).toBeLessThan(1_000);
  });

  it('cannot sell a film as its init segment', async () => {
    const net = await useDevnet();
    const { broadcaster, id, says } = await hostile(net);
    const film = await net.content(broadcaster, 6 * MIB);
    says({ sequence: 0, initContentId: film.contentId });
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    await waitFor('the viewer knows it', () => viewer.peer.live.book.window(id).length === 1);
    const answer = await fetch(viewer.at(`/ace/live/${id}/init-${film.contentId}.mp4`));
    await answer.arrayBuffer();
    expect(answer.status).toBe(404);
    expect(revealedUnits(viewer.peer)).toBe(0);
    expect(viewer.peer.store.contents.get(film.contentId)).toBeNull();
  });

  it('cannot take films of others into its broadcast, to be hidden and removed with it', async () => {
    const net = await useDevnet();
    const { id, says } = await hostile(net);
    const other = await net.peer('other');
    const film = await net.content(other, 2 * MIB);
    const small = await net.content(other, 1_000);
    says({ sequence: 0, initContentId: film.contentId });
    says({ sequence: 1, initContentId: small.contentId });
    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    await waitFor('the viewer knows it', () => viewer.peer.live.book.window(id).length === 2);
    await delay(600); // it looks what is ahead, and nothing may come of that: there is no event to wait for
    for (const { contentId } of [film, small]) {
      expect((await fetch(viewer.at(`/ace/live/${id}/init-${contentId}.mp4`))).status).toBe(404);
      const bytes = await (await fetch(viewer.at(`/content/${contentId}`))).arrayBuffer();
      expect(Buffer.from(bytes)).toHaveLength(contentId === film.contentId ? 2 * MIB : 1_000);
      // Once it is the viewer's own, the broadcast ends what it likes: the film stays and goes on.
      expect((await fetch(viewer.at(`/ace/live/${id}/init-${contentId}.mp4`))).status).toBe(404);
    }
    await viewer.peer.live.unwatch(id);
    viewer.peer.live.book.dropHeardBefore(id, Date.now() + 1);
    const listed = async () => (await viewer.call('contents', {})).map(({ contentId }) => contentId);
    const kept = await staysFor('the library', 200, listed);
    expect(kept).toEqual(expect.arrayContaining([film.contentId, small.contentId]));
  });
});
