import { resolve } from 'node:path';
import type { NodeConfig } from '../config.ts';
import { openSession } from './session.ts';

/** `ace-node import FILE`: prints the content id. */
export async function importCommand(
  config: NodeConfig,
  file: string,
  name: string | undefined,
): Promise<void> {
  const session = await openSession(config);
  try {
    const content = await session.call('importFile', {
      path: resolve(file),
      ...(name !== undefined && { name }),
    });
    process.stdout.write(`${content.contentId}\n`);
  } finally {
    await session.close();
  }
}
