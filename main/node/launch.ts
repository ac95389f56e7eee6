/** Starts what a node runs: on a devnet the validator and the provider of the sample clip, then the node's own peer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { chooseNetwork, hasJoined, settleNetwork } from '../data-dir/network-choice.ts';
import { lockDataDir } from '../db/lock.ts';
import { anyPort } from '../p2p/listen.ts';
import { type RunningPeer, startPeer } from '../peer/peer.ts';
import type { Log } from '../process/log.ts';
import { runDevnetValidator } from '../validator/devnet.ts';
import type { Wallet } from '../wallet/wallet.ts';

const SAMPLE_CLIP = 'sample-clip.mp4';
const SAMPLE_NAME = 'Sample clip.mp4';

export interface LaunchContext {
  readonly config: NodeConfig;
  readonly dataDir: DataDir;
  readonly log: Log;
}

export interface Launched {
  readonly peer: RunningPeer;
  /** This process runs the network's validator. */
  readonly ownDevnet: boolean;
}

/**
 * The network, where it is this process's own, and the peer.
 * @param joinMultiaddr given at the start, or chosen since; left out: the network of the data directory, or a devnet
 * @throws AceError as `startPeer`
 */
export async function launch(
  { config, dataDir, log }: LaunchContext,
  wallet: Wallet,
  joinMultiaddr: string | undefined,
  resources: AsyncDisposableStack,
): Promise<Launched> {
  const { p2pPort, listen, announce = [], reach } = config;
  const network = chooseNetwork(dataDir, joinMultiaddr);
  const devnet = network.mode === 'devnet';
  const { multiaddr, sampleId } =
    network.mode === 'devnet'
      ? await startDevnet({ config, dataDir, log }, resources)
      : { multiaddr: network.multiaddr, sampleId: null };
  const peer = await startPeer({
    dataDir,
    shardMultiaddr: multiaddr,
    ...{ p2pPort, listen, announce, reach, log },
    identity: wallet,
    // A new address must be right; one that led here before may lead nowhere for a while.
    mustReachShard: joinMultiaddr !== undefined && !hasJoined(dataDir, network),
  });
  resources.defer(() => peer.stop());
  // Written once the network has answered: a wrong address never replaces a right one.
  await settleNetwork(dataDir, network);
  if (sampleId) await peer.library.resolve(sampleId, 'offered');
  return { peer, ownDevnet: devnet };
}

/** A network of this machine alone: its validator, and a provider of the sample clip. */
async function startDevnet(
  { config, dataDir, log }: LaunchContext,
  resources: AsyncDisposableStack,
): Promise<{ readonly multiaddr: string; readonly sampleId: string | null }> {
  const { listen, reach, offerSample = true } = config;
  const anywhere = listen && anyPort(listen);
  const validator = await runDevnetValidator({
    dataDir: dataDir.validatorDir,
    port: 0,
    listen: anywhere,
    profile: config.devnet,
  });
  resources.defer(() => validator.stop());
  const { multiaddr } = validator;
  const clip = join(config.resourcesDir, SAMPLE_CLIP);
  if (!offerSample || !existsSync(clip)) return { multiaddr, sampleId: null };
  const lock = lockDataDir(dataDir.seedDir);
  resources.defer(() => lock.release());
  const seed = await startPeer({
    dataDir: new DataDir(dataDir.seedDir),
    shardMultiaddr: multiaddr,
    p2pPort: 0,
    ...{ listen: anywhere, reach, log },
  });
  resources.defer(() => seed.stop());
  const offered = seed.store.contents.list()[0] ?? (await seed.import({ path: clip, name: SAMPLE_NAME }));
  return { multiaddr, sampleId: offered.contentId };
}
