import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContentRow } from '../../main/db/node/contents.ts';
import { MAX_QUEUED_REQUESTS } from '../../main/pieces/constants.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { unitsForBytes } from '../../shared/economy/units.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { type Devnet, fetchWhole, MIB, startProvided, type TestPeer } from '../helpers/devnet.ts';
import { workMs } from '../helpers/event-loop.ts';
import { paidOn, warned } from '../helpers/provider-books.ts';
import { type RawChannel, RawViewer } from '../helpers/raw-viewer.ts';
import { malleated } from '../helpers/signatures.ts';
import { waitFor } from '../helpers/wait.ts';

const WINDOW_CAP_UNITS = 8;

let net: Devnet;
let provider: TestPeer;
let content: ContentRow;

beforeAll(async () => {
  ({ net, provider, content } = await startProvided(64 * MIB));
});
afterAll(() => net.stop());

/** Units that the provider sent to an account and was never paid for: its loss. */
function lossOf(account: string): number {
  return provider.store.payeeChannels
    .all()
    .filter((row) => row.payer === account)
    .reduce((sum, { state }) => sum + unitsForBytes(state.servedBytes) - state.paidUnits, 0);
}

async function expectHonestPeersServed(): Promise<void> {
  const { contentId } = await net.content(provider, 3 * MIB, `honest-${Math.random()}.bin`);
  const viewer = await net.peer();
  await fetchWhole(viewer, contentId);
  await viewer.stop();
}

