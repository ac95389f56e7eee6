import { expect, it } from 'vitest';
import { onePerPeer } from '../../../renderer/format/peers.ts';
import type { TransferProviderView } from '../../../shared/rpc/content.ts';
import type { PeerView } from '../../../shared/rpc/traffic.ts';

const aPeer = (peerId: string, connectedAtMs: number, account: string | null): PeerView => ({
  peerId,
  account,
  shard: null,
  multiaddr: `/ip4/127.0.0.1/tcp/${connectedAtMs}`,
  direction: 'outbound',
  connectedAtMs,
});

it('shows each peer once, by its older connection and with the account that either told', () => {
  const peers = [aPeer('a', 2, null), aPeer('b', 3, '0xb'), aPeer('a', 1, '0xa')];
  expect(onePerPeer(peers, [])).toEqual([aPeer('a', 1, '0xa'), aPeer('b', 3, '0xb')]);
});

it('knows the account of a peer that sends something', () => {
  const providers = [{ peerId: 'a', account: '0xa' } as TransferProviderView];
  expect(onePerPeer([aPeer('a', 1, null), aPeer('c', 1, null)], [{ providers }])).toEqual([
    aPeer('a', 1, '0xa'),
    aPeer('c', 1, null),
  ]);
});
