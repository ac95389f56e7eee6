import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chunkHashesOf, makeTransportFile, readTransportFile } from '../../main/content/transport-file.ts';
import { PIECES_PROTOCOL, PIECES_TIMEOUTS } from '../../main/pieces/constants.ts';
import type { Message } from '../../main/pieces/messages.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { channelIdOf, decodeCheckpoint, decodeTerms } from '../../shared/channel/records.ts';
import { Devnet, fetchWhole, MIB, revealedUnits, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { sha256OfFile } from '../helpers/files.ts';
import { askedBefore, RawProvider, type Script, type ScriptStream } from '../helpers/raw-provider.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { waitFor } from '../helpers/wait.ts';

const TIMEOUTS = { handshakeMs: 2_000, paymentMs: 1_000, dataMs: 1_000 };

interface Stage {
  readonly net: Devnet;
  readonly viewer: TestPeer;
  readonly honest: TestPeer;
  readonly cheat: RawProvider;
  readonly contentId: string;
  /** A real piece of the content. */
  piece(index: number): Promise<Uint8Array>;
}

/**
 * An honest provider, a cheat that says it has the same content and is found first, and a viewer.
 */
async function stage(script: (piece: Stage['piece']) => Script, sizeBytes = 6 * MIB): Promise<Stage> {
  const net = await useDevnet();
  const honest = await net.peer('honest');
  const { contentId } = await net.content(honest, sizeBytes);
  const row = honest.store.contents.get(contentId);
  const transport = row?.transport ?? new Uint8Array(0);
  const piece = (index: number) => honest.pieces.read(contentId, index, sizeBytes);
  const cheat = await RawProvider.start(net, askedBefore(honest, script(piece)), [transport]);
  await cheat.announce(contentId);
  const viewer = await net.peer('viewer', undefined, TIMEOUTS);
  return { net, viewer, honest, cheat, contentId, piece };
}

/** Units revealed to the cheat, by the viewer's own books. */
function revealedTo(viewer: TestPeer, cheat: RawProvider): number {
  return viewer.store.payerChannels
    .all()
    .filter((row) => row.payee === cheat.account.address)
    .reduce((sum, { state }) => sum + state.revealedUnits, 0);
}

/** Bytes of the content that the cheat has delivered, in units, rounded up. */
function deliveredBy(viewer: TestPeer, cheat: RawProvider): number {
  return viewer.store.payerChannels
    .all()
    .filter((row) => row.payee === cheat.account.address)
    .reduce((sum, { state }) => sum + Math.ceil(state.verifiedBytes / MIB), 0);
}

async function expectWhole({ viewer, honest, contentId }: Stage): Promise<void> {
  const path = (peer: TestPeer) => join(peer.dir, 'pieces', `${contentId}.pieces`);
  expect(await sha256OfFile(path(viewer))).toBe(await sha256OfFile(path(honest)));
}

const opened = (stream: ScriptStream, servedBytes = 0, paidUnits = 0) =>
  stream.send({ type: 'opened', paidUnits, servedBytes });

/** Of two pieces that nobody has. */
const FILM = {
  name: 'a.bin',
  kind: 'vod' as const,
  mimeType: 'video/mp4',
  sizeBytes: 2 * MIB,
  durationMs: 0,
  pieceHashes: [new Uint8Array(32), new Uint8Array(32)],
};

describe('a payee that takes a tick and stops serving', () => {
  it('keeps what it served, and the viewer finishes elsewhere without losing a unit', async () => {
    let served = 0;
    const s = await stage((piece) => async (message, stream) => {
      if (message.type === 'open') opened(stream);
      if (message.type === 'request' && served++ === 0)
        stream.sendPiece(message.id, await piece(message.pieceIndex));
      // Everything after the first piece is met with silence.
    });
    const done = fetchWhole(s.viewer, s.contentId);
    await waitFor('a tick', () => s.cheat.heardOf('tick').length > 0);
    await done;
    await expectWhole(s);
    expect(s.cheat.heardOf('tick').map((tick) => tick.index)).toEqual([1]);
    expect(revealedTo(s.viewer, s.cheat) - deliveredBy(s.viewer, s.cheat)).toBe(0);
    expect(revealedUnits(s.viewer)).toBe(6);
  });
});

describe('a payee that sends wrong bytes', () => {
  const cases: [string, (piece: Uint8Array, id: number, stream: ScriptStream) => void][] = [
    [
      'a corrupt last chunk',
      (piece, id, stream) => stream.sendPiece(id, flipped(piece, MIB - 1), chunkHashesOf(piece)),
    ],
    [
      'hashes of its own for bytes of its own',
      (piece, id, stream) => stream.sendPiece(id, flipped(piece, 10)),
    ],
    [
      'a corrupt first chunk',
      (piece, id, stream) => stream.sendPiece(id, flipped(piece, 10), chunkHashesOf(piece)),
    ],
    ['too few hashes', (piece, id, stream) => stream.sendPiece(id, piece, chunkHashesOf(piece).subarray(32))],
    [
      'a short chunk',
      (piece, id, stream) => {
        stream.send({ type: 'piece', id, chunkHashes: chunkHashesOf(piece) });
        stream.send({ type: 'chunk', data: piece.subarray(0, 65_535) });
      },
    ],
    ['the bytes of another piece', (piece, id, stream) => stream.sendPiece(id, flipped(piece, 0))],
  ];

  itInTiers({ quick: cases.slice(0, 2), long: cases.slice(2) })(
    '%s is never paid, and the provider is not asked again',
    async (_what, send) => {
      const s = await stage((piece) => async (message, stream) => {
        if (message.type === 'open') opened(stream);
        if (message.type === 'request') send(await piece(message.pieceIndex), message.id, stream);
      });
      const done = fetchWhole(s.viewer, s.contentId);
      await waitFor('the corruption is found', () =>
        s.viewer.warnings.some((w) => w.code === 'PieceCorrupt'),
      );
      const { streams } = s.cheat;
      await done;
      await expectWhole(s);
      expect(s.cheat.streams).toBe(streams);
      expect(s.cheat.heardOf('tick')).toEqual([]);
      expect(revealedTo(s.viewer, s.cheat)).toBe(0);
    },
  );

  it('a good piece before a corrupt one may be paid, the corrupt one is not', async () => {
    const s = await stage((piece) => async (message, stream) => {
      if (message.type === 'open') opened(stream);
      if (message.type !== 'request') return;
      const bytes = await piece(message.pieceIndex);
      if (message.pieceIndex === 0) stream.sendPiece(message.id, bytes);
      else stream.sendPiece(message.id, flipped(bytes, 10), chunkHashesOf(bytes));
    });
    const done = fetchWhole(s.viewer, s.contentId);
    await waitFor('the corruption is found', () => s.viewer.warnings.some((w) => w.code === 'PieceCorrupt'));
    await done;
    await expectWhole(s);
    // The good one is booked or not, as the break of the stream left time; but never booked unpaid, or paid unbooked.
    expect(revealedTo(s.viewer, s.cheat)).toBeLessThanOrEqual(1);
    expect(revealedTo(s.viewer, s.cheat)).toBe(deliveredBy(s.viewer, s.cheat));
  });
});

describe('a payee whose books are false', () => {
  it('that says a new channel was served already gets nothing and is left for good', async () => {
    const s = await stage(() => (message, stream) => {
      if (message.type === 'open') opened(stream, 2 ** 40);
    });
    const done = fetchWhole(s.viewer, s.contentId);
    await waitFor('the viewer left', () => s.viewer.warnings.some((w) => w.code === 'CheckpointMismatch'));
    await done;
    expect(revealedTo(s.viewer, s.cheat)).toBe(0);
    expect(s.cheat.heardOf('open')).toHaveLength(1);
  });

  it('that says it holds ticks that were never revealed is left for good', async () => {
    const s = await stage(() => (message, stream) => {
      if (message.type === 'open') opened(stream, 0, 3);
    });
    const done = fetchWhole(s.viewer, s.contentId);
    await waitFor('the viewer left', () => s.viewer.warnings.some((w) => w.code === 'CheckpointMismatch'));
    await done;
    expect(revealedTo(s.viewer, s.cheat)).toBe(0);
  });

  it('that breaks every connection and claims more than it sent gets one unit in all', async () => {
    let visits = 0;
    const s = await stage(() => (message, stream) => {
      if (message.type === 'open') opened(stream, visits++ % 2 === 0 ? 0 : 2 ** 40);
      if (message.type === 'request') stream.vanish();
    });
    await s.honest.stop();
    const transfer = await s.viewer.library.transfer(s.contentId);
    transfer.download();
    // What it claims is more than any window: it is left, and asked no more.
    await waitFor('the lie', () => s.cheat.heardOf('open').length >= 2);
    await waitFor('nobody is left', () => transfer.reason?.code === 'NoProviders');
    await s.viewer.library.stopTransfer(s.contentId);
    expect(s.viewer.store.payerChannels.all()).toHaveLength(1);
    expect(revealedTo(s.viewer, s.cheat)).toBeLessThanOrEqual(1);
    expect(deliveredBy(s.viewer, s.cheat)).toBe(0);
  });
});

describe('a payee that breaks the protocol', () => {
  const cases: [string, (message: Message, stream: ScriptStream) => void][] = [
    ['sends a chunk of no piece', (_, stream) => stream.send({ type: 'chunk', data: new Uint8Array(10) })],
    [
      'sends a piece nobody asked for',
      (_, stream) => stream.send({ type: 'piece', id: 999, chunkHashes: new Uint8Array(512) }),
    ],
    ['sends an unknown type', (_, stream) => stream.sendFrame(Uint8Array.of(200, 1, 2, 3))],
    ['sends an empty frame', (_, stream) => stream.sendFrame(new Uint8Array(0))],
    ['sends an oversized frame', (_, stream) => stream.sendFrame(new Uint8Array(80_000))],
    [
      'sends a viewer’s message',
      (_, stream) => stream.send({ type: 'tick', index: 1, tick: new Uint8Array(32) }),
    ],
    ['resets the stream', (_, stream) => stream.vanish()],
  ];

  itInTiers({ quick: cases.slice(0, 2), long: cases.slice(2) })(
    'that %s is left, and the viewer finishes elsewhere',
    async (_what, misbehave) => {
      const s = await stage(() => (message, stream) => {
        if (message.type === 'open') opened(stream);
        if (message.type === 'request') misbehave(message, stream);
      });
      const done = fetchWhole(s.viewer, s.contentId);
      await waitFor('the cheat was met', () => s.cheat.heardOf('request').length > 0);
      await done;
      await expectWhole(s);
      expect(revealedTo(s.viewer, s.cheat)).toBe(0);
    },
  );

  it.each([
    ['that greets and says nothing more', false],
    ['that does not answer the greeting', true],
  ])('%s keeps no node from stopping', async (_what, isMute) => {
    const net = await useDevnet();
    const mute = await RawProvider.start(net, () => {});
    const greeted = Promise.withResolvers<void>();
    if (isMute) {
      await mute.host.unhandle(PIECES_PROTOCOL);
      await mute.host.handle(PIECES_PROTOCOL, () => greeted.resolve());
    } else void waitFor('the greeting', () => mute.streams > 0).then(() => greeted.resolve());
    const viewer = await net.peer();
    const { contentId } = makeTransportFile({ ...FILM, name: 'mute.bin' }, createDevice());
    await mute.announce(contentId);
    await viewer.library.resolve(contentId, 'fetched').catch(() => undefined);
    await greeted.promise;
    const fromMs = performance.now();
    await viewer.stop();
    // It took as long as a greeting may.
    expect(performance.now() - fromMs).toBeLessThan(PIECES_TIMEOUTS.handshakeMs / 2);
  });

  it('that never ends its side does not keep a viewer from stopping', async () => {
    const s = await stage((piece) => async (message, stream) => {
      if (message.type === 'open') opened(stream);
      if (message.type === 'request') stream.sendPiece(message.id, await piece(message.pieceIndex));
      // No countersignature, and no end.
    });
    await fetchWhole(s.viewer, s.contentId);
    // The test would end by its limit.
    await s.viewer.library.stopTransfer(s.contentId);
    const final = s.cheat.heardOf('checkpoint').at(-1);
    expect(decodeCheckpoint(final?.record ?? new Uint8Array(0))).toMatchObject({ units: 6, final: true });
  });
});

describe('a viewer with two contents from one provider', () => {
  it('pays both on the one channel that is open, and each channel has a fresh anchor', async () => {
    const net = await useDevnet();
    const [provider, viewer] = [await net.peer(), await net.peer()];
    const contents = [
      await net.content(provider, 60 * MIB, 'a.bin'),
      await net.content(provider, 12 * MIB, 'b.bin'),
    ];
    const [first = '', second = ''] = contents.map(({ contentId }) => contentId);
    const done = fetchWhole(viewer, first);
    // The first one's channel is open and paid on when the second begins.
    await waitFor('the first is paid', () => revealedUnits(viewer) > 0);
    const open = () => viewer.store.payerChannels.all().filter(({ state }) => state.status === 'open').length;
    let mostOpen = 0;
    const looking = setInterval(() => {
      mostOpen = Math.max(mostOpen, open());
    }, 1);
    onTestFinished(() => clearInterval(looking));
    await Promise.all([done, fetchWhole(viewer, second)]);
    clearInterval(looking);
    expect(mostOpen).toBe(1);
    for (const { contentId } of contents) await viewer.library.stopTransfer(contentId);
    await viewer.claims.now();
    const channels = viewer.store.payerChannels.all();
    const anchors = channels.map(({ terms }) => Buffer.from(decodeTerms(terms).anchor).toString('hex'));
    expect(new Set(anchors).size).toBe(channels.length);
    expect(channels.reduce((sum, { state }) => sum + state.revealedUnits, 0)).toBe(72);
    for (const { state } of channels) expect(['claimed', 'settled']).toContain(state.status);
    expect(
      channels.every(({ terms, state }) =>
        Buffer.from(channelIdOf(terms, sha256)).equals(Buffer.from(state.channelId)),
      ),
    ).toBe(true);
    expect(provider.store.payeeChannels.paidUnits()).toBe(72);
    expect(provider.warnings).toEqual([]);
    expect(viewer.warnings).toEqual([]);
  });
});

describe('a transport file that is false', () => {
  const device = createDevice();
  // One for all: each cheat has a device of its own, and a content that no other has.
  let net: Devnet;
  beforeAll(async () => {
    net = await Devnet.start();
  });
  afterAll(() => net?.stop());

  it.each([
    [
      'with a name that leads out of the folder',
      makeTransportFile({ ...FILM, name: '../../.ssh/keys' }, device),
    ],
    ['with a Windows path for a name', makeTransportFile({ ...FILM, name: '..\\..\\x' }, device)],
    ['without a name', makeTransportFile({ ...FILM, name: '' }, device)],
    ['of 2^52 bytes', makeTransportFile({ ...FILM, sizeBytes: 2 ** 52 }, device)],
    ['of 0 bytes', makeTransportFile({ ...FILM, sizeBytes: 0 }, device)],
    [
      'with fewer hashes than pieces',
      makeTransportFile({ ...FILM, pieceHashes: [new Uint8Array(32)] }, device),
    ],
    ['with more hashes than pieces', makeTransportFile({ ...FILM, sizeBytes: 10 }, device)],
    ['with a line break in its type', makeTransportFile({ ...FILM, mimeType: 'video/mp4\r\nX: y' }, device)],
    [
      'that its broadcaster did not sign',
      makeTransportFile(FILM, { ...device, sign: (bytes) => createDevice().sign(bytes) }),
    ],
  ])('%s is refused', async (_what, { contentId, bytes }) => {
    const cheat = await RawProvider.start(net, () => {}, [bytes]);
    await cheat.announce(contentId);
    const viewer = await net.peer();
    const error = await viewer.library.resolve(contentId, 'fetched').catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'NoProviders', cause: { code: 'TransportFileInvalid' } });
    expect(viewer.store.contents.list()).toEqual([]);
    await viewer.stop();
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    [
      'of another content',
      () => makeTransportFile({ ...FILM, name: 'b.bin' }, device).bytes,
      'TransportFileInvalid',
    ],
    ['cut short', (bytes) => bytes.subarray(0, -1), 'TransportFileInvalid'],
    ['that is no CBOR', () => Uint8Array.of(255, 255), 'TransportFileInvalid'],
    ['that is too large', () => new Uint8Array(3 * MIB), 'MessageTooLarge'],
    ['that is nothing', () => new Uint8Array(0), 'ContentUnknown'],
  ])('an answer %s is refused', async (what, answer, code) => {
    const cheat = await RawProvider.start(net, () => {});
    const { contentId, bytes } = makeTransportFile({ ...FILM, name: `${what}.bin` }, device);
    await cheat.serveTransports(() => answer(bytes));
    await cheat.announce(contentId);
    const viewer = await net.peer();
    const error = await viewer.library.resolve(contentId, 'fetched').catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'NoProviders', cause: { code } });
    await viewer.stop();
  });

  it('that is no CBOR is refused by name though its hash is right', () => {
    const bytes = Uint8Array.of(255, 1, 2);
    const { contentId } = makeTransportFile(FILM, device);
    expect(() => readTransportFile(contentId, bytes)).toThrowError(/invalid/);
  });
});

function flipped(piece: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(piece);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}
