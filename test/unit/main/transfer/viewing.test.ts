import { beforeEach, describe, expect, it } from 'vitest';
import { Viewing, WatchLedger } from '../../../../main/transfer/viewing.ts';

let nowMs = 0;
let viewing: Viewing;
let ledger: WatchLedger;
/** Each byte plays for 10 ms. */
const take = (start: number, end: number) => viewing.take(start, end, 10, ledger);

beforeEach(() => {
  nowMs = 1_000;
  viewing = new Viewing(() => nowMs);
  ledger = new WatchLedger();
});

describe('Viewing', () => {
  it('watches what was taken as time passes', () => {
    take(0, 100);
    expect(ledger.unreportedMs).toBe(0);
    nowMs += 999;
    expect([ledger.unreportedMs, viewing.running]).toEqual([999, true]);
    nowMs += 1;
    expect([ledger.unreportedMs, viewing.running]).toEqual([1_000, false]);
  });

  it('watches nothing while nothing is ahead', () => {
    nowMs += 5_000;
    take(0, 100);
    nowMs += 60_000;
    take(100, 110);
    expect(ledger.unreportedMs).toBe(1_000);
    nowMs += 60_000;
    expect(ledger.unreportedMs).toBe(1_100);
  });

  it('reports each millisecond once, and keeps the parts of one', () => {
    take(0, 100);
    nowMs += 300.6;
    expect([ledger.report(), ledger.report()]).toEqual([300, 0]);
    nowMs += 0.4;
    expect(ledger.report()).toBe(1);
  });

  it.each([
    ['the same again', 0, 100, 0],
    ['a part of it', 40, 60, 0],
    ['what reaches over its end', 90, 120, 200],
    ['what it ends at', 100, 120, 200],
    ['what lies apart', 200, 210, 100],
    ['what holds all of it', 0, 300, 2_000],
  ])('counts %s only as far as it is new', (_what, start, end, newMs) => {
    take(0, 100);
    take(start, end);
    nowMs += 60_000;
    expect(ledger.unreportedMs).toBe(1_000 + newMs);
  });

  it('counts what closes a gap once', () => {
    take(0, 100);
    take(200, 300);
    take(50, 250);
    take(0, 300);
    nowMs += 60_000;
    expect(ledger.unreportedMs).toBe(3_000);
  });

  it('stands still while the clock goes back', () => {
    take(0, 100);
    nowMs -= 500;
    expect(ledger.unreportedMs).toBe(0);
    nowMs += 200;
    expect(ledger.unreportedMs).toBe(200);
  });

  it('gives the time of each stretch to the provider that brought it, in the order of taking', () => {
    const other = new WatchLedger();
    viewing.take(0, 100, 10, ledger);
    viewing.take(100, 150, 10, other);
    viewing.take(150, 160, 10, ledger);
    nowMs += 1_200;
    expect([ledger.unreportedMs, other.unreportedMs]).toEqual([1_000, 200]);
    nowMs += 10_000;
    expect([ledger.report(), other.report()]).toEqual([1_100, 500]);
    expect([ledger.running, other.running, viewing.running]).toEqual([false, false, false]);
  });

  it('lets the time of what nobody brought pass, and reports it nowhere', () => {
    viewing.take(0, 100, 10, null);
    viewing.take(100, 200, 10, ledger);
    nowMs += 1_500;
    expect(ledger.unreportedMs).toBe(500);
  });

  it('adds nothing after its end, and keeps what was watched by then', () => {
    take(0, 100);
    nowMs += 400;
    viewing.end();
    nowMs += 60_000;
    expect([ledger.unreportedMs, ledger.running, viewing.running]).toEqual([400, false, false]);
  });

  it('says whose stretch is still to be watched', () => {
    const other = new WatchLedger();
    viewing.take(0, 100, 10, ledger);
    viewing.take(100, 200, 10, other);
    nowMs += 1_000;
    expect([viewing.awaits(ledger), viewing.awaits(other)]).toEqual([false, true]);
  });

  it('adds what one provider brought of several contents at once to one ledger', () => {
    const second = new Viewing(() => nowMs);
    take(0, 100);
    second.take(0, 100, 10, ledger);
    nowMs += 700;
    expect(ledger.report()).toBe(1_400);
  });
});
