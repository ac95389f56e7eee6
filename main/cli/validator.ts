import type { DevnetProfile } from '../config.ts';
import { runDevnetValidator } from '../shard/devnet.ts';

/**
 * `ace-node validator`: a shard validator with the main chain of a devnet. Standard output gets one line, the address
 * that nodes join.
 */
export async function validatorCommand(dataDir: string, port: number, profile: DevnetProfile): Promise<void> {
  const running = await runDevnetValidator({ dataDir, port, profile });
  process.stdout.write(`${running.multiaddr}\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await running.stop();
}
