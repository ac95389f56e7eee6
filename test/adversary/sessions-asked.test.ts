/** A session is asked for a content of which only the id is known, and for its first piece along with it. */
import { describe, expect, it } from 'vitest';
import { chunkHashesOf } from '../../main/content/transport-file.ts';
import type { ContentRow } from '../../main/db/node/contents.ts';
import type { Message } from '../../main/pieces/messages.ts';
import { type Devnet, MIB, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { paidOn, warned } from '../helpers/provider-books.ts';
import { RawProvider, type ScriptStream } from '../helpers/raw-provider.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

const WATCHED = { pieceIndex: 0, watches: false };
const never = new AbortController().signal;

interface Stage {
  readonly net: Devnet;
  readonly honest: TestPeer;
  readonly viewer: TestPeer;
  readonly raw: RawProvider;
  readonly next: ContentRow;
}

/** The viewer has a session and a channel with `raw`, which tells of `next` as `answer` says; `honest` has it, too. */
async function stage(
  answer: (ask: Extract<Message, { type: 'ask' }>, stream: ScriptStream) => void,
): Promise<Stage> {
  const net = await useDevnet();
  const author = await net.peer('author');
  const first = await net.content(author, MIB, 'first');
  const piece = await author.pieces.read(first.contentId, 0, MIB);
  await author.stop();
  const honest = await net.peer('honest');
  const next = await net.content(honest, MIB, 'next');
  const raw = await RawProvider.start(
    net,
    (message, stream) => {
      if (message.type === 'open') stream.send({ type: 'opened', paidUnits: 0, servedBytes: 0 });
      if (message.type === 'request') stream.sendPiece(message.id, piece);
      if (message.type === 'ask') answer(message, stream);
    },
    [first.transport],
  );
  await raw.announce(first.contentId);
  const viewer = await net.peer('viewer', undefined, { handshakeMs: 500, paymentMs: 1_000, dataMs: 5_000 });
  const transfer = await viewer.library.transfer(first.contentId);
  transfer.download();
  await transfer.piece(0, never);
  return { net, honest, viewer, raw, next };
}

/** From `honest`, which nobody asked: the session is with `raw`. */
async function expectFetched({ viewer, honest, next }: Stage): Promise<void> {
  const transfer = await viewer.library.transfer(next.contentId, WATCHED);
  transfer.download();
  await transfer.piece(0, never);
  expect(transfer.providerAccount).toBe(honest.account.address);
  expect([transfer.paidUnits, transfer.doubledPieces]).toEqual([1, 0]);
}

describe('a viewer that asks its sessions', () => {
  it('gets the transport file and the first piece in one exchange, and pays for it once', async () => {
    let bytes: Uint8Array = new Uint8Array(0);
    let piece: Uint8Array = new Uint8Array(0);
    const staged = await stage(({ id, contentId }, stream) => {
      stream.send({ type: 'transport', contentId, bytes });
      stream.sendPiece(id, piece, chunkHashesOf(piece));
    });
    const { viewer, honest, raw, next } = staged;
    bytes = next.transport;
    piece = await honest.pieces.read(next.contentId, 0, MIB);
    const transfer = await viewer.library.transfer(next.contentId, WATCHED);
    const reader = transfer.addReader(0);
    await transfer.piece(0, never);
    transfer.removeReader(reader);
    expect([transfer.paidUnits, transfer.doubledPieces, transfer.receivedBytes]).toEqual([1, 0, MIB]);
    const paidTo = viewer.store.payerChannels.all().filter(({ state }) => state.revealedUnits > 0);
    expect(new Set(paidTo.map(({ payee }) => payee))).toEqual(new Set([raw.account.address]));
    expect(raw.heardOf('ask')).toMatchObject([{ contentId: next.contentId, pieceIndex: 0 }]);
    expect(raw.heardOf('request').filter((r) => r.contentId === next.contentId)).toEqual([]);
    await waitFor('both are paid', () => raw.heardOf('tick').length === 2);
    expect(raw.heardOf('tick').map(({ index }) => index)).toEqual([1, 2]);
  });

  it('drops one whose transport file is another content’s, and looks the content up', async () => {
    const staged = await stage(({ contentId }, stream) => {
      stream.send({ type: 'transport', contentId, bytes: new Uint8Array(100) });
    });
    await expectFetched(staged);
    expect(staged.raw.heardOf('tick')).toHaveLength(1);
  });

  it('drops one that sends the piece before it says what it is of', async () => {
    const piece = new Uint8Array(MIB);
    const staged = await stage(({ id }, stream) => stream.sendPiece(id, piece, chunkHashesOf(piece)));
    await expectFetched(staged);
    expect(staged.raw.heardOf('tick')).toHaveLength(1);
  });

  it('pays nothing for a piece that is not the one of the transport file', async () => {
    let bytes: Uint8Array = new Uint8Array(0);
    const piece = new Uint8Array(MIB);
    const staged = await stage(({ id, contentId }, stream) => {
      stream.send({ type: 'transport', contentId, bytes });
      stream.sendPiece(id, piece, chunkHashesOf(piece));
    });
    bytes = staged.next.transport;
    await expectFetched(staged);
    expect(staged.raw.heardOf('tick')).toHaveLength(1);
  });

  it('looks the content up when nobody it knows has it, or says anything', { tags: 'long' }, async () => {
    const silent = await stage(() => undefined);
    await expectFetched(silent);
    const without = await stage(({ id, contentId }, stream) => {
      stream.send({ type: 'transport', contentId, bytes: new Uint8Array(0) });
      stream.send({ type: 'refused', id, code: 'ContentUnknown' });
    });
    await expectFetched(without);
  });
});

describe('a provider that is asked', () => {
  it('tells the transport file, and sends the piece as any other: paid for, within the window', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const { contentId, transport } = await net.content(provider, 2 * MIB);
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 8);
    const stream = await viewer.open(provider, channel);
    stream.send({ type: 'ask', id: 7, contentId, pieceIndex: 1 });
    expect(Buffer.from((await stream.expect('transport')).bytes).equals(Buffer.from(transport))).toBe(true);
    expect((await stream.takePiece()).id).toBe(7);
    stream.send({ type: 'ask', id: 8, contentId, pieceIndex: 0 });
    await stream.expect('transport');
    expect(await stream.silentFor(200)).toBe(true);
    stream.pay(channel, 1);
    expect((await stream.takePiece()).id).toBe(8);
    expect(paidOn(provider, channel)).toBe(1);
    stream.send({ type: 'ask', id: 0, contentId, pieceIndex: 0 });
    await stream.expect('transport');
    stream.send({ type: 'ask', id: 9, contentId: 'unknown', pieceIndex: 0 });
    expect((await stream.expect('transport')).bytes).toHaveLength(0);
    expect(await stream.expect('refused')).toMatchObject({ id: 9, code: 'ContentUnknown' });
    stream.vanish();
  });

  it('without a channel sends no piece', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const { contentId } = await net.content(provider, MIB);
    const stream = await (await RawViewer.start(net)).greet(provider);
    stream.send({ type: 'ask', id: 1, contentId, pieceIndex: 0 });
    await stream.expect('transport');
    expect(await stream.expect('refused')).toMatchObject({ id: 1, code: 'ChannelUnleased' });
    stream.vanish();
  });

  it('without end leaves', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const { contentId } = await net.content(provider, MIB);
    const stream = await (await RawViewer.start(net)).greet(provider);
    const codes = await warned(provider, async () => {
      for (let i = 0; i < 200; i++) stream.send({ type: 'ask', id: 0, contentId, pieceIndex: 0 });
      expect((await stream.ended()).length).toBeLessThan(100);
    });
    expect(codes).toContain('TooManyRequests');
  });
});
