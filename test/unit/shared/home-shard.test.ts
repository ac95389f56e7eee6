import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../main/util/sha256.ts';
import { homeShard } from '../../../shared/home-shard.ts';
import { testAddress } from '../../helpers/chain.ts';

describe('homeShard', () => {
  it('is the number that the first 6 bytes of the address’s SHA-256 make, modulo the shards', () => {
    const address = testAddress(7);
    const first = createHash('sha256').update(address).digest().readUIntBE(0, 6);
    for (const shards of [2, 3, 7, 1_024]) expect(homeShard(address, shards, sha256)).toBe(first % shards);
  });

  it('stays what it is: accounts must not move', () => {
    const homes = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => homeShard(testAddress(n), 3, sha256));
    expect(homes).toEqual([2, 1, 1, 1, 1, 0, 0, 1]);
  });

  it('is 0 on a network of one shard', () => {
    for (let n = 1; n <= 20; n++) expect(homeShard(testAddress(n), 1, sha256)).toBe(0);
  });

  it('spreads accounts evenly', () => {
    const counts = new Array<number>(4).fill(0);
    for (let n = 0; n < 4_000; n++) {
      const home = homeShard(testAddress(n), 4, sha256);
      counts[home] = (counts[home] ?? 0) + 1;
    }
    // 1,000 each; 5 standard deviations are 137.
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(137);
  });
});
