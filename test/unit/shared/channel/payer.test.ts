import { describe, expect, it } from 'vitest';
import {
  CHECKPOINT_EVERY_MS,
  checkpointDue,
  makeCheckpoint,
  newPayerState,
  type PayerState,
  prepaidUnits,
  prepay,
  receive,
  roomBytes,
  WATCH_CHECKPOINT_EVERY_MS,
  WRITE_OFF_LIMIT_UNITS,
  writeOff,
} from '../../../../shared/channel/payer.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const MIB = 1_048_576;
const NOTHING = { toPayeeUnits: 0, latelyUnits: 0 };
const NOW_MS = 1_800_000_000_000;

function state(fields: Partial<PayerState> = {}): PayerState {
  return {
    ...newPayerState(new Uint8Array(32), { capacityUnits: 100, expiresAtMs: NOW_MS + 1_000 }, NOW_MS),
    status: 'open',
    ...fields,
  };
}

describe('receive', () => {
  it.each([
    [1, 1],
    [MIB - 1, 1],
    [MIB, 1],
    [MIB + 1, 2],
  ])('%i bytes owe %i units', (bytes, units) => {
    expect(receive(state(), bytes, false).revealedUnits).toBe(units);
  });
  it('rounds up once over the life of the channel, not for each piece', () => {
    let s = state();
    for (let i = 0; i < 10; i++) s = receive(s, 100_000, true);
    expect(s).toMatchObject({ revealedUnits: 1, verifiedBytes: 1_000_000, videoBytes: 1_000_000 });
  });
  it('takes the last byte of the capacity and never owes more', () => {
    const full = receive(state(), 100 * MIB, false);
    expect(full.revealedUnits).toBe(100);
    expect(roomBytes(full)).toBe(0);
    expectAceError('InvariantViolated', () => receive(full, 1, false));
  });
  it('pays only on an open channel', () => {
    expectAceError('InvariantViolated', () => receive(state({ status: 'closing' }), 1, false));
  });
});

describe('writeOff', () => {
  it('pays what is missing, one unit at most', () => {
    const s = state({ verifiedBytes: 3 * MIB, revealedUnits: 3 });
    expect(writeOff(s, 3 * MIB, NOTHING).revealedUnits).toBe(3);
    expect(writeOff(s, 3.5 * MIB, NOTHING)).toMatchObject({ revealedUnits: 4, lostBytes: MIB / 2 });
    expect(writeOff(s, 2 ** 40, NOTHING)).toMatchObject({ revealedUnits: 4, lostBytes: MIB });
  });
  it('pays no second unit, here or on another channel', () => {
    const once = writeOff(state(), 2 ** 40, NOTHING);
    expect(writeOff(once, 2 ** 40, NOTHING)).toEqual(once);
    expect(writeOff(state(), 2 ** 40, { toPayeeUnits: 1, latelyUnits: 1 })).toMatchObject({
      revealedUnits: 0,
      lostBytes: 0,
    });
  });
  it('pays nothing more once so much was lost to anyone lately', () => {
    const elsewhere = { toPayeeUnits: 0, latelyUnits: WRITE_OFF_LIMIT_UNITS };
    expect(writeOff(state(), 2 ** 40, elsewhere)).toMatchObject({ revealedUnits: 0, lostBytes: 0 });
  });
  it('pays nothing when the provider’s books say less than was received', () => {
    const s = state({ verifiedBytes: 3 * MIB, revealedUnits: 3 });
    expect(writeOff(s, 0, NOTHING)).toEqual(s);
  });
  it('stays within the capacity', () => {
    const s = receive(state(), 100 * MIB, false);
    expect(writeOff(s, 2 ** 40, NOTHING).revealedUnits).toBe(100);
  });
});

