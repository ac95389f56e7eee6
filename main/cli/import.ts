import { basename } from 'node:path';
import type { Feed } from '../../shared/rpc/rpc.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { givenPath } from '../util/given-path.ts';
import { openConnection } from './node-connection.ts';
import { createProgress } from './progress.ts';

/** `ace-node import FILE [--copy]`: prints the content id. */
export async function importCommand(
  config: NodeConfig,
  file: string,
  { name, copy }: { readonly name?: string; readonly copy: boolean },
): Promise<void> {
  const connection = await openConnection(config);
  const path = givenPath(file);
  const progress = createProgress(basename(path));
  const stop = connection.subscribe((topic, data) => {
    if (topic !== 'importing') return;
    const importing = data as Feed['importing'];
    if (importing.path === path) progress.update(importing.doneBytes, importing.sizeBytes);
  });
  try {
    const content = await connection.call('importFile', {
      path,
      copy,
      ...(name !== undefined && { name }),
    });
    progress.end();
    process.stdout.write(`${content.contentId}\n`);
  } finally {
    stop();
    progress.end();
    await connection.close();
  }
}
