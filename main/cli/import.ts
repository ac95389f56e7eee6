import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AceError, isAceError, stopsAll } from '../../shared/errors.ts';
import type { FilesView } from '../../shared/rpc/content.ts';
import { feedListener } from '../../shared/rpc/rpc.ts';
import { shownName } from '../../shared/shown-name.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { givenPath } from '../util/given-path.ts';
import { type NodeConnection, openConnection } from './node-connection.ts';
import { createProgress } from './progress.ts';

export interface ImportCommandOptions {
  readonly name?: string;
  readonly copy: boolean;
  /** XAC. */
  readonly price?: string;
  readonly premium: boolean;
}

/** More at once would only wait for the same disk. */
const AT_ONCE = 3;

/**
 * `ace-node import FILE… [--copy]`: prints the content id of one file; of several, or of a folder, the ids with the
 * files' paths. What could not be imported is told file by file, and stops no other.
 * @throws AceError what an import of one file does; `InvalidInput` when one of several failed
 */
export async function importCommand(
  config: NodeConfig,
  given: readonly string[],
  options: ImportCommandOptions,
): Promise<void> {
  const paths = given.map(givenPath);
  if (options.premium && options.price === undefined)
    throw new AceError('InvalidInput', '--premium is for what has a price: add --price');
  const isOne = paths.length === 1 && !(await isFolder(paths[0] ?? ''));
  if (!isOne && options.name !== undefined)
    throw new AceError('InvalidInput', '--name is for one file: leave it out');
  const connection = await openConnection(config);
  const importing = new Importing(connection, options);
  try {
    if (isOne) process.stdout.write(`${await importing.one(paths[0] ?? '')}\n`);
    else await importAll(importing, await filesOf(connection, paths, importing), paths);
  } finally {
    await connection.close();
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** What is left out is told at once. A path that leads nowhere is a failure like others. */
async function filesOf(
  connection: NodeConnection,
  paths: readonly string[],
  importing: Importing,
): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      const found = await connection.call('filesIn', { path });
      files.push(...found.files);
      for (const left of found.leftOut) tell(`Left out: ${left.path}: ${LEFT_OUT[left.why]}`);
    } catch (error) {
      importing.failed(path, error);
    }
  }
  return files;
}

const LEFT_OUT: Readonly<Record<FilesView['leftOut'][number]['why'], string>> = {
  'no-media': 'it is neither video nor sound; by itself it can be imported',
  unreadable: 'it cannot be read',
};

async function importAll(
  importing: Importing,
  files: readonly string[],
  paths: readonly string[],
): Promise<void> {
  if (files.length === 0 && importing.failures === 0)
    throw new AceError('InvalidInput', `There is neither video nor sound in ${paths.join(', ')}`);
  const left = [...files];
  let done = 0;
  const work = async () => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      try {
        process.stdout.write(`${await importing.one(path)}  ${shownName(path)}\n`);
        done += 1;
      } catch (error) {
        importing.failed(path, error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const summary = `${done} imported, ${importing.failures} not`;
  if (importing.failures > 0) throw new AceError('InvalidInput', summary);
  tell(`${done} imported.`);
}

class Importing {
  readonly #connection: NodeConnection;
  readonly #options: ImportCommandOptions;
  failures = 0;

  constructor(connection: NodeConnection, options: ImportCommandOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** The content id. */
  async one(path: string): Promise<string> {
    const { name, copy, price, premium } = this.#options;
    const progress = createProgress(basename(path));
    const stop = this.#connection.subscribe(
      feedListener({
        importing: (file) => {
          if (file.path === path) progress.update(file.doneBytes, file.sizeBytes);
        },
      }),
    );
    try {
      const input = {
        ...{ path, copy, premium },
        ...(name !== undefined && { name }),
        ...(price !== undefined && { priceXac: price }),
      };
      return (await this.#connection.call('importFile', input)).contentId;
    } finally {
      stop();
      progress.end();
    }
  }

  /** @throws what is no failure of the file alone */
  failed(path: string, error: unknown): void {
    if (!isAceError(error) || stopsAll(error)) throw error;
    this.failures += 1;
    // Most of what is wrong with a file begins with its name.
    const named = error.message.startsWith(path) ? error.message : `${path}: ${error.message}`;
    tell(`Not imported: ${named}`);
  }
}

function tell(line: string): void {
  process.stderr.write(`${shownName(line)}\n`);
}
