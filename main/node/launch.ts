/** Starts what a node runs: on a devnet the validator and the provider of the sample clip, then the node's own peer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { chooseNetwork, settleNetwork } from '../data-dir/network-choice.ts';
import { lockDataDir } from '../db/lock.ts';
import { anyPort } from '../p2p/listen.ts';
import { type PeerEvents, type RunningPeer, startPeer } from '../peer/peer.ts';
import type { Log } from '../process/log.ts';
import type { Closers } from '../util/closers.ts';
import { runDevnetValidator } from '../validator/devnet.ts';
import type { Wallet } from '../wallet/wallet.ts';

const SAMPLE_CLIP = 'sample-clip.mp4';
const SAMPLE_NAME = 'Sample clip.mp4';
const NO_EVENTS: PeerEvents = { onChange: () => {}, onContents: () => {}, onSettlements: () => {} };

/** With the network that its owner has chosen, where none was given. */
type LaunchConfig = Omit<NodeConfig, 'joinMultiaddr'> & { readonly joinMultiaddr: string | undefined };

interface Launched {
  readonly peer: RunningPeer;
  readonly ownDevnet: boolean;
  /** Who hears of what happens at the peer. */
  onEvents(events: PeerEvents): void;
}

/** The network, where it is this process's own, and the peer. What was begun before it failed is closed again. */
export async function launch(
  config: LaunchConfig,
  wallet: Wallet,
  closers: Closers,
  log: Log,
): Promise<Launched> {
  const dataDir = new DataDir(config.dataDir);
  const { listen, announce = [], reach } = config;
  try {
    const network = chooseNetwork(dataDir, config.joinMultiaddr);
    let shardMultiaddr: string;
    let sampleId: string | null = null;
    if (network.mode === 'devnet') {
      const devnet = await runDevnetValidator({
        dataDir: dataDir.validatorDir,
        port: 0,
        listen: listen && anyPort(listen),
        profile: config.devnet,
      });
      closers.add(() => devnet.stop());
      shardMultiaddr = devnet.multiaddr;
      const clip = join(config.resourcesDir, SAMPLE_CLIP);
      if (config.offerSample !== false && existsSync(clip)) {
        const seedLock = lockDataDir(dataDir.seedDir);
        closers.add(() => seedLock.release());
        const seed = await startPeer({
          dir: dataDir.seedDir,
          shardMultiaddr,
          p2pPort: 0,
          listen: listen && anyPort(listen),
          reach,
          log,
          events: NO_EVENTS,
        });
        closers.add(() => seed.stop());
        const offered =
          seed.store.contents.list()[0] ?? (await seed.import({ path: clip, name: SAMPLE_NAME }));
        sampleId = offered.contentId;
      }
    } else {
      shardMultiaddr = network.multiaddr;
    }

    let events = NO_EVENTS;
    const peer = await startPeer({
      dir: config.dataDir,
      shardMultiaddr,
      p2pPort: config.p2pPort,
      listen,
      announce,
      reach,
      identity: wallet,
      mustReachShard: config.joinMultiaddr !== undefined,
      log,
      events: {
        onChange: () => events.onChange(),
        onContents: () => events.onContents(),
        onSettlements: (rows) => events.onSettlements(rows),
      },
    });
    closers.add(() => peer.stop());
    // Written once the network has answered: a wrong address never replaces a right one.
    await settleNetwork(dataDir, network);
    if (sampleId) await peer.library.resolve(sampleId, 'offered');
    return {
      peer,
      ownDevnet: network.mode === 'devnet',
      onEvents: (told) => {
        events = told;
      },
    };
  } catch (error) {
    await closers.close().catch(() => undefined); // what went wrong first is what is told
    throw error;
  }
}
