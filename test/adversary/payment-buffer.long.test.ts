/**
 * Honest viewer, honest provider, a slow link that breaks once. The short last piece was asked for first (a player that
 * reads the index at the end of the file). After the write-off the viewer's payments must not run ahead of the provider's
 * count of bytes: that would free, and fill again, a read buffer whose piece the viewer has not received.
 */
import { expect, it, onTestFinished, vi } from 'vitest';
import { PieceStore } from '../../main/content/piece-store.ts';
import { FrameStream } from '../../main/p2p/frames.ts';
import { type LoadedPiece, PieceLoader } from '../../main/pieces/piece-loader.ts';
import { fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { offerThroughProxy } from '../helpers/slow-proxy.ts';
import { waitFor } from '../helpers/wait.ts';

// The viewer's end keeps Yamux's standard window of 256 KiB, as it does on any link whose round trip is short.
vi.mock('@chainsafe/libp2p-yamux', async (original) => {
  const real = await original<typeof import('@chainsafe/libp2p-yamux')>();
  return process.env.AUTOTUNE
    ? real
    : {
        ...real,
        yamux: () =>
          real.yamux({
            streamOptions: { maxStreamWindowSize: 262_144 },
            maxStreamWindowSize: 262_144,
          } as never),
      };
});

/** How far payments may run ahead of what arrived: see PieceLoader. */
const AHEAD_BYTES = 2 * MIB;

/** Watches the provider's loader: which pieces are out, and which are freed before the viewer has them. */
function watchLoader(viewerHas: (pieceIndex: number) => boolean) {
  const seen = { early: [] as string[], maxBacklog: 0 };
  const indexOf = new WeakMap<LoadedPiece, number>();
  let out: { index: number; servedBytes: number }[] = [];
  /** The piece that a buffer went out with last. */
  const sentIn = new WeakMap<ArrayBufferLike, number>();
  const { take, sending, paid, forgetSent } = PieceLoader.prototype;
  vi.spyOn(PieceLoader.prototype, 'take').mockImplementation(async function (
    this: PieceLoader,
    request,
    file,
  ) {
    const piece = await take.call(this, request, file);
    if (piece) indexOf.set(piece, request.pieceIndex);
    return piece;
  });
  vi.spyOn(PieceLoader.prototype, 'sending').mockImplementation(function (
    this: PieceLoader,
    piece,
    servedBytes,
  ) {
    const index = indexOf.get(piece) ?? -1;
    out.push({ index, servedBytes });
    sentIn.set(piece.bytes.buffer, index);
    sending.call(this, piece, servedBytes);
  });
  vi.spyOn(PieceLoader.prototype, 'paid').mockImplementation(function (this: PieceLoader, bytes) {
    for (const { index, servedBytes } of out) {
      if (servedBytes + AHEAD_BYTES <= bytes && !viewerHas(index))
        seen.early.push(`piece ${index} (served ${servedBytes}, paid ${bytes})`);
    }
    out = out.filter((o) => o.servedBytes + AHEAD_BYTES > bytes);
    paid.call(this, bytes);
  });
  vi.spyOn(PieceLoader.prototype, 'forgetSent').mockImplementation(function (this: PieceLoader) {
    out = [];
    forgetSent.call(this);
  });
  // Whatever frees a buffer: filling it again spoils the piece in it that is still on its way.
  const { read } = PieceStore.prototype;
  vi.spyOn(PieceStore.prototype, 'read').mockImplementation(function (
    this: PieceStore,
    contentId,
    pieceIndex,
    sizeBytes,
    target,
  ) {
    const before = target && sentIn.get(target.buffer);
    if (before !== undefined && before !== pieceIndex && !viewerHas(before))
      seen.early.push(`piece ${before}, for piece ${pieceIndex}`);
    return read.call(this, contentId, pieceIndex, sizeBytes, target);
  });
  const { writable } = FrameStream.prototype;
  vi.spyOn(FrameStream.prototype, 'writable').mockImplementation(async function (this: FrameStream, ms) {
    await writable.call(this, ms);
    seen.maxBacklog = Math.max(
      seen.maxBacklog,
      (this.stream as unknown as { writeBufferLength: number }).writeBufferLength,
    );
  });
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  return seen;
}

it('an honest viewer never gets a corrupt piece from an honest provider', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const warm = await net.content(provider, 8 * MIB, 'warm.bin');
  const film = await net.content(provider, 20 * MIB + 100_000, 'film.bin');
  const proxy = await offerThroughProxy(net, provider, [warm.contentId, film.contentId]);
  const viewer = await net.peer('viewer');
  await fetchWhole(viewer, warm.contentId);
  await viewer.library.stopTransfer(warm.contentId);

  const transfer = await viewer.library.transfer(film.contentId);
  proxy.state.bytesPerMs = 20; // so slow that nothing arrives before the link breaks
  await viewer.host.hangUp(provider.host.peerId); // a fresh connection
  const servedOf = () => provider.store.payeeChannels.all().at(-1)?.state;
  const seen = watchLoader((index) => viewer.store.contents.pieces.of(film.contentId).includes(index));
  // The index at the end first, then from the start.
  transfer.addReader(20);
  transfer.addReader(0);
  transfer.download();
  await waitFor('the film channel is open', () => provider.store.payeeChannels.all().length === 2);
  await waitFor(
    'the index and the first piece are booked',
    () => (servedOf()?.servedBytes ?? 0) >= MIB + 100_000,
  );
  proxy.state.bytesPerMs = Number(process.env.RATE ?? 4_000);
  proxy.cut();
  await waitFor(
    'done or banned',
    () => transfer.state === 'done' || viewer.warnings.some((w) => w.code === 'PieceCorrupt'),
    60_000,
  ).catch(() => undefined);
  expect(seen.early).toEqual([]);
  expect(viewer.warnings.map((w) => w.code)).not.toContain('PieceCorrupt');
  expect(transfer.state).toBe('done');
}, 120_000);
