import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { addressGroup } from '../../../../main/pieces/address-group.ts';

const PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
const groupOf = (text: string, isDevnet = false) => addressGroup(multiaddr(text), isDevnet);

describe('addresses that count as one', () => {
  it('are those of one IPv4 network of 256', () => {
    expect(groupOf('/ip4/203.0.113.7/tcp/4001')).toBe(groupOf('/ip4/203.0.113.99/tcp/1'));
    expect(groupOf('/ip4/203.0.113.7/tcp/4001')).not.toBe(groupOf('/ip4/203.0.114.7/tcp/4001'));
  });

  it('are those of one IPv6 site, however they are written', () => {
    expect(groupOf('/ip6/2001:db8:1::1/tcp/1')).toBe(groupOf('/ip6/2001:db8:1:ffff::9/tcp/1'));
    expect(groupOf('/ip6/2001:db8::1/tcp/1')).toBe(groupOf('/ip6/2001:db8:0:5::1/tcp/1'));
    expect(groupOf('/ip6/2001:db8:1::1/tcp/1')).not.toBe(groupOf('/ip6/2001:db8:2::1/tcp/1'));
  });

  it('are all that come by way of a relay', () => {
    const relayed = (ip: string) => groupOf(`/ip4/${ip}/tcp/1/p2p/${PEER}/p2p-circuit/p2p/${PEER}`);
    expect(relayed('203.0.113.7')).toBe(relayed('198.51.100.1'));
    expect(relayed('203.0.113.7')).not.toBe(groupOf('/ip4/203.0.113.7/tcp/1'));
  });

  it('are none on the machine itself, on a devnet alone', () => {
    expect(groupOf('/ip4/127.0.0.1/tcp/1', true)).toBeNull();
    expect(groupOf('/ip6/::1/tcp/1', true)).toBeNull();
    expect(groupOf('/ip4/127.0.0.1/tcp/1')).toBe('127.0.0.0/24');
    expect(groupOf('/ip4/192.168.1.5/tcp/1', true)).toBe('192.168.1.0/24');
  });
});
