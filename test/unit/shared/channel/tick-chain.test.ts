import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../../main/util/sha256.ts';
import { leadsTo, PEBBLE_SPACING, TickChain, tickBefore } from '../../../../shared/channel/tick-chain.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const SEED = new Uint8Array(32).fill(7);

describe('TickChain', () => {
  it.each([1, 2, 63, 64, 65, 128, 129, 1_000])(
    'of %i units: each tick hashes to the one before',
    (capacity) => {
      const chain = TickChain.fromSeed(SEED, capacity, sha256);
      expect(Buffer.from(chain.tick(0))).toEqual(Buffer.from(chain.anchor));
      expect(Buffer.from(chain.tick(capacity))).toEqual(Buffer.from(SEED));
      for (let i = 1; i <= capacity; i++)
        expect(leadsTo(chain.tick(i), 1, chain.tick(i - 1), sha256)).toBe(true);
    },
  );

  it('of 10,240 units keeps 161 pebbles and reveals all of them with few hashes', () => {
    const whole = TickChain.fromSeed(SEED, 10_240, sha256);
    expect(whole.pebbles.byteLength).toBe((10_240 / PEBBLE_SPACING + 1) * 32);
    let hashes = 0;
    const counted = TickChain.fromPebbles(whole.pebbles, 10_240, (data) => {
      hashes += 1;
      return sha256(data);
    });
    let before: Uint8Array = counted.anchor;
    for (let i = 1; i <= 10_240; i++) {
      const tick = counted.tick(i);
      expect(leadsTo(tick, 1, before, sha256)).toBe(true);
      before = tick;
    }
    expect(hashes).toBeLessThanOrEqual(10_240 + PEBBLE_SPACING);
  });

  it('is the same out of its pebbles, in any order', () => {
    const chain = TickChain.fromSeed(SEED, 300, sha256);
    const again = TickChain.fromPebbles(chain.pebbles, 300, sha256);
    for (const i of [300, 0, 64, 63, 299, 128, 1]) {
      expect(Buffer.from(again.tick(i))).toEqual(Buffer.from(chain.tick(i)));
    }
  });

  it('has no tick past its ends', () => {
    const chain = TickChain.fromSeed(SEED, 10, sha256);
    expectAceError('ChannelExhausted', () => chain.tick(11));
    expectAceError('ChannelExhausted', () => chain.tick(-1));
  });

  it('refuses a short seed, no capacity, and pebbles of another capacity', () => {
    expectAceError('InvariantViolated', () => TickChain.fromSeed(SEED.subarray(1), 10, sha256));
    expectAceError('InvariantViolated', () => TickChain.fromSeed(SEED, 0, sha256));
    expectAceError('InvariantViolated', () =>
      TickChain.fromPebbles(TickChain.fromSeed(SEED, 64, sha256).pebbles, 65, sha256),
    );
  });
});

describe('tickBefore', () => {
  it('gives every earlier tick to whoever holds one', () => {
    const chain = TickChain.fromSeed(SEED, 100, sha256);
    expect(Buffer.from(tickBefore(chain.tick(90), 80, sha256))).toEqual(Buffer.from(chain.tick(10)));
    expect(leadsTo(chain.tick(90), 79, chain.tick(10), sha256)).toBe(false);
  });
});
