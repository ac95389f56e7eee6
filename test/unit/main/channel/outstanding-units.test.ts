import { describe, expect, it } from 'vitest';
import { OutstandingUnits } from '../../../../main/channel/outstanding-units.ts';

const HOUR_MS = 3_600_000;
let nowMs = 0;

function units() {
  nowMs = 1_000;
  return new OutstandingUnits({ perGroupUnits: 2, inAllUnits: 3, windowMs: HOUR_MS }, () => nowMs);
}

describe('units that accounts have had and not paid', () => {
  it('are bounded for each group of addresses', () => {
    const outstanding = units();
    outstanding.set('a', 'group', 1);
    expect(outstanding.allows('b', 'group', 1)).toBe(true);
    outstanding.set('b', 'group', 1);
    expect(outstanding.allows('c', 'group', 1)).toBe(false);
    expect(outstanding.allows('c', 'other', 1)).toBe(true);
  });

  it('are bounded in all', () => {
    const outstanding = units();
    for (const n of [1, 2, 3]) outstanding.set(`account ${n}`, `group ${n}`, 1);
    expect(outstanding.allows('new', 'new', 1)).toBe(false);
  });

  it('make room at once when they are paid', () => {
    const outstanding = units();
    outstanding.set('a', 'group', 2);
    expect(outstanding.allows('b', 'group', 1)).toBe(false);
    outstanding.set('a', 'group', 1);
    expect(outstanding.allows('b', 'group', 1)).toBe(true);
    expect(outstanding.allows('b', 'group', 2)).toBe(false);
  });

  it('count of an account what it has, not what it has and once more', () => {
    const outstanding = units();
    outstanding.set('a', 'group', 2);
    expect(outstanding.allows('a', 'group', 2)).toBe(true);
    expect(outstanding.allows('a', 'group', 3)).toBe(false);
  });

  it('count where the account came from first, wherever it goes on', () => {
    const outstanding = units();
    outstanding.set('a', 'first', 1);
    outstanding.set('a', 'second', 2);
    expect(outstanding.allows('b', 'first', 1)).toBe(false);
    expect(outstanding.allows('b', 'second', 1)).toBe(true);
  });

  it('are forgotten when the window has passed since they grew', () => {
    const outstanding = units();
    outstanding.set('a', 'group', 2);
    nowMs += HOUR_MS - 1;
    outstanding.set('a', 'group', 1);
    outstanding.set('b', 'group', 1);
    expect(outstanding.allows('c', 'group', 1)).toBe(false);
    nowMs += 1;
    expect(outstanding.allows('c', 'group', 1)).toBe(true);
    expect(outstanding.allows('c', 'group', 2)).toBe(false);
  });
});
