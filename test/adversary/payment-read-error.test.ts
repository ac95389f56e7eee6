/** One read that fails for a moment (EMFILE, EIO) must not cost a provider its piece for good. */
import { expect, it } from 'vitest';
import { AceError } from '../../shared/errors.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

it('a read error that passes leaves the books of pieces alone, and is logged', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 3 * MIB);
  const viewer = await RawViewer.start(net);
  const stream = await viewer.open(provider, await viewer.lease(provider, 3));
  const { read } = provider.pieces;
  let failing = true;
  provider.pieces.read = async (...args) => {
    if (failing) throw new AceError('FileUnreadable', 'too many open files', { cause: new Error('EMFILE') });
    return read.apply(provider.pieces, args);
  };
  stream.request(contentId, 0);
  failing = false;
  stream.vanish();
  expect(provider.store.contents.pieces.of(contentId)).toEqual([0, 1, 2]);
});