describe('a payer that takes and vanishes', () => {
  it('gets one unit as a stranger, and by coming back nothing but the same unit, once more', async () => {
    const thief = await RawViewer.start(net);
    const channel = await thief.lease(provider, 20);
    for (let visit = 0; visit < 4; visit++) {
      const stream = await thief.open(provider, channel);
      for (let i = 0; i < 4; i++) stream.request(content.contentId, i);
      if (visit < 2) expect((await stream.takePiece()).id).toBe(1);
      expect(await stream.silentFor(300)).toBe(true);
      stream.vanish();
    }
    expect(lossOf(thief.account.address)).toBe(1);
  });

  it('gets nothing more over new channels', async () => {
    const thief = await RawViewer.start(net);
    for (let visit = 0; visit < 3; visit++) {
      const stream = await thief.open(provider, await thief.lease(provider, 20));
      stream.request(content.contentId, visit);
      if (visit === 0) await stream.takePiece();
      else expect(await stream.expect('refused')).toMatchObject({ code: 'PrepaymentDue' });
      expect(await stream.silentFor(300)).toBe(true);
      stream.vanish();
    }
    expect(lossOf(thief.account.address)).toBe(1);
  });

  // It got nothing there for a day, before: the channel that owed was open, and its file gone.
  it('keeps no device of its account from going on: that one pays each unit first', async () => {
    const phrase = createPhrase(12);
    const lost = await RawViewer.start(net, { phrase, deviceSeed: createDevice().seed() });
    const channel = await lost.lease(provider, 60);
    const stream = await lost.open(provider, channel);
    const paidUnits = 10;
    for (let i = 0; i < paidUnits + WINDOW_CAP_UNITS; i++) {
      stream.request(content.contentId, i);
      await stream.takePiece();
      if (i < paidUnits) stream.pay(channel, i + 1);
    }
    await waitFor('all are paid', () => paidOn(provider, channel) === paidUnits);
    expect(lossOf(lost.account.address)).toBe(WINDOW_CAP_UNITS);
    stream.vanish();
    await lost.stop();

    const { contentId } = await net.content(provider, 12 * MIB, 'restored.bin');
    const restored = await net.peer('restored', { phrase, deviceSeed: createDevice().seed() });
    await fetchWhole(restored, contentId, 20_000);
    await restored.stop();
    const lossUnits = () => lossOf(lost.account.address);
    await waitFor('what it got is paid', () => lossUnits() === WINDOW_CAP_UNITS);
  });

  it('gets one unit over many channels at once, from two devices of its account', async () => {
    const phrase = createPhrase(12);
    const devices = await Promise.all(
      [1, 2].map(() => RawViewer.start(net, { phrase, deviceSeed: createDevice().seed() })),
    );
    const streams = await Promise.all(
      devices.flatMap((device) =>
        [1, 2, 3].map(async () => device.open(provider, await device.lease(provider, 20))),
      ),
    );
    for (const [i, stream] of streams.entries()) stream.request(content.contentId, i);
    await Promise.all(streams.map((stream) => stream.silentFor(500)));
    expect(lossOf(devices[0]?.account.address ?? '')).toBe(1);
    for (const stream of streams) stream.vanish();
  });

  it('gets one window after it has paid for a while, however often it comes back', async () => {
    const thief = await RawViewer.start(net);
    const channel = await thief.lease(provider, 60);
    const stream = await thief.open(provider, channel);
    for (let i = 0; i < 20; i++) {
      stream.request(content.contentId, i);
      await stream.takePiece();
      stream.pay(channel, i + 1);
    }
    stream.vanish();
    for (let visit = 0; visit < 3; visit++) {
      const again = await thief.open(provider, visit < 2 ? channel : await thief.lease(provider, 20));
      for (let i = 0; i < 20; i++) again.request(content.contentId, 20 + i);
      while (visit === 0 && lossOf(thief.account.address) < WINDOW_CAP_UNITS) await again.takePiece();
      await again.silentFor(300);
      again.vanish();
    }
    expect(lossOf(thief.account.address)).toBe(WINDOW_CAP_UNITS);
  });

  it('gets one unit per fresh identity', async () => {
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) {
      const thief = await RawViewer.start(net);
      const stream = await thief.open(provider, await thief.lease(provider, 20));
      for (let piece = 0; piece < 4; piece++) stream.request(content.contentId, piece);
      await stream.takePiece();
      expect(await stream.silentFor(200)).toBe(true);
      stream.vanish();
      losses.push(lossOf(thief.account.address));
    }
    expect(losses).toEqual([1, 1, 1]);
  });

  it('gets no piece by closing its channel while the piece is read', async () => {
    const thief = await RawViewer.start(net);
    let pieces = 0;
    for (let visit = 0; visit < 6; visit++) {
      const channel = await thief.lease(provider, 20);
      const stream = await thief.open(provider, channel);
      stream.request(content.contentId, visit);
      stream.send(thief.checkpoint(channel, { units: 0, final: true }));
      for (;;) {
        const message = await stream.receive(150).catch(() => null);
        if (!message) break;
        if (message.type === 'piece') pieces += 1;
      }
      stream.vanish();
    }
    expect(pieces).toBeLessThanOrEqual(1);
    expect(lossOf(thief.account.address)).toBe(pieces);
  });

  it('waits for its payment only so long: then the request is refused', async () => {
    const hasty = await net.peer('hasty', undefined, { handshakeMs: 500, paymentMs: 300, dataMs: 1_000 });
    const { contentId } = await net.content(hasty, 3 * MIB, 'hasty.bin');
    const thief = await RawViewer.start(net);
    const stream = await thief.open(hasty, await thief.lease(hasty, 20));
    stream.request(contentId, 0);
    const id = stream.request(contentId, 1);
    await stream.takePiece();
    expect(await stream.expect('refused')).toEqual({ type: 'refused', id, code: 'PaymentOverdue' });
    stream.vanish();
  });
});

describe('one account on two streams at once', () => {
  it('is served on both: a payment on one makes room on the other', async () => {
    const viewer = await RawViewer.start(net);
    const channels = [await viewer.lease(provider, 20), await viewer.lease(provider, 20)];
    const streams = [];
    for (const channel of channels) streams.push({ channel, stream: await viewer.open(provider, channel) });
    for (const { stream } of streams) for (let i = 0; i < 5; i++) stream.request(content.contentId, i);
    await Promise.all(
      streams.map(async ({ stream, channel }) => {
        for (let i = 1; i <= 5; i++) {
          await stream.takePiece();
          stream.pay(channel, i);
        }
      }),
    );
    for (const channel of channels) await waitFor('all is paid', () => paidOn(provider, channel) === 5);
    for (const { stream } of streams) stream.vanish();
  });
});

