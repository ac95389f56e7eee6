/** What a video has to hear is learned from what a player fetches, never by fetching. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startNode } from '../../main/node/node.ts';
import { joinedNode, useDevnet } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';
import { findProgram, makeVideo } from '../helpers/media.ts';
import { staysFor } from '../helpers/wait.ts';

describe('the procedure tracks', () => {
  it.skipIf(!findProgram('ffmpeg'))(
    'waits for a player, and fetches nothing by itself',
    { tags: 'long' },
    async () => {
      const net = await useDevnet();
      const provider = await net.peer('provider');
      const node = await startNode(joinedNode(net));
      net.owns(() => node.stop());
      const path = await makeVideo(join(net.dir, 'film.mkv'), { seconds: 20, bitrate: '3M', audio: 'ac3' });
      const { contentId } = await provider.import({ path });
      const transfer = await node.peer.library.transfer(contentId);

      const asked = node.service.tracks({ contentId });
      expect(await staysFor('what was received', 500, () => transfer.receivedBytes)).toBe(0);
      await (
        await fetch(new URL(`/content/${contentId}`, node.http.url), { headers: { range: 'bytes=0-99' } })
      ).text();
      const { tracks } = await asked;
      expect(tracks?.map(({ name }) => name)).toEqual(['H.264', 'AC-3']);
    },
  );

  it('says nothing of what is no video', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const node = await startNode(joinedNode(net));
    net.owns(() => node.stop());
    const { contentId } = await provider.import({ path: await makeFile(join(net.dir, 'data.bin'), 1_000) });
    expect(await node.service.tracks({ contentId })).toEqual({ tracks: null });
  });
});
