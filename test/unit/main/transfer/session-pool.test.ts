import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Provider } from '../../../../main/content/provider.ts';
import type { TransportFile } from '../../../../main/content/transport-file.ts';
import type { ArrivedFrom, FetchOptions } from '../../../../main/pieces/fetching.ts';
import { createLog } from '../../../../main/process/log.ts';
import {
  IDLE_CLOSE_MS,
  type Line,
  type Session,
  SessionPool,
} from '../../../../main/transfer/session-pool.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';

const provider = (peerId: string): Provider => ({ peerId, account: peerId, addresses: [] });
const user = (wantedUnits = 10, holds: (line: Line) => boolean = () => false) => ({ wantedUnits, holds });
const request = { contentId: 'c', file: {} as TransportFile, pieceIndex: 0, video: false };

/** A session whose pieces come when the test says so. */
class FakeSession implements Session {
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

let sessions: FakeSession[];
let pool: SessionPool;

beforeEach(() => {
  vi.useFakeTimers();
  sessions = [];
  pool = new SessionPool({
    log: createLog(null),
    onChange: () => {},
    openSession: async () => {
      const session = new FakeSession();
      sessions.push(session);
      return session;
    },
  });
});

afterEach(async () => {
  await pool.stop();
  vi.useRealTimers();
});

const open = (peerId: string, by = user()) => pool.open(pool.line(provider(peerId)), by);

describe('SessionPool', () => {
  it('has one session for each provider, however many use it and at once', async () => {
    const [a, b, other] = await Promise.all([open('one'), open('one'), open('two')]);
    expect(a).toBe(b);
    expect(a).not.toBe(other);
    expect(sessions).toHaveLength(2);
  });

  it('opens another one when the one before has failed, and keeps what is known of the provider', async () => {
    const line = pool.line(provider('one'));
    await pool.open(line, user());
    sessions[0]?.abort(new AceError('PeerClosed', 'gone'));
    expect(line.live).toBeNull();
    await pool.open(pool.line(provider('one')), user());
    expect(sessions).toHaveLength(2);
    expect(pool.line(provider('one')).watch).toBe(line.watch);
  });

  it('counts what is under way, and measures what comes', async () => {
    const line = pool.line(provider('one'));
    const who = user();
    await pool.open(line, who);
    const fetched = pool.fetch(line, who, request, 1_000, {});
    expect([line.outstandingPieces, line.outstandingBytes]).toEqual([1, 1_000]);
    sessions[0]?.deliver();
    await fetched;
    expect([line.outstandingPieces, line.outstandingBytes, line.pieces, line.paidUnits]).toEqual([
      0, 0, 1, 1,
    ]);
    expect([line.pace.bytesPerMs, line.pace.latencyMs]).toEqual([100, 10]);
  });

  it('asks for a lease for all that its users want, and for less where another provider has one', async () => {
    const [one, two] = [pool.line(provider('one')), pool.line(provider('two'))];
    const [a, b] = [user(100), user(300)];
    await Promise.all([pool.open(one, a), pool.open(one, b), pool.open(two, b)]);
    const fetched = pool.fetch(one, a, request, 1, {});
    expect(sessions[0]?.leases).toEqual([432]);
    sessions[0]?.deliver();
    await fetched;
    const second = pool.fetch(two, b, request, 1, {});
    expect(sessions[1]?.leases).toEqual([128]);
    sessions[1]?.deliver();
    await second;
  });

  it('closes a session after its time of rest, and not while it is busy or held', async () => {
    let held = false;
    const line = pool.line(provider('one'));
    const who = user(1, () => held);
    await pool.open(line, who);
    const fetched = pool.fetch(line, who, request, 1, {});
    await vi.advanceTimersByTimeAsync(2 * IDLE_CLOSE_MS);
    expect(sessions[0]?.closed).toBe(false);
    sessions[0]?.deliver();
    await fetched;
    held = true;
    await vi.advanceTimersByTimeAsync(2 * IDLE_CLOSE_MS);
    expect(sessions[0]?.closed).toBe(false);
    held = false;
    await vi.advanceTimersByTimeAsync(IDLE_CLOSE_MS - 1_000);
    expect(sessions[0]?.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sessions[0]?.closed).toBe(true);
    expect(line.live).toBeNull();
  });

  it('closes a session at once when the last who used it leaves, and not before', async () => {
    const [a, b] = [user(), user()];
    await open('one', a);
    await open('one', b);
    await pool.leave(a);
    expect(sessions[0]?.closed).toBe(false);
    await pool.leave(b);
    expect(sessions[0]?.closed).toBe(true);
  });

  it('opens nothing after it was stopped, and has closed everything', async () => {
    await open('one');
    await pool.stop();
    expect(sessions[0]?.closed).toBe(true);
    await expectAceRejection('PeerClosed', open('two'));
  });
});
