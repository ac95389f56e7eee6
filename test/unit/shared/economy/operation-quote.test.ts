import { expect, it } from 'vitest';
import { amount } from '../../../../shared/economy/money.ts';
import { leastReceived } from '../../../../shared/economy/operation-quote.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';

it('the least that a swap gets is rounded down, and is never nothing: the chain would take no such swap', () => {
  const least = (received: bigint, percent: bigint) => leastReceived(amount(received), ratio(percent, 100n));
  expect(least(1_000n, 1n)).toBe(990n);
  expect(least(1_001n, 1n)).toBe(990n);
  expect(least(1_001n, 0n)).toBe(1_001n);
  expect(least(2n, 50n)).toBe(1n);
  expect(least(1n, 1n)).toBe(1n);
  expect(least(1n, 50n)).toBe(1n);
});
