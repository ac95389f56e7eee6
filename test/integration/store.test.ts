import { appendFileSync, existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectAceRejection } from '../helpers/ace-error.ts';
import {
  fetchWhole,
  MIB,
  paidUnits,
  piecesFile,
  revealedUnits,
  settleUp,
  type TestPeer,
  ticksArrived,
  useDevnet,
} from '../helpers/devnet.ts';
import { piecesOnDisk, watchDisk } from '../helpers/disk.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

const LIMIT = 32 * MIB;

const onDisk = (peer: TestPeer) => piecesOnDisk(join(peer.dir, 'pieces'));

async function providedFilms(count: number, units: number) {
  const net = await useDevnet();
  const [provider, viewer] = [await net.peer(), await net.peer()];
  const films: string[] = [];
  for (let i = 0; i < count; i++) {
    films.push((await net.content(provider, units * MIB, `film ${i}.bin`)).contentId);
  }
  return { net, provider, viewer, films };
}

const have = (peer: TestPeer, contentId: string) => peer.store.contents.get(contentId)?.havePieces ?? 0;

describe('the limit of the disk', () => {
  it('is never passed, takes the least recently used first, and spares what is pinned', {
    tags: 'long',
  }, async () => {
    const { viewer, films } = await providedFilms(4, 14);
    const [first = '', second = '', third = '', fourth = ''] = films;
    await viewer.setLimits({ cacheBytes: LIMIT });
    const disk = watchDisk(join(viewer.dir, 'pieces'));
    await fetchWhole(viewer, first);
    // At once: a piece that is late is asked for twice, and room is made for both.
    viewer.library.pin(first, true);
    await fetchWhole(viewer, second);
    await fetchWhole(viewer, third);
    expect([first, third].map((id) => have(viewer, id))).toEqual([14, 14]);
    expect(have(viewer, second)).toBeLessThan(14);
    viewer.library.pin(first, false);
    viewer.pieces.cache.touch(first);
    await fetchWhole(viewer, fourth);
    expect(have(viewer, second)).toBe(0);
    expect(have(viewer, third)).toBeLessThan(14);
    expect([first, fourth].map((id) => have(viewer, id))).toEqual([14, 14]);
    expect(disk.peak()).toBeLessThanOrEqual(LIMIT);
    // What is left is right, and what is gone is fetched again.
    await fetchWhole(viewer, third);
    expect(await sha256OfFile(piecesFile(viewer, third))).toHaveLength(64);
  });

  it('holds while several are fetched at once: one that does not fit waits, by name, and goes on with room', {
    tags: 'long',
  }, async () => {
    const { net, viewer, films } = await providedFilms(3, 14);
    await viewer.setLimits({ cacheBytes: LIMIT });
    const disk = watchDisk(join(viewer.dir, 'pieces'));
    const transfers = await Promise.all(films.map((id) => viewer.library.transfer(id)));
    for (const transfer of transfers) transfer.download();
    const waiting = await waitFor('one waits', () => transfers.find(({ state }) => state === 'paused'));
    expect(waiting.reason?.code).toBe('CacheFull');
    expect(waiting.reason?.message).toContain(`"${waiting.file.name}" (14 MiB) does not fit`);
    // What is done may go for it.
    await waitFor('it has its turn', () => waiting.state === 'done');
    expect(have(viewer, waiting.contentId)).toBe(14);
    expect(disk.peak()).toBeLessThanOrEqual(LIMIT);
    expect(onDisk(viewer)).toBeLessThanOrEqual(LIMIT);
    expect(viewer.pieces.cache.usedBytes).toBeLessThanOrEqual(LIMIT);
    await net.expectConserved();
  });

  it('says by name what can never fit, before a byte of it is paid', { tags: 'long' }, async () => {
    const { viewer, films } = await providedFilms(1, 33);
    await viewer.setLimits({ cacheBytes: LIMIT });
    const transfer = await viewer.library.transfer(films[0] ?? '');
    transfer.download();
    await waitFor('it is paused', () => transfer.state === 'paused');
    expect(transfer.reason?.code).toBe('CacheFull');
    expect(transfer.reason?.message).toContain('"film 0.bin" (33 MiB) does not fit: the limit is 32 MiB');
    expect(revealedUnits(viewer)).toBe(0);
  });

  it('that is lowered takes effect at once, and holds after a restart', { tags: 'long' }, async () => {
    const { net, viewer, films } = await providedFilms(3, 14);
    for (const id of films) await fetchWhole(viewer, id);
    await viewer.setLimits({ cacheBytes: LIMIT });
    expect(onDisk(viewer)).toBeLessThanOrEqual(LIMIT);
    const name = viewer.dir.slice(net.dir.length + 1);
    await viewer.stop();
    const again = await net.peer(name);
    expect(again.pieces.cache.usedBytes).toBe(onDisk(again));
    await fetchWhole(again, films[0] ?? '');
    expect(onDisk(again)).toBeLessThanOrEqual(LIMIT);
  });
});

