import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chunkHashesOf, pieceHash, readTransportFile } from '../../main/content/transport-file.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { startRole } from '../helpers/crash-roles.ts';
import { MIB, paidUnits, useDevnet } from '../helpers/devnet.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

const UNITS = 60;
const IN_FLIGHT = 16;

describe('a provider killed in mid-stream', () => {
  // The exact point differs from run to run: between any two steps of the pipeline.
  it.each([[1], [7], [23], [42]])(
    'after %i pieces has booked what it sent and every tick it needed for that, and goes on where it was',
    async (killAfter) => {
      const net = await useDevnet();
      const dir = join(net.dir, 'provider');
      const file = await makeFile(join(net.dir, 'clip.bin'), UNITS * MIB, 'clip');
      const first = startRole('peer', dir, net.validator.multiaddr, 'import', file);
      const contentId = await first.said('imported');
      const viewer = await RawViewer.start(net);
      const channel = await viewer.lease(await first.payee(), 2 * UNITS);

      const pieces = new Map<number, Buffer>();
      let paid = 0;
      let stream = await viewer.open(await first.payee(), channel);
      const wanted = new Map<number, number>();
      const ask = (index: number) => wanted.set(stream.request(contentId, index), index);
      const missing = () => Array.from({ length: UNITS }, (_, i) => i).filter((i) => !pieces.has(i));
      /** Takes pieces and pays them until the stream ends or all are there. */
      const drain = async () => {
        const queue = missing();
        for (const index of queue.splice(0, IN_FLIGHT)) ask(index);
        while (missing().length > 0) {
          const message = await stream.receive();
          if (!message) throw new Error('The provider has ended the stream');
          if (message.type !== 'piece') continue;
          const chunks: Uint8Array[] = [];
          for (let left = message.chunkHashes.byteLength / 32; left > 0; left--)
            chunks.push((await stream.expect('chunk')).data.slice());
          pieces.set(wanted.get(message.id) ?? -1, Buffer.concat(chunks));
          stream.pay(channel, ++paid);
          const next = queue.shift();
          if (next !== undefined) ask(next);
          if (pieces.size === killAfter) void first.kill();
        }
      };
      await drain().catch(() => undefined);
      await first.kill();
      expect(pieces.size).toBeLessThan(UNITS);

      const store = openNodeStore(join(dir, 'node.db'));
      const books = store.payeeChannels.get(channel.channelId)?.state;
      store.close();
      // Booked before it was sent, and no further ahead of what is paid than its window.
      expect(books?.servedBytes).toBeGreaterThanOrEqual(pieces.size * MIB);
      expect(books?.paidUnits).toBeGreaterThanOrEqual(pieces.size - 8);
      expect(books?.paidUnits).toBeLessThanOrEqual(paid);
      // Its loss is at most its window.
      expect(Math.ceil((books?.servedBytes ?? 0) / MIB) - (books?.paidUnits ?? 0)).toBeLessThanOrEqual(8);

      const second = startRole('peer', dir, net.validator.multiaddr);
      stream = await viewer.greet(await second.payee());
      const opened = await stream.open(channel);
      expect(opened.paidUnits).toBe(books?.paidUnits);
      // As every viewer does: a unit that was sent and never came is paid once, or a window of 1 would stay full.
      if (opened.servedBytes > paid * MIB) paid += 1;
      if (paid > opened.paidUnits) stream.pay(channel, paid);
      await drain();
      const whole = Buffer.concat(Array.from({ length: UNITS }, (_, i) => pieces.get(i) ?? Buffer.alloc(0)));
      const copy = join(net.dir, 'copy.bin');
      writeFileSync(copy, whole);
      expect(await sha256OfFile(copy)).toBe(await sha256OfFile(file));
    },
  );
});

