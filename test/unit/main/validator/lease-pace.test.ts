import { expect, it } from 'vitest';
import { LEASE_RATE } from '../../../../main/p2p/protocols/shard/constants.ts';
import { LeasePace } from '../../../../main/validator/lease-pace.ts';
import {
  ADDRESS_LEASE_RATE,
  GROUP_LEASE_RATE,
  STRANGERS_LEASE_RATE,
} from '../../../../main/validator/limits.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const at = (address: string, peerId: string) => ({ peerId, origin: { address, group: 'g' } });
const take = (pace: LeasePace, count: number, of: (i: number) => Parameters<LeasePace['take']>[0]) => {
  for (let i = 0; i < count; i++) pace.take(of(i));
};

it('gives fresh peers of one address what the address and all strangers have, and others still their first', () => {
  const pace = new LeasePace(
    (peerId) => (peerId === 'proven' ? LEASE_RATE.burst : 0),
    () => 0,
  );
  take(pace, ADDRESS_LEASE_RATE.burst + STRANGERS_LEASE_RATE.burst, (i) => at('1.1.1.1', `fresh-${i}`));
  expectAceError('TooManyRequests', () => pace.take(at('1.1.1.1', 'fresh')));
  take(pace, 20, (i) => at('2.2.2.2', `household-${i % 5}`));
  // Who paid before is at its own pace wherever it is, and an own devnet has the one address.
  take(pace, LEASE_RATE.burst, () => at('1.1.1.1', 'proven'));
  expectAceError('TooManyRequests', () => pace.take(at('1.1.1.1', 'proven')));
  take(pace, LEASE_RATE.burst, () => ({ peerId: 'on a devnet', origin: null }));
});

it('gives all strangers together no more than 43,200 leases a day beyond what their addresses have', () => {
  let nowMs = 0;
  const pace = new LeasePace(
    () => 0,
    () => nowMs,
  );
  let granted = 0;
  const addresses = 20;
  for (let i = 0; nowMs < 86_400_000; nowMs += 20_000) {
    // As many as there are until one is refused, from one address after the other.
    for (let tries = 0; tries < addresses; i++) {
      try {
        pace.take(at(`10.0.0.${i % addresses}`, `fresh-${i}`));
        granted++;
      } catch {
        tries++;
      }
    }
  }
  expect(granted).toBeLessThan(
    43_200 + STRANGERS_LEASE_RATE.burst + addresses * 2 * ADDRESS_LEASE_RATE.burst + 1,
  );
  // Rows of 1,866 bytes.
  expect(granted * 1_866).toBeLessThan(100_000_000);
});

it('gives an owner of a /48 what a network has, not 64 leases for each of its 65,536 addresses', () => {
  const pace = new LeasePace(
    () => 0,
    () => 0,
  );
  const most = GROUP_LEASE_RATE.burst + STRANGERS_LEASE_RATE.burst;
  take(pace, most, (i) => at(`2001:db8:0:${i.toString(16)}::/64`, `fresh-${i}`));
  expectAceError('TooManyRequests', () => pace.take(at('2001:db8:0:ffff::/64', 'fresh')));
  // A household elsewhere still has its first.
  pace.take({ peerId: 'elsewhere', origin: { address: '2.2.2.2', group: '2.2.2.0/24' } });
});

it('gives a peer one lease a day for each unit that was paid with it, and what a stranger has besides', () => {
  let nowMs = 0;
  const pace = new LeasePace(
    () => 10,
    () => nowMs,
  );
  const strangers = ADDRESS_LEASE_RATE.burst + STRANGERS_LEASE_RATE.burst;
  // Each of sixty at one address, until none gets another.
  const peers = Array.from({ length: 60 }, (_, i) => `paid-${i}`);
  const granted = () => {
    let count = 0;
    for (let more = true; more; ) {
      more = false;
      for (const peerId of peers) {
        try {
          pace.take(at('1.1.1.1', peerId));
        } catch (error) {
          expect(error).toMatchObject({ code: 'TooManyRequests' });
          continue;
        }
        count++;
        more = true;
      }
    }
    return count;
  };
  expect(granted()).toBe(peers.length * 10 + strangers);
  nowMs += 86_400_000;
  expect(granted()).toBe(peers.length * 10 + strangers);
});
