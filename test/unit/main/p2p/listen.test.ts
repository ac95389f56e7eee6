import { multiaddr } from '@multiformats/multiaddr';
import { describe, expect, it } from 'vitest';
import {
  anyPort,
  defaultListen,
  LOOPBACK_ONLY,
  listenMultiaddrs,
  onLoopbackOnly,
  scopeOf,
  splitListen,
} from '../../../../main/p2p/listen.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const ID = '12D3KooWEChVMMMzV8acJ53mJHrw1pQ27UAGkCxWXLJutbeUMvVu';

describe('listen addresses', () => {
  it('gives an IP address the port, and takes a multiaddr as it is', () => {
    expect(listenMultiaddrs(['0.0.0.0', '::', '192.168.1.5', '/ip4/10.0.0.1/tcp/4001'], 4_000)).toEqual([
      '/ip4/0.0.0.0/tcp/4000',
      '/ip6/::/tcp/4000',
      '/ip4/192.168.1.5/tcp/4000',
      '/ip4/10.0.0.1/tcp/4001',
    ]);
  });

  it('lists none twice', () => {
    expect(listenMultiaddrs(['0.0.0.0', '/ip4/0.0.0.0/tcp/0'], 0)).toEqual(['/ip4/0.0.0.0/tcp/0']);
  });

  it.each([
    '',
    'localhost',
    '256.1.1.1',
    '1.2.3.4:80',
    'fe80::1%eth0',
    '/ip4/0.0.0.0',
    '/ip4/0.0.0.0/udp/1',
    '/ip4/0.0.0.0/tcp/70000',
    `/ip4/0.0.0.0/tcp/1/p2p/${ID}`,
    '/dns4/example.org/tcp/1',
  ])('refuses "%s" and says what to give', (text) => {
    expectAceError('InvalidInput', () => listenMultiaddrs([text], 0));
  });

  it('refuses none at all, and more than sixteen', () => {
    expectAceError('InvalidInput', () => listenMultiaddrs([], 0));
    const many = Array.from({ length: 17 }, (_, i) => `10.0.0.${i + 1}`);
    expect(listenMultiaddrs(many.slice(1), 0)).toHaveLength(16);
    expectAceError('InvalidInput', () => listenMultiaddrs(many, 0));
  });

  it('splits at commas', () => {
    expect(splitListen('0.0.0.0, ::')).toEqual(['0.0.0.0', '::']);
  });

  it('takes any port where several peers share a process', () => {
    expect(anyPort(['10.0.0.1', '/ip4/10.0.0.2/tcp/4001'])).toEqual([
      '/ip4/10.0.0.1/tcp/0',
      '/ip4/10.0.0.2/tcp/0',
    ]);
  });

  it('knows loopback from the rest', () => {
    expect(onLoopbackOnly(['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'])).toBe(true);
    expect(onLoopbackOnly(['/ip4/127.0.0.1/tcp/0', '/ip4/0.0.0.0/tcp/0'])).toBe(false);
  });
});

describe('scope of a network', () => {
  it.each([
    ['/ip4/127.0.0.1/tcp/1', 'loopback'],
    ['/ip6/::1/tcp/1', 'loopback'],
    ['/dns4/localhost/tcp/1', 'loopback'],
    ['/ip4/192.168.1.5/tcp/1', 'lan'],
    ['/ip6/fd00::1/tcp/1', 'lan'],
    ['/ip4/5.5.0.1/tcp/1', 'public'],
    ['/dns4/validator.example/tcp/1', 'public'],
  ] as const)('of %s is %s', (address, scope) => {
    expect(scopeOf(multiaddr(address))).toBe(scope);
  });

  it('keeps a node of a loopback validator on loopback, and opens it up for any other', () => {
    expect(defaultListen('loopback')).toEqual(LOOPBACK_ONLY);
    expect(defaultListen('lan')).toContain('0.0.0.0');
    expect(defaultListen('public')).toContain('0.0.0.0');
  });
});