describe('checkpointDue', () => {
  it('after 64 units, not after 63', () => {
    expect(checkpointDue(state({ revealedUnits: 63 }), 0, NOW_MS)).toBe(false);
    expect(checkpointDue(state({ revealedUnits: 64 }), 0, NOW_MS)).toBe(true);
  });
  it('after 30 s with a new unit, not before and not without', () => {
    const s = state({ revealedUnits: 1 });
    expect(checkpointDue(s, 0, NOW_MS + CHECKPOINT_EVERY_MS - 1)).toBe(false);
    expect(checkpointDue(s, 0, NOW_MS + CHECKPOINT_EVERY_MS)).toBe(true);
    expect(checkpointDue(state(), 0, NOW_MS + 10 * CHECKPOINT_EVERY_MS)).toBe(false);
  });
  it('after 60 s with new watch time alone, not before, and not on a channel without video', () => {
    const paid = state({ revealedUnits: 3, checkpointUnits: 3, videoBytes: 3 * MIB });
    const atMs = NOW_MS + WATCH_CHECKPOINT_EVERY_MS;
    expect(checkpointDue(paid, 1, atMs - 1)).toBe(false);
    expect(checkpointDue(paid, 1, atMs)).toBe(true);
    expect(checkpointDue(paid, 0, atMs)).toBe(false);
    expect(checkpointDue({ ...paid, videoBytes: 0 }, 1, atMs)).toBe(false);
  });
});

describe('makeCheckpoint', () => {
  it('says what the books say, under a number that follows the clock', () => {
    const s = state({
      revealedUnits: 5,
      verifiedBytes: 4.5 * MIB,
      videoBytes: MIB,
      watchMs: 7,
      checkpointNumber: 2,
    });
    const tick = new Uint8Array(32).fill(3);
    const made = makeCheckpoint(s, tick, false, NOW_MS + 5);
    expect(made.checkpoint).toEqual({
      channelId: s.channelId,
      number: NOW_MS + 5,
      units: 5,
      bytes: 4.5 * MIB,
      videoBytes: MIB,
      watchMs: 7,
      final: false,
      tick,
    });
    expect(made.state).toMatchObject({
      checkpointNumber: NOW_MS + 5,
      checkpointUnits: 5,
      checkpointAtMs: NOW_MS + 5,
      status: 'open',
      pausedBy: null,
    });
    expect(makeCheckpoint(s, tick, true, NOW_MS).state.status).toBe('closing');
  });
  it('never uses a number again: not when the clock goes back, and not from an old copy of the books', () => {
    const tick = new Uint8Array(32);
    const first = makeCheckpoint(state(), tick, false, NOW_MS);
    const second = makeCheckpoint(first.state, tick, false, NOW_MS - 86_400_000);
    expect(second.checkpoint.number).toBe(NOW_MS + 1);
    const restored = makeCheckpoint(state({ revealedUnits: 1 }), tick, false, NOW_MS + 2);
    expect(restored.checkpoint.number).not.toBe(first.checkpoint.number);
    expect(restored.checkpoint.number).toBeGreaterThan(second.checkpoint.number);
  });
});

describe('prepay', () => {
  it('reveals one unit ahead, and the piece that comes reveals no other', () => {
    const ahead = prepay(receive(state(), 2 * MIB, false), NOTHING);
    expect(ahead).toMatchObject({ revealedUnits: 3, verifiedBytes: 2 * MIB });
    const served = receive(ahead as PayerState, MIB, false);
    expect(served.revealedUnits).toBe(3);
    expect(prepaidUnits(served)).toBe(0);
    expect(receive(served, 1, false).revealedUnits).toBe(4);
  });
  it('pays no second unit before the first has come', () => {
    expect(prepay(prepay(state(), NOTHING) as PayerState, NOTHING)).toBeNull();
  });
  it('pays nobody who has had the unit that may be lost, on this channel or another', () => {
    expect(prepay(state({ lostBytes: 1, revealedUnits: 1 }), NOTHING)).toBeNull();
    expect(prepay(state(), { toPayeeUnits: 1, latelyUnits: 1 })).toBeNull();
  });
  it('pays no more accounts in a day than units may be written off', () => {
    expect(prepay(state(), { toPayeeUnits: 0, latelyUnits: WRITE_OFF_LIMIT_UNITS })).toBeNull();
    expect(prepay(state(), { toPayeeUnits: 0, latelyUnits: WRITE_OFF_LIMIT_UNITS - 1 })).not.toBeNull();
  });
  it('pays nothing past the capacity', () => {
    expect(prepay(receive(state(), 100 * MIB, false), NOTHING)).toBeNull();
  });
  it('covers what was sent and lost: no second unit is written off for it', () => {
    const lost = writeOff(prepay(state(), NOTHING) as PayerState, MIB, NOTHING);
    expect(lost).toMatchObject({ revealedUnits: 1, lostBytes: MIB });
    expect(prepay(lost, NOTHING)).toBeNull();
  });
});