describe('a viewer killed in mid-stream', () => {
  it.each<[string, number[]]>([
    ['once', [0.5]],
    ['again and again', [0.2, 0.5, 0.8]],
  ])(
    '%s has paid what it verified and finishes the file for one unit more at most',
    async (_often, parts) => {
      const net = await useDevnet();
      const provider = await net.peer('provider');
      const { contentId } = await net.content(provider, UNITS * MIB);
      const dir = join(net.dir, 'viewer');
      for (const part of parts) {
        const viewer = startRole('peer', dir, net.validator.multiaddr, 'fetch', contentId);
        await viewer.has(part * UNITS * MIB);
        await viewer.kill();

        const store = openNodeStore(join(dir, 'node.db'));
        const row = store.contents.get(contentId);
        const have = store.contents.pieces.of(contentId);
        const channels = store.payerChannels.all();
        const sum = (pick: (c: (typeof channels)[number]['state']) => number) =>
          channels.reduce((total, { state }) => total + pick(state), 0);
        store.close();
        // Booked together: a verified piece and its payment.
        expect(sum((s) => s.verifiedBytes)).toBe(have.length * MIB);
        for (const { state } of channels) {
          expect(state.revealedUnits).toBe(Math.ceil((state.verifiedBytes + state.lostBytes) / MIB));
        }
        expect(sum((s) => s.lostBytes)).toBeLessThanOrEqual(MIB);
        // Persist before send: nobody has a tick that the viewer's books do not know.
        expect(sum((s) => s.revealedUnits)).toBeGreaterThanOrEqual(paidUnits(provider));
        // Every piece that is booked is on the disk.
        const { pieceHashes } = readTransportFile(contentId, row?.transport ?? new Uint8Array(0));
        const bytes = readFileSync(join(dir, 'pieces', `${contentId}.pieces`));
        for (const index of have) {
          const piece = bytes.subarray(index * MIB, (index + 1) * MIB);
          expect(Buffer.from(pieceHash(chunkHashesOf(piece)))).toEqual(Buffer.from(pieceHashes[index] ?? []));
        }
      }
      const last = startRole('peer', dir, net.validator.multiaddr, 'fetch', contentId);
      await last.said('done');
      await last.terminate();
      expect(await sha256OfFile(join(dir, 'pieces', `${contentId}.pieces`))).toBe(
        await sha256OfFile(join(provider.dir, 'pieces', `${contentId}.pieces`)),
      );
      const store = openNodeStore(join(dir, 'node.db'));
      expect(store.payerChannels.revealedUnits()).toBeLessThanOrEqual(UNITS + 1);
      expect(store.payerChannels.revealedUnits()).toBe(paidUnits(provider));
      const final = store.payerChannels.all().at(-1)?.lastCheckpoint?.checkpoint;
      expect(final?.final).toBe(true);
      store.close();
      await provider.claims.now();
      await provider.shardClient.call('settle', {});
      await net.expectConserved();
    },
  );
});

describe('both sides killed at once', () => {
  it('agree on their books afterwards and finish the file', async () => {
    const net = await useDevnet();
    const dirs = { provider: join(net.dir, 'provider'), viewer: join(net.dir, 'viewer') };
    const file = await makeFile(join(net.dir, 'clip.bin'), UNITS * MIB);
    let provider = startRole('peer', dirs.provider, net.validator.multiaddr, 'import', file);
    const contentId = await provider.said('imported');
    await provider.said('ready');
    let viewer = startRole('peer', dirs.viewer, net.validator.multiaddr, 'fetch', contentId);
    await viewer.has(20 * MIB);
    await Promise.all([provider.kill(), viewer.kill()]);

    provider = startRole('peer', dirs.provider, net.validator.multiaddr);
    await provider.said('ready');
    viewer = startRole('peer', dirs.viewer, net.validator.multiaddr, 'fetch', contentId);
    await viewer.said('done');
    await viewer.terminate();
    await provider.terminate();
    const [theirs, ours] = [join(dirs.provider, 'node.db'), join(dirs.viewer, 'node.db')].map((path) =>
      openNodeStore(path),
    );
    expect(await sha256OfFile(join(dirs.viewer, 'pieces', `${contentId}.pieces`))).toBe(
      await sha256OfFile(file),
    );
    expect(ours?.payerChannels.revealedUnits()).toBe(theirs?.payeeChannels.paidUnits());
    expect(ours?.payerChannels.revealedUnits()).toBeLessThanOrEqual(UNITS + 1);
    theirs?.close();
    ours?.close();
  });
});
