/** A content of four bytes was served 5,314 times a second on one free unit: it pays for bytes, and costs a commit each. */
import { expect, it } from 'vitest';
import { SMALL_PIECE_RATE } from '../../main/pieces/constants.ts';
import { fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

it('a content of four bytes is served to one device at the pace of work, while another is served as ever', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 4, 'tiny.bin');
  const large = await net.content(provider, 4 * MIB);
  const viewer = await RawViewer.start(net);
  const stream = await viewer.open(provider, await viewer.lease(provider, 4));
  const take = async (pieces: number) => {
    for (let i = 0; i < pieces; i++) {
      stream.request(contentId, 0);
      await stream.takePiece(30_000);
    }
  };
  const more = 4 * SMALL_PIECE_RATE.perSecond;
  const startedAtMs = performance.now();
  // What an honest viewer of many small contents asks for at once.
  await take(SMALL_PIECE_RATE.burst);
  const taking = take(more);
  const honest = await net.peer('honest');
  await fetchWhole(honest, large.contentId);
  await taking;
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const most = SMALL_PIECE_RATE.burst + Math.ceil(SMALL_PIECE_RATE.perSecond * seconds);
  console.info(
    `${SMALL_PIECE_RATE.burst + more} pieces of four bytes in ${seconds.toFixed(1)} s to one device`,
  );
  expect(SMALL_PIECE_RATE.burst + more).toBeLessThanOrEqual(most);
});
