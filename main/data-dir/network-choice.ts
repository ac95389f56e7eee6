/** Which network a data directory belongs to: a devnet of its own, or one that it joined. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AceError } from '../../shared/errors.ts';
import { parseMultiaddr } from '../p2p/host.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import type { DataDir } from './data-dir.ts';

const networkSchema = z.union([
  z.object({ mode: z.literal('devnet') }),
  z.object({ mode: z.literal('joined'), multiaddr: z.string() }),
]);
type Network = z.infer<typeof networkSchema>;

const OWNER_ONLY = 0o600;

/**
 * A data directory keeps to its network: another one would be another wallet's money.
 * @throws AceError `DataDirMismatch`
 */
export function chooseNetwork({ network: path }: DataDir, joinMultiaddr: string | undefined): Network {
  const stored = existsSync(path) ? readNetwork(path) : null;
  if (stored?.mode === 'devnet' && joinMultiaddr !== undefined) {
    throw new AceError(
      'DataDirMismatch',
      'This data directory has a devnet of its own: choose another --data-dir to join a network',
    );
  }
  if (joinMultiaddr === undefined) return stored ?? { mode: 'devnet' };
  return { mode: 'joined', multiaddr: parseMultiaddr(joinMultiaddr).toString() };
}

/** Whether the directory belongs to the network already, by this address of it. */
export function hasJoined({ network: path }: DataDir, network: Network): boolean {
  const stored = existsSync(path) ? readNetwork(path) : null;
  return stored !== null && isDeepStrictEqual(stored, network);
}

/**
 * What was asked for and has not been reached yet; `undefined`: nothing, or a devnet, or the directory has its network.
 * @throws AceError `DataDirMismatch`
 */
export function wantedNetwork({ network, networkWanted: path }: DataDir): string | undefined {
  const wanted = !existsSync(network) && existsSync(path) ? readNetwork(path) : null;
  return wanted?.mode === 'joined' ? wanted.multiaddr : undefined;
}

/**
 * Kept over restarts: a network that does not answer today must not become a devnet tomorrow.
 * @throws AceError `InvalidInput` (no address), `DataDirMismatch`
 */
export async function wantNetwork(dataDir: DataDir, multiaddr: string | undefined): Promise<void> {
  // Read before it is kept: what is no address is refused now.
  const network = chooseNetwork(dataDir, multiaddr);
  await writeFileAtomic(dataDir.networkWanted, asText(network), OWNER_ONLY);
}

/** The network has answered: the directory belongs to it from now on. */
export async function settleNetwork(
  { network: path, networkWanted }: DataDir,
  network: Network,
): Promise<void> {
  await writeFileAtomic(path, asText(network), OWNER_ONLY);
  rmSync(networkWanted, { force: true });
}

function asText(network: Network): string {
  return `${JSON.stringify(network, null, 2)}\n`;
}

function readNetwork(path: string): Network {
  try {
    return networkSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new AceError('DataDirMismatch', `${path} cannot be read as a network choice of this Ace Node`, {
      cause,
    });
  }
}
