import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it } from 'vitest';
import { reachNetwork } from '../../../../main/service/reach-network.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';

it('tells an address that answers from one that does not', async () => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await reachNetwork(multiaddr(`/ip4/127.0.0.1/tcp/${port}`));
  await reachNetwork(multiaddr(`/dns4/localhost/tcp/${port}`));
  server.close();
  await once(server, 'close');
  await expectAceRejection('ShardUnavailable', reachNetwork(multiaddr(`/ip4/127.0.0.1/tcp/${port}`)));
  await expectAceRejection('ShardUnavailable', reachNetwork(multiaddr(`/dns4/nobody.invalid/tcp/${port}`)));
});

it('leaves what is no plain TCP address to the start', async () => {
  await expect(reachNetwork(multiaddr('/ip4/127.0.0.1/udp/9/quic-v1'))).resolves.toBeUndefined();
});
