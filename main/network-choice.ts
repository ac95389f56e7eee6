/** Which network a data directory belongs to: a devnet of its own, or one that it joined. */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { AceError } from '../shared/errors.ts';
import { parseMultiaddr } from './p2p/host.ts';

const networkSchema = z.union([
  z.object({ mode: z.literal('devnet') }),
  z.object({ mode: z.literal('joined'), multiaddr: z.string() }),
]);
type Network = z.infer<typeof networkSchema>;

/**
 * A data directory keeps to its network: another one would be another wallet's money.
 * @throws AceError `DataDirMismatch`
 */
export function chooseNetwork(path: string, joinMultiaddr: string | undefined): Network {
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

function readNetwork(path: string): Network {
  try {
    return networkSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new AceError('DataDirMismatch', `${path} cannot be read as a network choice of this Ace Node`, {
      cause,
    });
  }
}
