import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Provider } from '../../../../main/content/provider.ts';
import type { TransportFile } from '../../../../main/content/transport-file.ts';
import type { ArrivedFrom, FetchOptions } from '../../../../main/pieces/fetching.ts';
import { createLog } from '../../../../main/process/log.ts';
import {
  IDLE_CLOSE_MS,
  type PieceStream,
  type PooledProvider,
  StreamPool,
} from '../../../../main/transfer/stream-pool.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';

const provider = (peerId: string): Provider => ({ peerId, account: peerId, addresses: [] });
const user = (wantedUnits = 10, holds: (pooled: PooledProvider) => boolean = () => false) => ({
  wantedUnits,
  holds,
});
const request = { contentId: 'c', file: {} as TransportFile, pieceIndex: 0, video: false };

/** A stream whose pieces come when the test says so. */
class FakeStream implements PieceStream {
  readonly provider = { account: 'p' };
  failed = false;
  failure: unknown = null;
  silentMs = 0;
  closed = false;
  readonly leases: number[] = [];
  readonly #waiting: ((piece: ArrivedFrom) => void)[] = [];

  get busy(): boolean {
    return this.#waiting.length > 0;
  }
  fetch(_request: unknown, { wantedUnits }: FetchOptions): Promise<ArrivedFrom> {
    this.leases.push(wantedUnits());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
  deliver(): void {
    this.#waiting.shift()?.({
      pieceIndex: 0,
      bytes: 1_000,
      paidUnits: 1,
      askedAtMs: 0,
      beganAtMs: 10,
      endedAtMs: 20,
    });
  }
  async refusalOf() {
    return null;
  }
  async prepare() {}
  ask() {
    return null;
  }
  interest() {}
  has() {
    return true;
  }
  isPartial() {
    return false;
  }
  async settled() {}
  abort(error: AceError) {
    this.failed = true;
    this.failure = error;
  }
  async close() {
    this.closed = true;
  }
}

let streams: FakeStream[];
let pool: StreamPool;

beforeEach(() => {
  vi.useFakeTimers();
  streams = [];
  pool = new StreamPool({
    log: createLog(null),
    onChange: () => {},
    openStream: async () => {
      const stream = new FakeStream();
      streams.push(stream);
      return stream;
    },
  });
});

afterEach(async () => {
  await pool.stop();
  vi.useRealTimers();
});

const open = (peerId: string, by = user()) => pool.open(pool.pooled(provider(peerId)), by);

describe('StreamPool', () => {
  it('has one stream for each provider, however many use it and at once', async () => {
    const [a, b, other] = await Promise.all([open('one'), open('one'), open('two')]);
    expect(a).toBe(b);
    expect(a).not.toBe(other);
    expect(streams).toHaveLength(2);
  });

  it('opens another one when the one before has failed, and keeps what is known of the provider', async () => {
    const pooled = pool.pooled(provider('one'));
    await pool.open(pooled, user());
    streams[0]?.abort(new AceError('PeerClosed', 'gone'));
    expect(pooled.live).toBeNull();
    await pool.open(pool.pooled(provider('one')), user());
    expect(streams).toHaveLength(2);
    expect(pool.pooled(provider('one')).watch).toBe(pooled.watch);
  });

  it('counts what is under way, and measures what comes', async () => {
    const pooled = pool.pooled(provider('one'));
    const who = user();
    await pool.open(pooled, who);
    const fetched = pool.fetch(pooled, who, request, 1_000, {});
    expect([pooled.outstandingPieces, pooled.outstandingBytes]).toEqual([1, 1_000]);
    streams[0]?.deliver();
    await fetched;
    expect([pooled.outstandingPieces, pooled.outstandingBytes, pooled.pieces, pooled.paidUnits]).toEqual([
      0, 0, 1, 1,
    ]);
    expect([pooled.speed.bytesPerMs, pooled.speed.latencyMs]).toEqual([100, 10]);
  });

  it('asks for a lease for all that its users want, and for less where another provider has one', async () => {
    const [one, two] = [pool.pooled(provider('one')), pool.pooled(provider('two'))];
    const [a, b] = [user(100), user(300)];
    await Promise.all([pool.open(one, a), pool.open(one, b), pool.open(two, b)]);
    const fetched = pool.fetch(one, a, request, 1, {});
    expect(streams[0]?.leases).toEqual([432]);
    streams[0]?.deliver();
    await fetched;
    const second = pool.fetch(two, b, request, 1, {});
    expect(streams[1]?.leases).toEqual([128]);
    streams[1]?.deliver();
    await second;
  });

  it('closes a stream after its time of rest, and not while it is busy or held', async () => {
    let held = false;
    const pooled = pool.pooled(provider('one'));
    const who = user(1, () => held);
    await pool.open(pooled, who);
    const fetched = pool.fetch(pooled, who, request, 1, {});
    await vi.advanceTimersByTimeAsync(2 * IDLE_CLOSE_MS);
    expect(streams[0]?.closed).toBe(false);
    streams[0]?.deliver();
    await fetched;
    held = true;
    await vi.advanceTimersByTimeAsync(2 * IDLE_CLOSE_MS);
    expect(streams[0]?.closed).toBe(false);
    held = false;
    await vi.advanceTimersByTimeAsync(IDLE_CLOSE_MS - 1_000);
    expect(streams[0]?.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(streams[0]?.closed).toBe(true);
    expect(pooled.live).toBeNull();
  });

  it('closes a stream at once when the last who used it leaves, and not before', async () => {
    const [a, b] = [user(), user()];
    await open('one', a);
    await open('one', b);
    await pool.leave(a);
    expect(streams[0]?.closed).toBe(false);
    await pool.leave(b);
    expect(streams[0]?.closed).toBe(true);
  });

  it('opens nothing after it was stopped, and has closed everything', async () => {
    await open('one');
    await pool.stop();
    expect(streams[0]?.closed).toBe(true);
    await expectAceRejection('PeerClosed', open('two'));
  });
});
