/** A content of four bytes was served 5,314 times a second on one free unit: it pays for bytes, and costs a commit each. */
import { expect, it, vi } from 'vitest';
import { SMALL_PIECE_RATE } from '../../main/pieces/constants.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

it('a content of four bytes is served to one device at the pace of work, while another is served as ever', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 4, 'tiny.bin');
  const large = await net.content(provider, MIB);
  const viewer = await RawViewer.start(net);
  const stream = await viewer.open(provider, await viewer.lease(provider, 4));
  const honest = await RawViewer.start(net);
  const other = await honest.open(provider, await honest.lease(provider, 4));

  // No time passes for the provider: it serves what it has for one moment, which ends with the last of them asked for.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
  for (let i = 1; i < SMALL_PIECE_RATE.burst; i++) {
    stream.request(contentId, 0);
    await stream.takePiece(60_000);
  }
  stream.request(contentId, 0);
  let came = false;
  const late = stream.takePiece(120_000).then(() => {
    came = true;
  });
  // In which time another device gets, one after the other, far more bytes than one piece of four.
  other.request(large.contentId, 0);
  await other.takePiece(60_000);
  expect(came).toBe(false);
  clock.mockRestore();
  await late;
});