describe('a file that was imported by reference', () => {
  it('is served where it lies; changed or gone it is not, by name, until it is the file that it was', async () => {
    const net = await useDevnet();
    const [provider, viewer] = [await net.peer(), await net.peer()];
    const path = await makeFile(join(net.dir, 'film.bin'), 6 * MIB);
    const away = join(net.dir, 'elsewhere.bin');
    const { contentId } = await provider.import({ path, byReference: true });
    expect(existsSync(piecesFile(provider, contentId))).toBe(false);
    await fetchWhole(viewer, contentId);
    expect(await sha256OfFile(piecesFile(viewer, contentId))).toBe(await sha256OfFile(path));
    await settleUp(viewer, provider, contentId);
    await viewer.library.delete(contentId, false);

    renameSync(path, away);
    const transfer = await viewer.library.transfer(contentId);
    transfer.download();
    await waitFor('it is missed', () => provider.store.contents.get(contentId)?.trouble === 'missing');
    expect(
      provider.warnings.some(({ code, message }) => code === 'FileMissing' && message.includes('"film.bin"')),
    ).toBe(true);
    const announced = async () =>
      (await provider.shardClient.call('providers', { contentId })).providers.some(
        ({ peerId }) => peerId === provider.host.peerId.toString(),
      );
    await waitFor('it is announced no more', async () => !(await announced()));
    renameSync(away, path);
    await provider.pieces.referenced.checkAll();
    await waitFor('it is announced again', announced);
    await waitFor('it is fetched', () => transfer.state === 'done');

    appendFileSync(path, 'more');
    await expectAceRejection('ContentChanged', provider.pieces.read(contentId, 0, 6 * MIB));
    await waitFor('it is announced no more', async () => !(await announced()));
    const changed = provider.warnings.find(({ code }) => code === 'ContentChanged');
    expect(changed?.message).toContain('"film.bin" is not shared now');
    // Imported again it is another content; the old one can be forgotten, and the file stays.
    const now = await provider.import({ path, byReference: true });
    expect(now.contentId).not.toBe(contentId);
    await provider.deleteContent(contentId, false);
    expect(existsSync(path)).toBe(true);
    expect(have(provider, now.contentId)).toBe(7);
    await settleUp(viewer, provider, contentId);
    expect(paidUnits(provider)).toBe(revealedUnits(viewer));
  });
});

describe('deleting a content', () => {
  it('takes its rows and its file, stops its download, and refuses while it is played', async () => {
    const { provider, viewer, films } = await providedFilms(1, 20);
    const [id = ''] = films;
    await provider.setLimits({ uploadBytesPerSecond: 4 * MIB });
    const transfer = await viewer.library.transfer(id);
    transfer.download();
    await waitFor('some are here', () => transfer.haveBytes > 2 * MIB);
    const letGo = viewer.pieces.cache.hold(id);
    const refused = await expectAceRejection('ContentInUse', viewer.library.delete(id, false));
    expect(refused.message).toContain('"film 0.bin" is being played');
    letGo();
    const { downBytes } = viewer.store.contents.totals();
    expect(downBytes).toBeGreaterThan(0);
    await viewer.library.delete(id, true);
    // What it brought stays counted.
    expect(viewer.store.contents.totals().downBytes).toBeGreaterThanOrEqual(downBytes);
    expect(existsSync(piecesFile(viewer, id))).toBe(false);
    expect(viewer.store.contents.get(id)).toBeNull();
    expect(viewer.library.active()).toEqual([]);
    await expectAceRejection('ContentUnknown', viewer.library.delete(id, false));
    await staysFor('the file', 300, () => existsSync(piecesFile(viewer, id)));
    expect(existsSync(piecesFile(viewer, id))).toBe(false);
    await ticksArrived(viewer, provider);
    expect(revealedUnits(viewer)).toBe(paidUnits(provider));
  });
});

it.skipIf(process.platform !== 'linux')(
  'a full disk pauses a download, and it goes on when there is room',
  async () => {
    const { provider, viewer, films } = await providedFilms(1, 12);
    const [id = ''] = films;
    await viewer.library.resolve(id, 'fetched');
    // The kernel’s own full disk.
    symlinkSync('/dev/full', piecesFile(viewer, id));
    const transfer = await viewer.library.transfer(id);
    transfer.download();
    await waitFor('it is paused', () => transfer.state === 'paused');
    expect(transfer.reason).toMatchObject({ code: 'StoreFailed' });
    expect(transfer.reason?.message).toContain('The disk is full');
    // One unit may be written off to a payee: of what was sent to the full disk.
    expect(revealedUnits(viewer)).toBeLessThanOrEqual(1);
    const sent = provider.meter.totals().upBytes;
    // Nobody sends in vain meanwhile.
    await staysFor('what was sent', 2_000, () => provider.meter.totals().upBytes);
    expect(provider.meter.totals().upBytes).toBe(sent);
    rmSync(piecesFile(viewer, id));
    await waitFor('it goes on', () => transfer.state === 'done');
    await settleUp(viewer, provider, id);
    expect(revealedUnits(viewer)).toBe(paidUnits(provider));
    expect(paidUnits(provider) - 12).toBeLessThanOrEqual(1);
  },
);
