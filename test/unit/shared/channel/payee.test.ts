import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../../main/util/sha256.ts';
import {
  acceptCheckpoint,
  acceptTick,
  isTickDue,
  type PayeeState,
  STRANGER,
  serve,
  servingObstacle,
  TICK_GRACE_MS,
  windowUnits,
} from '../../../../shared/channel/payee.ts';
import type { Checkpoint } from '../../../../shared/channel/records.ts';
import { TickChain } from '../../../../shared/channel/tick-chain.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const MIB = 1_048_576;
const NOW_MS = 1_800_000_000_000;
const chain = TickChain.fromSeed(new Uint8Array(32).fill(1), 100, sha256);

function state(fields: Partial<PayeeState> = {}): PayeeState {
  const paidUnits = fields.paidUnits ?? 0;
  return {
    channelId: new Uint8Array(32).fill(9),
    capacityUnits: 100,
    expiresAtMs: NOW_MS + 1_000,
    paidUnits,
    tick: chain.tick(paidUnits),
    servedBytes: paidUnits * MIB,
    checkpointNumber: 0,
    checkpointUnits: 0,
    status: 'open',
    pausedBy: null,
    ...fields,
  };
}
const obstacle = (s: PayeeState, bytes = MIB, history = STRANGER, nowMs = NOW_MS) =>
  servingObstacle(s, history, bytes, nowMs, 8);
const take = (s: PayeeState, index: number, tick = chain.tick(index), history = STRANGER) =>
  acceptTick(s, { index, tick }, { history, windowCapUnits: 8, sha256 });

describe('windowUnits', () => {
  it.each([
    [0, 1],
    [1, 2],
    [2, 2],
    [3, 4],
    [6, 4],
    [7, 8],
    [10_000, 8],
  ])('after %i paid units is %i', (paid, window) => {
    expect(windowUnits(paid, 8)).toBe(window);
  });
  it('is never less than one unit', () => {
    expect(windowUnits(0, 0)).toBe(1);
  });
});

describe('servingObstacle', () => {
  it('gives a stranger one unit ahead and not one byte more', () => {
    expect(obstacle(state())).toBeNull();
    expect(obstacle(state({ servedBytes: MIB - 1 }), 1)).toBeNull();
    expect(obstacle(state({ servedBytes: MIB }), 1)).toBe('PaymentOverdue');
  });
  it('gives a payer its window and not one byte more', () => {
    expect(obstacle(state({ paidUnits: 7, servedBytes: 14 * MIB }))).toBeNull();
    expect(obstacle(state({ paidUnits: 7, servedBytes: 15 * MIB }), 1)).toBe('PaymentOverdue');
  });
  it('narrows the window by what is owed on other channels', () => {
    const history = { paidUnits: 100, unpaidUnits: 7, lostUnits: 0 };
    expect(obstacle(state(), MIB, history)).toBeNull();
    expect(obstacle(state(), MIB, { ...history, unpaidUnits: 8 })).toBe('PaymentOverdue');
  });
  it('wants each unit first where what was lost fills the window, and waits where a payment may come', () => {
    const history = { paidUnits: 100, unpaidUnits: 8, lostUnits: 8 };
    expect(obstacle(state(), MIB, history)).toBe('PrepaymentDue');
    expect(obstacle(state({ paidUnits: 1, servedBytes: 0 }), MIB, history)).toBeNull();
    expect(obstacle(state({ paidUnits: 1 }), MIB, history)).toBe('PrepaymentDue');
    expect(obstacle(state({ servedBytes: MIB }), MIB, history)).toBe('PaymentOverdue');
    expect(obstacle(state(), MIB, { ...history, lostUnits: 7 })).toBe('PaymentOverdue');
    // A unit that is paid first would not be served either.
    expect(obstacle(state(), MIB, { ...history, unpaidUnits: 9 })).toBe('PaymentOverdue');
  });
  it('serves to the last unit of the capacity', () => {
    expect(obstacle(state({ paidUnits: 99 }))).toBeNull();
    expect(obstacle(state({ paidUnits: 100 }), 1)).toBe('ChannelExhausted');
  });
  it('serves until the expiry', () => {
    expect(obstacle(state(), MIB, STRANGER, NOW_MS + 999)).toBeNull();
    expect(obstacle(state(), MIB, STRANGER, NOW_MS + 1_000)).toBe('ChannelExpired');
  });
  it('serves nothing on a closed channel', () => {
    expect(obstacle(state({ status: 'closing' }))).toBe('ChannelClosed');
  });
});

