import { expect, it, vi } from 'vitest';
import { type ArrivedPiece, PieceBooker } from '../../main/pieces/piece-booker.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { askedBefore, RawProvider } from '../helpers/raw-provider.ts';
import { waitFor } from '../helpers/wait.ts';

/** A piece may come in any microtask around the end of the booker's last loop, and is booked in each. */
it('PieceBooker: a piece added as the run before ends is booked', async () => {
  const stuck: number[] = [];
  for (let k = 0; k < 12; k++) {
    const booked: number[] = [];
    const piece = (requestId: number) =>
      ({
        requestId,
        bytes: new Uint8Array(1),
        request: { contentId: 'c', pieceIndex: requestId, video: false },
      }) as ArrivedPiece;
    let late: (() => void) | null = () => booker.add(piece(2));
    const booker = new PieceBooker(
      {
        store: {
          commit: (fn: () => void) => fn(),
          contents: { addDownBytes() {} },
          traffic: { add() {} },
        } as never,
        nowMs: () => 0,
        pieces: {
          write: async () => {},
          bookPiece() {},
          pieceWritten: async () => {
            const add = late;
            late = null;
            if (!add) return;
            let p = Promise.resolve();
            for (let i = 0; i < k; i++) p = p.then(() => {});
            void p.then(add);
          },
        } as never,
        meter: { add() {} } as never,
      },
      {
        account: '',
        channel: null,
        failed: false,
        arriving: false,
        roundTripMs: 0,
        send() {},
        sendDueCheckpoint() {},
        written() {},
        booked: (id) => booked.push(id),
        fail: (e) => {
          throw e;
        },
      },
    );
    booker.add(piece(1));
    await waitFor('the second piece is booked', () => booked.includes(2), 5_000).catch(() => stuck.push(k));
  }
  expect(stuck).toEqual([]);
});

/** The clock jumps back while a provider is silent. */
it('a silent provider is left though the clock was set back by a day', async () => {
  const net = await useDevnet();
  const honest = await net.peer('honest');
  const { contentId } = await net.content(honest, 2 * MIB);
  const silent = await RawProvider.start(
    net,
    askedBefore(honest, (message, stream) => {
      if (message.type === 'open') stream.send({ type: 'opened', paidUnits: 0, servedBytes: 0 });
    }),
    [honest.store.contents.get(contentId)?.transport as Uint8Array],
  );
  await silent.announce(contentId);
  const viewer = await net.peer('viewer', undefined, { handshakeMs: 1_000, paymentMs: 1_000, dataMs: 1_000 });
  const transfer = await viewer.library.transfer(contentId);
  transfer.download();
  await waitFor('the silent one is asked', () => silent.heardOf('request').length > 0);
  const realMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: realMs - 86_400_000, shouldAdvanceTime: true });
  try {
    await waitFor('fetched from the other', () => transfer.state === 'done');
  } finally {
    vi.useRealTimers();
  }
});

/** A provider's word passes for the shard's: the user is told to top up. */
it('a provider cannot tell a viewer that its credit is used up', async () => {
  const net = await useDevnet();
  const honest = await net.peer('honest');
  const { contentId } = await net.content(honest, 2 * MIB);
  const liar = await RawProvider.start(
    net,
    (message, stream) => {
      if (message.type === 'open') stream.send({ type: 'refused', id: 0, code: 'CreditExhausted' });
      if (message.type === 'request')
        stream.send({ type: 'refused', id: message.id, code: 'CreditExhausted' });
    },
    [honest.store.contents.get(contentId)?.transport as Uint8Array],
  );
  await liar.announce(contentId);
  const viewer = await net.peer('viewer', undefined, { handshakeMs: 1_000, paymentMs: 1_000, dataMs: 1_000 });
  const transfer = await viewer.library.transfer(contentId);
  transfer.download();
  const seen = new Set<string>();
  await waitFor('fetched from the other', () => {
    seen.add(`${transfer.state} ${transfer.reason?.code}`);
    return transfer.state === 'done';
  });
  expect([...seen]).not.toContain('paused CreditExhausted');
});
