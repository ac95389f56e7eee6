import { describe, expect, it } from 'vitest';
import {
  advance,
  allows,
  type ChannelEvent,
  type ChannelStatus,
  eventOfProgress,
  mayClaim,
  mayCountersign,
  mayPay,
  mayServe,
  mayTakeTick,
  OPENING,
  resumed,
  transition,
} from '../../../../shared/channel/lifecycle.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

/** What happens, in short: the first letters of the state that each event leads to; `.` where it cannot happen. */
const TABLE: Record<ChannelStatus, string> = {
  opening: 'o.......e..',
  open: '.pp.ccs.e.d',
  paused: '.ppoccs.e.d',
  closing: '.....cs..ed',
  claimed: '......sc...',
  settled: '...........',
  expired: '....ccs...d',
  disputed: '.....cs....',
};
const EVENTS: readonly ChannelEvent[] = [
  'leased',
  'payment-overdue',
  'store-failed',
  'resumed',
  'closed',
  'claimed',
  'settled',
  'unclaimed',
  'expired',
  'grace-over',
  'disputed',
];
const STATUSES = Object.keys(TABLE) as ChannelStatus[];

describe('transition', () => {
  it.each(STATUSES)('from %s leads where the table says, and nowhere else', (status) => {
    const row = EVENTS.map((event) => (allows(status, event) ? transition(status, event)[0] : '.'));
    expect(row.join('')).toBe(TABLE[status]);
  });
  it('refuses by name what cannot happen', () => {
    const error = expectAceError('ChannelStateWrong', () => transition('settled', 'disputed'));
    expect(error.details).toEqual({ status: 'settled', event: 'disputed' });
  });
  it('reaches every state from the first', () => {
    const reached = new Set<ChannelStatus>([OPENING.status]);
    for (const status of reached) {
      for (const event of EVENTS) if (allows(status, event)) reached.add(transition(status, event));
    }
    expect([...reached].toSorted()).toEqual(STATUSES.toSorted());
  });
});

describe('a pause', () => {
  const open = advance({ ...OPENING, paidUnits: 3 }, 'leased');
  const paused = advance(open, 'payment-overdue');
  it('keeps its reason and the books', () => {
    expect(paused).toEqual({ status: 'paused', pausedBy: 'payment-overdue', paidUnits: 3 });
  });
  it('ends when its own reason is gone, and not with another', () => {
    expect(resumed(paused, 'payment-overdue')).toEqual(open);
    expect(resumed(paused, 'store-failed')).toEqual(paused);
    expect(resumed(open, 'store-failed')).toEqual(open);
  });
  it('is forgotten when the channel ends', () => {
    expect(advance(paused, 'closed')).toEqual({ status: 'closing', pausedBy: null, paidUnits: 3 });
  });
});

describe('what is allowed', () => {
  it.each<[string, (status: ChannelStatus) => boolean, ChannelStatus[]]>([
    ['serving', mayServe, ['open']],
    ['paying', mayPay, ['open']],
    ['countersigning', mayCountersign, ['open', 'paused', 'expired']],
    ['taking a tick', mayTakeTick, ['open', 'paused', 'expired', 'disputed', 'claimed', 'settled']],
    ['claiming', mayClaim, ['open', 'paused', 'closing', 'expired', 'disputed']],
  ])('%s', (_what, may, statuses) => {
    expect(STATUSES.filter(may).toSorted()).toEqual(statuses.toSorted());
  });
});

describe('eventOfProgress', () => {
  const word = { claimedUnits: 5, appliedUnits: 0, released: true };
  it('is nothing while the lease is not released, or proof of a unit is missing', () => {
    expect(eventOfProgress('closing', { ...word, released: false }, 5)).toBeNull();
    expect(eventOfProgress('closing', word, 6)).toBeNull();
  });
  it('is claimed once all is proven and the rest released', () => {
    expect(eventOfProgress('closing', word, 5)).toBe('claimed');
    expect(eventOfProgress('closing', { ...word, appliedUnits: 4 }, 5)).toBe('claimed');
  });
  it('is settled once the main chain has answered for all of it', () => {
    expect(eventOfProgress('claimed', { ...word, appliedUnits: 5 }, 5)).toBe('settled');
    expect(eventOfProgress('closing', { claimedUnits: 0, appliedUnits: 0, released: true }, 0)).toBe(
      'settled',
    );
  });
  it('is unclaimed when the shard has forgotten the release', () => {
    expect(eventOfProgress('claimed', { ...word, released: false }, 5)).toBe('unclaimed');
    expect(eventOfProgress('claimed', word, 6)).toBeNull();
    expect(eventOfProgress('settled', { ...word, released: false }, 5)).toBeNull();
  });
  it('is nothing that the state does not allow', () => {
    expect(eventOfProgress('claimed', word, 5)).toBeNull();
    expect(eventOfProgress('settled', { ...word, appliedUnits: 5 }, 5)).toBeNull();
    expect(eventOfProgress('opening', word, 5)).toBeNull();
  });
});
