/** What the commands share: options that several of them have, and the node's configuration made of what was given. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { defaultDataDir, type NodeConfig } from '../../data-dir/config.ts';
import { splitListen } from '../../p2p/listen.ts';
import { givenPath } from '../../util/given-path.ts';
import { notEmpty, wholeNumber } from '../option-values.ts';
import { givenPassphrase } from '../passphrase.ts';

/** Values of the options that make a node's configuration. */
export interface CommonOptions {
  readonly dataDir: string;
  readonly join?: string;
  readonly httpPort?: number;
  readonly host?: string;
  readonly allowHost?: readonly string[];
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
}

export const port = wholeNumber(0, 65_535);

export class CommandContext {
  readonly #program: Command;
  /** The folder that holds resources/ and out/. */
  readonly #appDir: string;
  readonly resourcesDir: string;

  constructor(program: Command, appDir: string) {
    this.#program = program;
    this.#appDir = appDir;
    this.resourcesDir = join(appDir, 'resources');
  }

  configOf(options: CommonOptions): NodeConfig {
    const passphrase = givenPassphrase(this.#program.opts<{ passphraseFile?: string }>().passphraseFile);
    return {
      dataDir: givenPath(options.dataDir),
      resourcesDir: this.resourcesDir,
      pagesDir: join(this.#appDir, 'out', 'renderer'),
      ...(options.join !== undefined && { joinMultiaddr: options.join }),
      ...(options.httpPort !== undefined && { httpPort: options.httpPort }),
      ...(options.host !== undefined && { httpHost: options.host }),
      ...(options.allowHost !== undefined && { allowHosts: options.allowHost }),
      ...(options.listen !== undefined && { listen: options.listen }),
      ...(options.announce !== undefined && { announce: options.announce }),
      ...(passphrase !== undefined && { passphrase }),
    };
  }
}

export function dataDirOption(what = 'where wallet, books and pieces are kept'): Option {
  return new Option('--data-dir <dir>', what).argParser(notEmpty).default(defaultDataDir());
}

/** Gives a command the options of a node's data directory. */
export function ofNode(command: Command): Command {
  const join = new Option(
    '--join <multiaddr>',
    'join the network of this validator instead of making a devnet',
  );
  return command.addOption(dataDirOption()).addOption(join.argParser(notEmpty));
}

/** Given once with commas, or several times. */
export function listenOption(otherwise: string): Option {
  const what = `IP address or multiaddr for other peers, repeatable; 0.0.0.0 and :: mean all (default: ${otherwise})`;
  return new Option('--listen <address>', what).argParser(collect);
}

export function announceOption(): Option {
  const what = 'address that leads here, such as a port that the router forwards; repeatable';
  return new Option('--announce <multiaddr>', what).argParser(collect);
}

function collect(text: string, before: string[] = []): string[] {
  return [...before, ...splitListen(text)];
}
