import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AccountPicture } from '../../../../main/account/account-sync.ts';
import { NetworkClock } from '../../../../main/account/network-clock.ts';
import { openNodeStore } from '../../../../main/db/node/store.ts';
import { CLOCK_LIMITS } from '../../../../main/peer/limits.ts';
import { createLog } from '../../../../main/process/log.ts';
import { AutoTopUp, type AutoTopUpContext } from '../../../../main/service/auto-top-up.ts';
import type { UnaskedDeposit } from '../../../../main/service/operations.ts';
import { parseAmount } from '../../../../shared/economy/money.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import { AceError } from '../../../../shared/errors.ts';
import { type Limits, limitSchemas, NO_LIMITS } from '../../../../shared/limits.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait.ts';

const RULE = { belowXat: '1', depositXat: '2', mostPerDayXat: '4', mostPerMonthXat: '6' };
const NOON_MS = new Date(2026, 10, 20, 12, 0).getTime();
const DAY_MS = 86_400_000;

/** The account at its shard, which books a deposit, refuses it, or books it and says nothing. */
function world() {
  const path = join(tempDir(), 'node.db');
  const store = openNodeStore(path);
  onTestFinished(() => store.close());
  const account = { main: parseAmount('100') as bigint, services: 0n, nonce: 7 };
  const shard: { answers: 'booked' | 'refused' | 'lost' | 'booked, and lost' | 'never'; asked: number } = {
    answers: 'booked',
    asked: 0,
  };
  const now = { ms: NOON_MS, uptimeMs: 0, opened: true };
  /** Time passes: of `ms` alone, the clock was set. */
  const pass = (ms: number) => {
    now.ms += ms;
    now.uptimeMs += ms;
  };
  const limits: { limits: Limits } = { limits: { ...NO_LIMITS, autoTopUp: RULE } };
  const warned: string[] = [];
  const log = createLog(null);
  const clock = new NetworkClock({
    clocks: { wallMs: () => now.ms, uptimeMs: () => now.uptimeMs },
    limits: CLOCK_LIMITS,
    ask: () => Promise.reject(new AceError('ShardUnavailable', 'away')),
    log,
  });
  clock.receive({ timeMs: NOON_MS });
  Object.assign(log, { warn: (...words: unknown[]) => warned.push(String(words.at(-1))) });
  const picture = () =>
    ({
      account: {
        main: { XAT: account.main, XAC: 0n, XAS: 0n, XAB: 0n },
        services: { XAT: account.services, XAC: 0n, XAS: 0n },
        nonce: account.nonce,
      },
      market: { xacPerXat: ratio(1, 2) },
    }) as unknown as AccountPicture;
  const sync = Object.defineProperty(new EventEmitter(), 'picture', { get: picture });
  const depositUnasked = async ({ amountXat, onSigned }: UnaskedDeposit) => {
    const moved = amountXat(picture());
    if (moved === null) return null;
    const { nonce } = account;
    onSigned({ nonce, hash: new Uint8Array(32).fill(nonce), amountXat: moved });
    shard.asked += 1;
    if (shard.answers === 'never') await new Promise(() => undefined);
    if (shard.answers === 'refused') throw new AceError('WrongNonce', 'another one was booked');
    if (shard.answers === 'lost') throw new AceError('RequestTimeout', 'no answer');
    account.main -= moved;
    account.services += moved;
    account.nonce += 1;
    if (shard.answers === 'booked, and lost') throw new AceError('RequestTimeout', 'no answer');
    return { height: nonce } as never;
  };
  const context = {
    peer: {
      account: { address: '', canSign: () => now.opened, signTypedData: () => Promise.reject() },
      clock,
      events: { changed: () => undefined },
      limits,
      store,
      sync,
    },
    operations: { depositUnasked },
    nowMs: () => now.ms,
    log,
  } as unknown as AutoTopUpContext;
  const start = () => {
    const topUp = new AutoTopUp(context);
    if (shard.answers !== 'never') onTestFinished(() => topUp.close());
    return topUp;
  };
  const rest = () => new Promise((resolve) => setImmediate(resolve));
  /** Looks as often as something may come of it. */
  const settle = async (topUp: AutoTopUp) => {
    for (let i = 0; i < 5; i++) {
      topUp.look();
      await rest();
    }
    return topUp.view();
  };
  return { account, shard, now, pass, limits, warned, store, start, settle };
}

