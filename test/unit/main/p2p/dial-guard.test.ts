import { networkInterfaces } from 'node:os';
import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import { advertisedAddresses } from '../../../../main/p2p/advertised-addresses.ts';
import { DialGuard } from '../../../../main/p2p/dial-guard.ts';
import { rangeOf } from '../../../../main/p2p/ip-ranges.ts';

const ID = '12D3KooWEChVMMMzV8acJ53mJHrw1pQ27UAGkCxWXLJutbeUMvVu';
const open = new DialGuard(false);
const closed = new DialGuard(true);
const allows = (guard: DialGuard, text: string) => guard.allows(multiaddr(text));

describe('dial guard', () => {
  it('dials the internet', () => {
    expect(allows(open, `/ip4/5.5.0.1/tcp/4001/p2p/${ID}`)).toBe(true);
    expect(allows(open, '/ip6/2a00::1/tcp/4001')).toBe(true);
  });

  it('dials loopback only from a host that is on loopback alone', () => {
    for (const text of ['/ip4/127.0.0.1/tcp/22', '/ip4/127.9.9.9/tcp/22', '/ip6/::1/tcp/22']) {
      expect(allows(open, text)).toBe(false);
      expect(allows(closed, text)).toBe(true);
    }
  });

  it.each([
    '/ip4/0.0.0.0/tcp/22',
    '/ip4/169.254.169.254/tcp/80',
    '/ip4/224.0.0.251/tcp/5353',
    '/ip4/255.255.255.255/tcp/1',
    '/ip6/::/tcp/22',
    '/ip6/::ffff:7f00:1/tcp/22',
    '/ip6/::ffff:127.0.0.1/tcp/22',
    '/ip6/64:ff9b::7f00:1/tcp/22',
    '/ip6/fe80::1/tcp/22',
  ])('never dials %s', (text) => {
    expect(allows(open, text)).toBe(false);
    expect(allows(closed, text)).toBe(false);
  });

  it('dials a private address only on a network of its own', () => {
    // A network that this machine is not on, whichever it is on.
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const isOn = (start: string) => own.some(({ address }) => address.startsWith(start));
    const foreign = ['10.251.', '172.29.', '192.168.'].find((start) => !isOn(start.split('.')[0] ?? ''));
    expect(allows(open, `/ip4/${foreign}${foreign?.split('.').length === 3 ? '77.1' : '1'}/tcp/80`)).toBe(
      false,
    );
    for (const { address, family, internal } of own) {
      if (internal || family !== 'IPv4' || rangeOf(address) !== 'private') continue;
      expect(allows(open, `/ip4/${address}/tcp/80`)).toBe(true);
    }
  });

  it('dials no name that a stranger told: it may mean anything', () => {
    expect(allows(open, '/dns4/router.local/tcp/80')).toBe(false);
  });

  it('looks at where a relay is, not only at who is behind it', () => {
    const behind = `/p2p/${ID}/p2p-circuit/p2p/${ID}`;
    expect(allows(open, `/ip4/5.5.0.1/tcp/4001${behind}`)).toBe(true);
    expect(allows(open, `/ip4/127.0.0.1/tcp/4001${behind}`)).toBe(false);
  });

  it('dials what the user gave, and only that place', () => {
    const guard = new DialGuard(false);
    guard.trust([
      multiaddr(`/dns4/validator.local/tcp/4001/p2p/${ID}`),
      multiaddr('/ip4/127.0.0.1/tcp/4001'),
    ]);
    expect(allows(guard, '/dns4/validator.local/tcp/4001')).toBe(true);
    expect(allows(guard, '/ip4/127.0.0.1/tcp/4001')).toBe(true);
    expect(allows(guard, '/dns4/validator.local/tcp/22')).toBe(false);
    expect(allows(guard, '/ip4/127.0.0.1/tcp/22')).toBe(false);
  });
});

describe('addresses told to others', () => {
  const told = (...texts: string[]) => advertisedAddresses(texts.map((text) => multiaddr(text))).map(String);

  it('are the best first, and neither loopback nor link-local', () => {
    const relayed = `/ip4/5.5.0.1/tcp/1/p2p/${ID}/p2p-circuit`;
    expect(
      told(
        '/ip4/127.0.0.1/tcp/1',
        '/ip4/192.168.1.5/tcp/1',
        '/ip6/fe80::1/tcp/1',
        relayed,
        '/ip4/6.6.0.1/tcp/1',
      ),
    ).toEqual(['/ip4/6.6.0.1/tcp/1', relayed, '/ip4/192.168.1.5/tcp/1']);
  });

  it('are loopback where there is nothing else', () => {
    expect(told('/ip4/127.0.0.1/tcp/1')).toEqual(['/ip4/127.0.0.1/tcp/1']);
  });

  it('are sixteen at most', () => {
    const many = Array.from({ length: 30 }, (_, i) => `/ip4/5.5.0.${i + 1}/tcp/1`);
    expect(told(...many)).toEqual(many.slice(0, 16));
  });
});