describe('acceptTick', () => {
  it('books the next tick and the last one of the window', () => {
    expect(take(state({ paidUnits: 3 }), 4)).toMatchObject({ paidUnits: 4, tick: chain.tick(4) });
    expect(take(state({ paidUnits: 3 }), 7).paidUnits).toBe(7);
    expectAceError('TickBeyondWindow', () => take(state({ paidUnits: 3 }), 8));
  });
  it('takes the last tick of the capacity and none past it', () => {
    expect(take(state({ paidUnits: 99 }), 100).paidUnits).toBe(100);
    expectAceError('TickBeyondCapacity', () => take(state({ paidUnits: 99 }), 101, chain.tick(100)));
  });
  it('ignores a tick that does not increase', () => {
    for (const index of [3, 2, 0]) {
      expect(expectAceError('TickNotIncreasing', () => take(state({ paidUnits: 3 }), index)).reaction).toBe(
        'ignore',
      );
    }
  });
  it('refuses a tick of another chain or index', () => {
    expectAceError('TickWrong', () => take(state(), 1, chain.tick(2)));
    expectAceError('TickWrong', () => take(state(), 1, new Uint8Array(32)));
    expectAceError('TickWrong', () => take(state(), 1, new Uint8Array(0)));
  });
  it('hashes nothing for an index out of bounds', () => {
    const never = () => {
      throw new Error('hashed');
    };
    const unhashed = { history: STRANGER, windowCapUnits: 8, sha256: never };
    expectAceError('TickBeyondCapacity', () =>
      acceptTick(state(), { index: 2 ** 40, tick: chain.tick(1) }, unhashed),
    );
    expectAceError('TickBeyondWindow', () =>
      acceptTick(state(), { index: 90, tick: chain.tick(90) }, unhashed),
    );
  });
  it('takes nothing on a closed channel', () => {
    expectAceError('ChannelClosed', () => take(state({ status: 'closing' }), 1));
  });
  it.each(['claimed', 'settled'] as const)(
    'takes a right tick that comes late on a channel which the shard has ended (%s)',
    (status) => {
      expect(take(state({ status }), 1)).toMatchObject({ paidUnits: 1, status });
      expectAceError('TickWrong', () => take(state({ status }), 1, new Uint8Array(32)));
    },
  );
});

describe('isTickDue', () => {
  const AT_MS = 1_000_000;
  const due = (status: PayeeState['status'], closed: boolean, lateMs: number) =>
    isTickDue({ status, expiresAtMs: AT_MS }, closed, AT_MS + lateMs);

  it.each(['open', 'paused', 'expired'] as const)(
    'on a channel that is %s until a claim comes too late',
    (s) => {
      expect(due(s, false, TICK_GRACE_MS - 1)).toBe(true);
      expect(due(s, false, TICK_GRACE_MS)).toBe(false);
    },
  );

  it.each(['claimed', 'settled', 'disputed'] as const)(
    'on one that the shard ended before its time (%s)',
    (s) => {
      expect(due(s, false, -1)).toBe(true);
      expect(due(s, false, 0)).toBe(false);
      expect(due(s, true, -1)).toBe(false);
    },
  );
});

describe('acceptCheckpoint', () => {
  const at5 = state({ paidUnits: 5, checkpointNumber: 2, servedBytes: 5 * MIB });
  const checkpoint = (fields: Partial<Checkpoint> = {}): Checkpoint => ({
    channelId: at5.channelId,
    number: 3,
    units: 5,
    bytes: 5 * MIB,
    videoBytes: 0,
    watchMs: 0,
    final: false,
    tick: chain.tick(5),
    ...fields,
  });

  it('takes what the books say, and closes the channel with the final one', () => {
    expect(acceptCheckpoint(at5, checkpoint())).toMatchObject({
      checkpointNumber: 3,
      checkpointUnits: 5,
      status: 'open',
      pausedBy: null,
    });
    expect(acceptCheckpoint(at5, checkpoint({ final: true })).status).toBe('closing');
  });
  it('ignores an older number and drops the payer of a second one', () => {
    const reaction = (number: number) =>
      expectAceError('CheckpointNotIncreasing', () => acceptCheckpoint(at5, checkpoint({ number }))).reaction;
    expect(reaction(1)).toBe('ignore');
    expect(reaction(2)).toBe('drop-peer');
  });
  it.each<[string, Partial<Checkpoint>]>([
    ['fewer units than paid', { units: 4 }],
    ['more units than paid', { units: 6 }],
    ['another tick', { tick: chain.tick(4) }],
    ['more bytes than were served', { bytes: 5 * MIB + 1 }],
  ])('refuses %s', (_what, fields) => {
    expectAceError('CheckpointMismatch', () => acceptCheckpoint(at5, checkpoint(fields)));
  });
  it('refuses bytes that its units do not pay', () => {
    const ahead = serve(at5, MIB);
    expect(acceptCheckpoint(ahead, checkpoint()).checkpointNumber).toBe(3);
    expectAceError('CheckpointMismatch', () => acceptCheckpoint(ahead, checkpoint({ bytes: 5 * MIB + 1 })));
  });
  it('refuses another channel’s, and any on a closed channel', () => {
    expectAceError('ChannelMismatch', () =>
      acceptCheckpoint(at5, checkpoint({ channelId: new Uint8Array(32) })),
    );
    expectAceError('ChannelClosed', () => acceptCheckpoint({ ...at5, status: 'closing' }, checkpoint()));
  });
});
