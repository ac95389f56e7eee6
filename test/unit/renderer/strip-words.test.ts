import { beforeAll, describe, expect, it } from 'vitest';
import { creditEndsSoon } from '../../../renderer/format/credit-warning.ts';
import { lastsText } from '../../../renderer/format/run-out.ts';
import { stripWords } from '../../../renderer/format/strip-words.ts';
import type { Stop } from '../../../shared/limits.ts';
import type { NodeSnapshot } from '../../../shared/rpc/rpc.ts';
import type { WalletStateView } from '../../../shared/rpc/wallet.ts';
import { FakeService } from '../../helpers/fake-service.ts';

let snapshot: NodeSnapshot;
beforeAll(async () => {
  snapshot = await new FakeService().snapshot();
});

const open = { status: 'unlocked', running: true, failure: null } as WalletStateView;
const stop = (direction: Stop['direction'], reason: Stop['reason'], until: string | null = null): Stop => ({
  direction,
  reason,
  until,
  message: '',
});

function withStops(stops: readonly Stop[]): NodeSnapshot {
  const settings = { ...snapshot.limits.settings, dataPerDayBytes: 10 * 2 ** 30 };
  return { ...snapshot, limits: { ...snapshot.limits, settings, stops } };
}

describe('the strip', () => {
  it('is well while the node runs and its validator answers', () => {
    const words = stripWords('connected', open, snapshot);
    expect(words).toMatchObject({ working: true, figures: true, notes: [] });
    expect(words.state).toMatch(/^Connected/);
  });

  it.each([
    ['locked', null, 'Not started: locked'],
    ['none', null, 'Not started: no wallet yet'],
    ['plain', { code: 'ShardUnavailable', message: '' }, 'Not started: the network cannot be reached'],
    ['plain', { code: 'PortInUse', message: '' }, 'Not started'],
  ] as const)(
    'says why a node has not started (%s, %o), without figures of its last run',
    (status, failure, state) => {
      const words = stripWords('connected', { ...open, running: false, status, failure }, snapshot);
      expect(words).toEqual({ state, working: false, figures: false, notes: [] });
    },
  );

  it.each([
    ['no-token', 'No key to the node'],
    ['refused', 'The key to the node has changed'],
    ['lost', 'Node not reachable'],
    ['connecting', 'Connecting…'],
  ] as const)('says of a page that is %s: %s', (link, state) => {
    expect(stripWords(link, null, null)).toMatchObject({ state, working: false });
  });

  it('says that the validator is away', () => {
    const away = { ...snapshot, shard: { ...snapshot.shard, connected: false } };
    const { state, working } = stripWords('connected', open, away);
    expect([state.startsWith('No validator'), working]).toEqual([true, false]);
  });

  it('says that a wallet is locked, which stops nothing', () => {
    const words = stripWords('connected', { ...open, status: 'locked' }, snapshot);
    expect(words).toMatchObject({ working: true, notes: [{ id: 'locked', href: '#/wallet', warn: false }] });
  });

  it.each([
    [[stop('upload', 'setting')], 'Sharing stopped by you'],
    [[stop('upload', 'connections')], 'Sharing stopped: you allow no connections'],
    [[stop('upload', 'schedule', '18:00')], 'Sharing stopped until 18:00 by your schedule'],
    [[stop('download', 'schedule')], 'Fetching stopped by your schedule'],
    [
      [stop('download', 'data-per-day', '24:00'), stop('upload', 'data-per-day', '24:00')],
      'Sharing and fetching stopped until midnight: your 10.0\u00a0GB a day are used',
    ],
    [
      [stop('download', 'setting'), stop('upload', 'schedule', '18:00')],
      'Sharing stopped until 18:00 by your schedule',
    ],
  ])('says by which limit and until when it is stopped: %o', (stops, text) => {
    const words = stripWords('connected', open, withStops(stops));
    expect(words).toMatchObject({ working: false, notes: [{ id: 'stopped', text, href: '#/settings' }] });
  });

  it('says that the disk is full, by its free space or by what could not be stored', () => {
    const full = { ...snapshot, diskFreeBytes: 2 ** 20 };
    expect(stripWords('connected', open, full).notes).toMatchObject([{ id: 'disk', warn: true }]);
    expect(stripWords('connected', open, { ...snapshot, diskFreeBytes: null }).notes).toEqual([]);
    const transfer = { state: 'paused', reason: { code: 'StoreFailed', message: '' } };
    const broken = { ...snapshot, transfers: [transfer] } as unknown as NodeSnapshot;
    expect(stripWords('connected', open, broken).notes).toMatchObject([{ id: 'disk' }]);
  });

  it.each([
    ['day-used', 'Automatic top-up stopped until midnight'],
    ['month-used', 'Automatic top-up stopped until next month'],
    ['main-empty', 'Automatic top-up stopped: too little kept'],
    ['locked', 'Automatic top-up waits: unlock the wallet'],
  ] as const)('says loudly that the automatic top-up stands still: %s', (state, text) => {
    const stopped = { ...snapshot, autoTopUp: { ...snapshot.autoTopUp, state } };
    expect(stripWords('connected', open, stopped)).toMatchObject({
      working: false,
      notes: [{ id: 'top-up', text, href: '#/wallet', warn: true }],
    });
  });

  it('says from 80 % on how much of what may be spent is used, and that it is used up', () => {
    const spending = (dayXac: string, stops: readonly Stop[] = []) => {
      const spent = { ...snapshot.limits.spent, dayXac };
      const settings = { ...snapshot.limits.settings, spendPerDayXac: '1' };
      return { ...snapshot, limits: { ...snapshot.limits, settings, spent, stops } };
    };
    expect(stripWords('connected', open, spending('0.7999999')).notes).toEqual([]);
    expect(stripWords('connected', open, spending('0.8')).notes).toMatchObject([
      { id: 'spending', text: '80% of the day’s spending used', warn: false },
    ]);
    const stopped = spending('1', [stop('download', 'spend-per-day', '24:00')]);
    expect(stripWords('connected', open, stopped).notes).toMatchObject([
      {
        id: 'stopped',
        warn: true,
        text: 'Fetching stopped until midnight: your 1.0000\u00a0XAC a day are spent',
      },
    ]);
  });

  it('says before the credit ends that it does', () => {
    const holdings = { ...snapshot.holdings, services: { XAC: '0', XAT: '0', XAS: '0' } };
    const low = { ...snapshot, holdings, credit: { ...snapshot.credit, usedUnits: 10_000, loans: [] } };
    expect(stripWords('connected', open, low).notes).toMatchObject([{ id: 'credit', href: '#/credit' }]);
  });

  it('says whose clock is wrong', () => {
    const ahead = { ...snapshot, clock: { aheadMs: 300_000, stops: true } };
    expect(stripWords('connected', open, ahead).notes[0]?.text).toContain('5\u00a0min ahead');
    const jumped = { ...snapshot, shard: { ...snapshot.shard, clockJumped: true } };
    expect(stripWords('connected', open, jumped).notes[0]?.text).toContain('validator’s clock');
  });
});

