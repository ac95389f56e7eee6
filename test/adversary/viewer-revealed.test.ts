/** Attacks of a provider on a viewer. The loss is in units revealed for nothing. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { type Devnet, fetchWhole, MIB, paidUnits, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { RawProvider, type Script } from '../helpers/raw-provider.ts';
import { waitFor } from '../helpers/wait.ts';

const UNITS = 32;

interface Stage {
  readonly net: Devnet;
  readonly viewer: TestPeer;
  readonly cheat: RawProvider;
  readonly contentId: string;
}

/** A viewer, and a cheat that alone has a content. */
async function stage(script: (pieces: readonly Uint8Array[]) => Script): Promise<Stage> {
  const net = await useDevnet();
  const maker = await net.peer('maker');
  const { contentId } = await net.content(maker, UNITS * MIB);
  const transport = maker.store.contents.get(contentId)?.transport ?? new Uint8Array(0);
  const pieces = await Promise.all(
    Array.from({ length: UNITS }, (_, i) => maker.pieces.read(contentId, i, UNITS * MIB)),
  );
  await maker.stop();
  const cheat = await RawProvider.start(net, script(pieces), [transport]);
  await cheat.announce(contentId);
  return { net, viewer: await net.peer('viewer'), cheat, contentId };
}

/** Units revealed and pieces stored for them: the difference is the loss. */
function lostUnits({ viewer, contentId }: Stage): number {
  return viewer.store.payerChannels.revealedUnits() - viewer.store.contents.pieces.of(contentId).length;
}

it.each([
  ['the piece', 'piece'],
  ['a refusal', 'refused'],
])(
  'a provider that answers a request with the piece and then %s again is left, and not paid twice',
  async (_, again) => {
    const asked: { id: number; pieceIndex: number }[] = [];
    const s = await stage((pieces) => (message, stream) => {
      if (message.type === 'open') stream.send({ type: 'opened', paidUnits: 0, servedBytes: 0 });
      if (message.type !== 'request') return;
      asked.push(message);
      // In a burst: the second copies arrive while the first are being stored.
      if (asked.length < 8) return;
      for (const { id, pieceIndex } of asked.splice(0)) {
        const piece = pieces[pieceIndex] ?? new Uint8Array(0);
        stream.sendPiece(id, piece);
        if (again === 'piece') stream.sendPiece(id, piece);
        else stream.send({ type: 'refused', id, code: 'PieceUnknown' });
      }
    });
    const transfer = await s.viewer.library.transfer(s.contentId);
    transfer.download();
    const left = () => s.viewer.warnings.find(({ code }) => code === 'MessageUnexpected');
    await waitFor('the viewer left', () => left() !== undefined);
    await s.viewer.library.stopTransfer(s.contentId);
    expect(left()?.reaction).toBe('drop-peer');
    expect(
      s.viewer.warnings.filter(({ code }) => code === 'Internal' || code === 'InvariantViolated'),
    ).toEqual([]);
    expect(lostUnits(s)).toBeLessThanOrEqual(0);
  },
);

it('a viewer whose books are an old copy pays on a new channel, and does not blame the provider', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const [first, second] = [
    await net.content(provider, 6 * MIB),
    await net.content(provider, 5 * MIB, 'b.bin'),
  ];
  const before = await net.peer('viewer');
  await fetchWhole(before, first.contentId);
  await before.library.stopTransfer(first.contentId);
  await before.stop();
  takeBack(before);
  const viewer = await net.peer('viewer');
  await fetchWhole(viewer, second.contentId);
  await viewer.library.stopTransfer(second.contentId);
  await viewer.claims.now();
  // A batch may have settled both already.
  const channels = viewer.store.payerChannels.all().map(({ state }) => state);
  expect(channels).toMatchObject([
    { revealedUnits: 0, status: expect.stringMatching(/^(disputed|settled)$/) },
    { revealedUnits: 5, status: expect.stringMatching(/^(claimed|settled)$/) },
  ]);
  expect(viewer.warnings.filter(({ reaction }) => reaction === 'drop-peer')).toEqual([]);
  expect(provider.warnings).toEqual([]);
  expect(paidUnits(provider)).toBe(11);
});

/** The books of a stopped viewer as they were before it paid anything. */
function takeBack({ dir }: TestPeer): void {
  const db = new Database(join(dir, 'node.db'));
  db.exec(`UPDATE payer_channels SET status = 'open', revealed_units = 0, verified_bytes = 0, video_bytes = 0,
    lost_bytes = 0, checkpoint_number = 0, checkpoint_units = 0, checkpoint = NULL, payer_signature = NULL,
    payee_signature = NULL`);
  db.close();
}
