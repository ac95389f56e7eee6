/** The remote chain as a shard has it: an embedded chain served by one libp2p host, asked for by another. */
import { join } from 'node:path';
import type { Libp2p } from '@libp2p/interface';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { RemoteChain } from '../../main/chain/remote/remote-chain.ts';
import { serveChain } from '../../main/chain/remote/server.ts';
import { ShardDirectory } from '../../main/chain/remote/shard-directory.ts';
import { createHost } from '../../main/p2p/host.ts';
import { createDevice, type DeviceIdentity } from '../../main/wallet/device.ts';
import type { Genesis, NetworkSettings } from '../../shared/economy/settings.ts';
import { VALIDATORS } from './chain.ts';

export interface ServedChain {
  readonly chain: MainChain;
  readonly host: Libp2p;
  /** What the server reported. */
  readonly errors: unknown[];
  connect(as?: DeviceIdentity): Promise<RemoteChain>;
  /** Ends the hosts of those who connected, the server and the chain. */
  stop(): Promise<void>;
}

const listen = (device: DeviceIdentity) =>
  createHost({ deviceSeed: device.seed(), listen: ['/ip4/127.0.0.1/tcp/0'] });

export async function serveTestChain(
  dir: string,
  settings: NetworkSettings,
  genesis: Genesis,
  nowMs: () => number = () => 1_700_000_000_000,
): Promise<ServedChain> {
  const chain = openEmbeddedChain({ path: join(dir, 'chain.db'), settings, genesis, nowMs });
  const host = await listen(createDevice());
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  // Its rates stand still with its clock: what a stranger may ask at once is all that it gets.
  await serveChain({ host, chain, directory: new ShardDirectory(), devnet: true, nowMs, onError });
  const askers: Libp2p[] = [];
  return {
    chain,
    host,
    errors,
    async connect(as = VALIDATORS[0] as DeviceIdentity) {
      const asker = await listen(as);
      askers.push(asker);
      return RemoteChain.connect(asker, firstAddress(host));
    },
    async stop() {
      await Promise.all(askers.map((asker) => asker.stop()));
      await host.stop();
      await chain.close();
    },
  };
}

export function firstAddress(host: Libp2p) {
  const address = host.getMultiaddrs()[0];
  if (!address) throw new Error('The host listens nowhere');
  return address;
}
