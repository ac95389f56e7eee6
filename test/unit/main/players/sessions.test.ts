import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionMeter } from '../../../../main/players/session-meter.ts';
import { MAX_SESSIONS, PlayerSessions, SESSION_IDLE_MS } from '../../../../main/players/sessions.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

let nowMs = 0;
const clock = () => nowMs;
const meter = () => new SessionMeter({ receivedBytes: 0, paidUnits: 0 }, 0, clock);
let sessions: PlayerSessions;

beforeEach(() => {
  nowMs = 1_000_000;
  sessions = new PlayerSessions(clock);
});

describe('PlayerSessions', () => {
  it('ends one that nobody used for a while, and not a moment sooner', () => {
    const { id } = sessions.open('a', meter());
    nowMs += SESSION_IDLE_MS - 1;
    expect(sessions.use(id, 'a').id).toBe(id);
    nowMs += SESSION_IDLE_MS;
    expect(sessions.size).toBe(0);
    expectAceError('SessionUnknown', () => sessions.use(id, 'a'));
  });

  it('keeps one that streams, for as long as it does', () => {
    const { id } = sessions.open('a', meter());
    const ended = sessions.streaming(id, 'a', () => {});
    nowMs += 100 * SESSION_IDLE_MS;
    expect(sessions.use(id, 'a').streams).toBe(1);
    ended();
    expect(sessions.use(id, 'a').streams).toBe(0);
    nowMs += SESSION_IDLE_MS;
    expect(sessions.size).toBe(0);
  });

  it('closes every stream of one that is stopped, once', () => {
    const { id } = sessions.open('a', meter());
    const [close, other] = [vi.fn(), vi.fn()];
    sessions.streaming(id, 'a', close);
    sessions.streaming(id, 'a', other);
    sessions.stop(id, 'a');
    sessions.stop(id, 'a');
    expect(close).toHaveBeenCalledOnce();
    expect(other).toHaveBeenCalledOnce();
    expectAceError('SessionUnknown', () => sessions.streaming(id, 'a', close));
  });

  it('belongs to its content', () => {
    const { id } = sessions.open('a', meter());
    expectAceError('SessionUnknown', () => sessions.use(id, 'b'));
    expectAceError('SessionUnknown', () => sessions.stop(id, 'b'));
    expect(sessions.use(id, 'a').id).toBe(id);
  });

  it('makes room by ending what does not stream, and refuses when all do', () => {
    const ids = Array.from({ length: MAX_SESSIONS }, () => sessions.open('a', meter()).id);
    for (const id of ids.slice(1)) sessions.streaming(id, 'a', () => {});
    const next = sessions.open('a', meter());
    expect(sessions.size).toBe(MAX_SESSIONS);
    expectAceError('SessionUnknown', () => sessions.use(ids[0] ?? '', 'a'));
    sessions.streaming(next.id, 'a', () => {});
    expectAceError('TooManyRequests', () => sessions.open('a', meter()));
  });
});

describe('SessionMeter', () => {
  it('tells the speed of the last seconds', () => {
    const source = { receivedBytes: 5_000, paidUnits: 2 };
    const watch = new SessionMeter(source, 100, clock);
    for (let second = 0; second < 10; second++) {
      nowMs += 1_000;
      source.receivedBytes += 2_000;
      watch.sample(source, () => 100);
    }
    expect(watch.figures(source, 100)).toMatchObject({ downBytes: 20_000, downBytesPerSecond: 2_000 });
    nowMs += 5_000;
    watch.sample(source, () => 100);
    nowMs += 5_000;
    expect(watch.figures(source, 600)).toEqual({
      downBytes: 20_000,
      upBytes: 500,
      paidUnits: 0,
      downBytesPerSecond: 0,
      upBytesPerSecond: 100,
    });
  });

  it('goes on counting when the transfer was begun anew', () => {
    const first = { receivedBytes: 1_000, paidUnits: 1 };
    const watch = new SessionMeter(first, 0, clock);
    first.receivedBytes = 3_000;
    first.paidUnits = 4;
    watch.figures(first, 0);
    const second = { receivedBytes: 500, paidUnits: 1 };
    nowMs += 1_000;
    expect(watch.figures(second, 0)).toMatchObject({ downBytes: 2_500, paidUnits: 4 });
  });
});