describe('the automatic top-up', () => {
  it('is off without a rule, and moves what the rule says once it is time', async () => {
    const { account, limits, shard, start, settle, store } = world();
    limits.limits = NO_LIMITS;
    const topUp = start();
    expect((await settle(topUp)).state).toBe('off');
    expect(shard.asked).toBe(0);
    limits.limits = { ...NO_LIMITS, autoTopUp: RULE };
    const view = await settle(topUp);
    expect(account).toEqual({ main: parseAmount('98'), services: parseAmount('2'), nonce: 8 });
    expect(view).toMatchObject({ state: 'watching', dayXat: '2.0000000', last: { atMs: NOON_MS } });
    expect(store.autoTopUps.get(7)?.state).toBe('booked');
  });

  it('stops loudly, and once, at what a day and a month may move', async () => {
    const { account, pass, shard, warned, start, settle } = world();
    const topUp = start();
    const spend = async () => {
      account.services = 0n;
      return settle(topUp);
    };
    await spend();
    await spend();
    expect((await spend()).state).toBe('day-used');
    expect(shard.asked).toBe(2);
    pass(DAY_MS);
    expect((await spend()).state).toBe('watching');
    expect((await spend()).state).toBe('month-used');
    expect(shard.asked).toBe(3);
    expect(warned.filter((words) => words.includes('allows a'))).toHaveLength(2);
  });

  it('gets no second day from a clock that is set back, and none from one that is wrong', async () => {
    const { account, now, shard, start, settle } = world();
    const topUp = start();
    for (let i = 0; i < 2; i++) {
      account.services = 0n;
      await settle(topUp);
    }
    account.services = 0n;
    now.ms -= DAY_MS;
    expect((await settle(topUp)).state).toBe('day-used');
    // At once, before anybody has looked at the clock: a day, and a month, were got by each such step.
    for (const days of [2, 40, 400]) {
      now.ms = NOON_MS + days * DAY_MS;
      expect((await settle(topUp)).state).toBe('clock');
    }
    now.ms = NOON_MS;
    expect((await settle(topUp)).state).toBe('day-used');
    expect(shard.asked).toBe(2);
  });

  it('counts each in the day and the month of its moment', async () => {
    const { account, pass, shard, start, settle } = world();
    const topUp = start();
    // A minute before and after midnight: each in its day, and both in their month.
    pass(DAY_MS / 2 - 60_000);
    for (let i = 0; i < 3; i++) {
      account.services = 0n;
      await settle(topUp);
    }
    expect(shard.asked).toBe(2);
    pass(120_000);
    for (let i = 0; i < 3; i++) {
      account.services = 0n;
      await settle(topUp);
    }
    expect(shard.asked).toBe(3);
    expect(topUp.view()).toMatchObject({ dayXat: '2.0000000', monthXat: '6.0000000', state: 'month-used' });
    // The first moment of the next month.
    pass(new Date(2026, 11, 1).getTime() - new Date(2026, 10, 21, 0, 1).getTime());
    account.services = 0n;
    expect((await settle(topUp)).state).toBe('watching');
    expect(shard.asked).toBe(4);
  });

  it('moves what a cap leaves room for in whole, and never a part', async () => {
    const { account, limits, shard, start, settle } = world();
    limits.limits = { ...NO_LIMITS, autoTopUp: { ...RULE, belowXat: '100', mostPerDayXat: '5' } };
    expect((await settle(start())).state).toBe('day-used');
    expect([shard.asked, account.services]).toEqual([2, parseAmount('4')]);
  });

  it('takes no rule by which nothing, or without end, would be moved', () => {
    for (const change of [
      { depositXat: '0' },
      { belowXat: '0' },
      { mostPerDayXat: '1.9999999' },
      { mostPerMonthXat: '1.9999999' },
      { depositXat: '-1' },
      { depositXat: '1e3' },
      { depositXat: '900000000001', mostPerDayXat: '900000000001', mostPerMonthXat: '900000000001' },
    ]) {
      expect(limitSchemas.autoTopUp.safeParse({ ...RULE, ...change }).success).toBe(false);
    }
  });

  it('asks nobody: while the wallet is locked it waits, and says so', async () => {
    const { now, shard, start, settle } = world();
    now.opened = false;
    const topUp = start();
    expect((await settle(topUp)).state).toBe('locked');
    expect(shard.asked).toBe(0);
    now.opened = true;
    expect((await settle(topUp)).state).toBe('watching');
    expect(shard.asked).toBe(1);
  });

  it('says once that what is kept does not reach', async () => {
    const { account, shard, warned, start, settle } = world();
    account.main = parseAmount('1.9999999');
    const topUp = start();
    expect((await settle(topUp)).state).toBe('main-empty');
    expect((await settle(topUp)).state).toBe('main-empty');
    expect(shard.asked).toBe(0);
    expect(warned.filter((words) => words.includes('does not reach'))).toHaveLength(1);
  });

  it('never makes two at once', async () => {
    const { shard, start, settle } = world();
    shard.answers = 'never';
    await settle(start());
    expect(shard.asked).toBe(1);
  });

  it('does not repeat a deposit whose answer was lost, over a restart', async () => {
    const { account, shard, start, settle, store } = world();
    shard.answers = 'booked, and lost';
    const first = start();
    await settle(first);
    await first.close();
    expect(shard.asked).toBe(1);
    shard.answers = 'booked';
    const view = await settle(start());
    expect(shard.asked).toBe(1);
    expect(account.services).toBe(parseAmount('2'));
    // Whether it was booked is not known yet: it counts.
    expect(view.dayXat).toBe('2.0000000');
    expect(store.autoTopUps.get(7)?.state).toBe('sent');
  });

  it('signs with the same number again what was never booked, so that of both one is booked at most', async () => {
    const { account, shard, start, settle, store } = world();
    shard.answers = 'lost';
    const first = start();
    await settle(first);
    await first.close();
    expect(store.autoTopUps.get(7)?.state).toBe('sent');
    shard.answers = 'booked';
    const view = await settle(start());
    expect(account.nonce).toBe(8);
    expect(view.dayXat).toBe('2.0000000');
    expect(store.autoTopUps.get(7)?.state).toBe('booked');
  });

  it('does not count one that was refused, and counts one of before with its number', async () => {
    const { shard, start, settle, store } = world();
    shard.answers = 'refused';
    const first = start();
    expect((await settle(first)).dayXat).toBe('0.0000000');
    expect((await settle(first)).state).toBe('waiting');
    await first.close();
    store.autoTopUps.setState(7, 'sent');
    const again = start();
    await waitFor('it is refused again', async () => (await settle(again)).state === 'waiting');
    expect(store.autoTopUps.get(7)?.state).toBe('sent');
  });
});