describe('ticks that are not in order', () => {
  async function paying(units: number) {
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 30);
    const stream = await viewer.open(provider, channel);
    for (let i = 0; i < units; i++) {
      stream.request(content.contentId, i);
      await stream.takePiece();
      stream.pay(channel, i + 1);
    }
    await waitFor('the ticks are booked', () => paidOn(provider, channel) === units);
    return { viewer, channel, stream };
  }

  it('a replayed or older tick is ignored and pays nothing', async () => {
    const { channel, stream } = await paying(3);
    const codes = await warned(provider, async () => {
      for (const index of [3, 2, 1, 0]) stream.pay(channel, index);
      stream.request(content.contentId, 4);
      await stream.takePiece();
    });
    expect(codes).toEqual([]);
    expect(paidOn(provider, channel)).toBe(3);
    stream.vanish();
  });

  it('a later tick pays for those that were skipped', async () => {
    const { channel, stream } = await paying(3);
    for (const piece of [4, 5]) {
      stream.request(content.contentId, piece);
      await stream.takePiece();
    }
    stream.pay(channel, 5);
    await waitFor('tick 5 is booked', () => paidOn(provider, channel) === 5);
    stream.vanish();
  });

  it.each<[string, number, number, ErrorCode]>([
    ['that jumps past the window', 3 + 5, 8, 'TickBeyondWindow'],
    ['past the capacity', 31, 30, 'TickBeyondCapacity'],
    ['with index 2^40', 2 ** 40, 30, 'TickBeyondCapacity'],
    ['with index 2^53 − 1', 2 ** 53 - 1, 30, 'TickBeyondCapacity'],
    ['that is another unit’s', 4, 7, 'TickWrong'],
  ])('a tick %s ends the stream and pays nothing', async (_what, index, preimage, code) => {
    const { channel, stream } = await paying(3);
    let codes: ErrorCode[] = [];
    const tookMs = await workMs(async () => {
      codes = await warned(provider, async () => {
        stream.send({ type: 'tick', index, tick: channel.chain.tick(preimage) });
        await stream.ended();
      });
    });
    expect(tookMs).toBeLessThan(1_000);
    expect(codes).toEqual([code]);
    expect(paidOn(provider, channel)).toBe(3);
  });

  it('a tick without a channel ends the stream', async () => {
    const viewer = await RawViewer.start(net);
    const stream = await viewer.greet(provider);
    const codes = await warned(provider, async () => {
      stream.send({ type: 'tick', index: 1, tick: new Uint8Array(32) });
      await stream.ended();
    });
    expect(codes).toEqual(['MessageUnexpected']);
  });
});

