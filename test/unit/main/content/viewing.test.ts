import { beforeEach, describe, expect, it } from 'vitest';
import { Viewing } from '../../../../main/content/viewing.ts';

let nowMs = 0;
let viewing: Viewing;
/** Each byte plays for 10 ms. */
const take = (start: number, end: number) => viewing.take(start, end, 10);

beforeEach(() => {
  nowMs = 1_000;
  viewing = new Viewing(() => nowMs);
});

describe('Viewing', () => {
  it('watches what was taken as time passes', () => {
    take(0, 100);
    expect(viewing.unreportedMs).toBe(0);
    nowMs += 999;
    expect([viewing.unreportedMs, viewing.running]).toEqual([999, true]);
    nowMs += 1;
    expect([viewing.unreportedMs, viewing.running]).toEqual([1_000, false]);
  });

  it('watches nothing while nothing is ahead', () => {
    nowMs += 5_000;
    take(0, 100);
    nowMs += 60_000;
    take(100, 110);
    expect(viewing.unreportedMs).toBe(1_000);
    nowMs += 60_000;
    expect(viewing.unreportedMs).toBe(1_100);
  });

  it('reports each millisecond once, and keeps the parts of one', () => {
    take(0, 100);
    nowMs += 300.6;
    expect([viewing.report(), viewing.report()]).toEqual([300, 0]);
    nowMs += 0.4;
    expect(viewing.report()).toBe(1);
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
    expect(viewing.unreportedMs).toBe(1_000 + newMs);
  });

  it('counts what closes a gap once', () => {
    take(0, 100);
    take(200, 300);
    take(50, 250);
    take(0, 300);
    nowMs += 60_000;
    expect(viewing.unreportedMs).toBe(3_000);
  });

  it('stands still while the clock goes back', () => {
    take(0, 100);
    nowMs -= 500;
    expect(viewing.unreportedMs).toBe(0);
    nowMs += 200;
    expect(viewing.unreportedMs).toBe(200);
  });
});
