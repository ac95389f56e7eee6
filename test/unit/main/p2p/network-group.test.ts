import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { networkGroupOf, originOf } from '../../../../main/p2p/network-group.ts';

describe('the network group of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.0/24'],
    ['203.0.113.255', '203.0.113.0/24'],
    ['203.0.114.7', '203.0.114.0/24'],
    ['2001:db8:1:2::7', '2001:db8:1::/48'],
    ['2001:0db8:0001:ffff::', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['no address', 'unknown'],
  ])('of %s is %s', (ip, group) => {
    expect(networkGroupOf(ip)).toBe(group);
  });

  it('is that of IPv4 where a socket gives it inside IPv6', () => {
    const origin = originOf(multiaddr('/ip6/::ffff:203.0.113.7/tcp/1'));
    expect(origin.group).toBe('203.0.113.0/24');
  });

  it('of a peer by way of a relay is the relay’s', () => {
    expect(originOf(multiaddr('/ip4/203.0.113.7/tcp/1/p2p-circuit')).address).toBe('203.0.113.7');
  });
});