describe('a channel that must not be accepted', () => {
  it.each<[string, ErrorCode, (viewer: RawViewer) => Promise<RawChannel>]>([
    ['without a lease', 'ChannelUnleased', async (viewer) => viewer.terms(provider, 10)],
    [
      'leased by another key',
      'ChannelUnleased',
      async (viewer) => {
        const channel = viewer.terms(provider, 10);
        return {
          ...channel,
          signed: { ...channel.signed, leaseSignature: createDevice().sign(channel.signed.terms) },
        };
      },
    ],
    [
      'with the lease of another channel',
      'ChannelUnleased',
      async (viewer) => {
        const [leased, other] = [await viewer.lease(provider, 10), viewer.terms(provider, 10)];
        return { ...other, signed: { ...other.signed, leaseSignature: leased.signed.leaseSignature } };
      },
    ],
    [
      'for another payee',
      'ChannelMismatch',
      (viewer) => viewer.lease(provider, 10, { payee: `0x${'ab'.repeat(20)}` }),
    ],
    [
      'for another device of the payee',
      'ChannelMismatch',
      (viewer) => viewer.lease(provider, 10, { payeeDevice: createDevice().publicKey }),
    ],
    [
      'of another network',
      'WrongNetwork',
      async (viewer) => viewer.terms(provider, 10, { networkId: 'elsewhere' }),
    ],
    ['that has expired', 'ChannelUnleased', async (viewer) => viewer.terms(provider, 10, { expiresAtMs: 1 })],
    [
      'of a shard that does not exist',
      'ChannelUnleased',
      async (viewer) => viewer.terms(provider, 10, { shard: 7 }),
    ],
    [
      'that its payer did not sign',
      'InvalidSignature',
      async (viewer) => {
        const channel = await viewer.lease(provider, 10);
        const termsSignature = Uint8Array.from(channel.signed.termsSignature);
        termsSignature[5] = (termsSignature[5] ?? 0) ^ 1;
        return { ...channel, signed: { ...channel.signed, termsSignature } };
      },
    ],
    [
      'signed with a malleated signature',
      'InvalidSignature',
      async (viewer) => {
        const channel = await viewer.lease(provider, 10);
        return {
          ...channel,
          signed: { ...channel.signed, termsSignature: malleated(channel.signed.termsSignature) },
        };
      },
    ],
    [
      'in a second encoding of its terms',
      'MessageMalformed',
      async (viewer) => {
        const channel = await viewer.lease(provider, 10);
        // 0x9f … 0xff: an array of indefinite length, which decodes to the same fields.
        const terms = Buffer.concat([Buffer.of(0x9f), channel.signed.terms.subarray(1), Buffer.of(0xff)]);
        return { ...channel, signed: { ...channel.signed, terms } };
      },
    ],
  ])('%s is refused by name, and nothing is served', async (_what, code, make) => {
    const viewer = await RawViewer.start(net);
    const stream = await viewer.greet(provider);
    const codes = await warned(provider, async () => {
      const channel = await make(viewer);
      stream.send({ type: 'open', ...channel.signed });
      expect((await stream.ended()).map((m) => m.type === 'refused' && m.code)).toEqual([code]);
    });
    expect(codes).toEqual([code]);
    expect(lossOf(viewer.account.address)).toBe(0);
  });

  it('of another viewer is refused: terms in the wrong hands pay nothing', async () => {
    const [owner, thief] = [await RawViewer.start(net), await RawViewer.start(net)];
    const channel = await owner.lease(provider, 10);
    const stream = await thief.greet(provider);
    stream.send({ type: 'open', ...channel.signed });
    expect((await stream.ended()).map((m) => m.type === 'refused' && m.code)).toEqual(['ChannelMismatch']);
  });

  it('serves nothing before a channel is open', async () => {
    const viewer = await RawViewer.start(net);
    const stream = await viewer.greet(provider);
    const id = stream.request(content.contentId, 0);
    expect(await stream.expect('refused')).toEqual({ type: 'refused', id, code: 'ChannelUnleased' });
  });
});

describe('a channel at its end', () => {
  it('is served to its last unit, and the next channel goes on over the same stream', async () => {
    const viewer = await RawViewer.start(net);
    const first = await viewer.lease(provider, 2);
    const stream = await viewer.open(provider, first);
    for (let i = 0; i < 2; i++) {
      stream.request(content.contentId, i);
      await stream.takePiece();
      stream.pay(first, i + 1);
    }
    const id = stream.request(content.contentId, 2);
    const answer = await stream.receive();
    expect(answer).toEqual({ type: 'refused', id, code: 'ChannelExhausted' });

    const second = await viewer.lease(provider, 2);
    await stream.open(second);
    stream.request(content.contentId, 2);
    await stream.takePiece();
    stream.pay(second, 1);
    await waitFor('the second channel is paid', () => paidOn(provider, second) === 1);
    expect(lossOf(viewer.account.address)).toBe(0);
    stream.vanish();
  });
});

describe('more requests than a stream may have waiting', () => {
  it('end the stream with TooManyRequests, and others are still served', async () => {
    const viewer = await RawViewer.start(net);
    const stream = await viewer.open(provider, await viewer.lease(provider, 10));
    const before = provider.warnings.length;
    const codes = await warned(provider, async () => {
      for (let i = 0; i < 1_000; i++) stream.request(content.contentId, i % 64);
      await stream.ended().catch(() => undefined);
      await waitFor('the stream has ended', () => provider.warnings.length > before);
    });
    expect(codes).toEqual(['TooManyRequests']);
    expect(lossOf(viewer.account.address)).toBeLessThanOrEqual(1);
    await expectHonestPeersServed();
  });

  it(`are served when there are ${MAX_QUEUED_REQUESTS} of them`, { tags: 'long' }, async () => {
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 64);
    const stream = await viewer.open(provider, channel);
    for (let i = 0; i < MAX_QUEUED_REQUESTS; i++) stream.request(content.contentId, i);
    for (let i = 0; i < MAX_QUEUED_REQUESTS; i++) {
      await stream.takePiece();
      stream.pay(channel, i + 1);
    }
    await waitFor('all is paid', () => paidOn(provider, channel) === MAX_QUEUED_REQUESTS);
    stream.vanish();
  });
});