describe('credit that ends soon', () => {
  let price: NodeSnapshot['price'];
  beforeAll(() => {
    const exact = { xacPerUnit: '3125/32', xatPerUnit: '3125/32', xacPerXat: '1/1' };
    if (snapshot.price) price = { ...snapshot.price, exact: { ...snapshot.price.exact, ...exact } };
  });
  const noFunds = { XAT: '0.0000000', XAC: '0.0000000', XAS: '0.0000000' };
  const pending = { earnedUnits: 0, earnedXac: '0.0000000', owedUnits: 0, owedXac: '0.0000000' } as const;
  const credit = (usedUnits: number, services = noFunds) =>
    ({
      ...snapshot,
      price,
      holdings: { ...snapshot.holdings, services },
      pending,
      credit: { limitUnits: 100, usedUnits, reservedUnits: 0, loans: [] },
    }) as unknown as NodeSnapshot;

  it('is warned of at a fifth, and no more once it is used up', () => {
    expect(creditEndsSoon(credit(79))).toBeNull();
    expect(creditEndsSoon(credit(80))?.creditUnits).toBe(20);
    expect(creditEndsSoon(credit(99))?.creditUnits).toBe(1);
    expect(creditEndsSoon(credit(100))).toBeNull();
  });

  it('is no matter while there are funds and nothing is owed', () => {
    expect(creditEndsSoon(credit(0, { ...noFunds, XAT: '1.0000000' }))).toBeNull();
  });
});

describe('how long it lasts', () => {
  it.each([
    [59_999, 'Less than a minute'],
    [25 * 60_000, 'About 25\u00a0min'],
    [Number.POSITIVE_INFINITY, 'For years'],
  ])('%i ms: %s', (spanMs, text) => {
    expect(lastsText(spanMs)).toBe(text);
  });
});
