/** Where a command gets a passphrase from: a file, the environment, or the terminal, where it does not show. */
import { readFileSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import { AceError } from '../../shared/errors.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { walletExists, walletFacts } from '../wallet/keystore.ts';
import { checkNewPassphrase } from '../wallet/passphrase-rule.ts';

export const PASSPHRASE_VARIABLE = 'ACE_NODE_PASSPHRASE';

/** Its first line. @throws AceError `FileMissing`, `FileUnreadable`, `WalletInvalid` (an empty line) */
export function passphraseFrom(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing) throw new AceError('FileMissing', `There is no passphrase file ${file}`, { cause });
    throw new AceError('FileUnreadable', `The passphrase file cannot be read: ${file}`, { cause });
  }
  const [line = ''] = text.split(/\r?\n/);
  if (line === '')
    throw new AceError('WalletInvalid', `The passphrase file ${file} begins with an empty line`);
  return line;
}

/**
 * The file's, or the environment's. The variable is taken out of it: neither a child process nor a report of a crash gets
 * it from here.
 */
export function givenPassphrase(file: string | undefined): string | undefined {
  const fromEnvironment = process.env[PASSPHRASE_VARIABLE];
  delete process.env[PASSPHRASE_VARIABLE];
  return file === undefined ? fromEnvironment : passphraseFrom(file);
}

export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Where the wallet has a passphrase that was not given, and somebody sits at a terminal, they are asked.
 * @throws AceError `WalletInvalid` (a damaged wallet)
 */
export async function withPassphrase(config: NodeConfig): Promise<NodeConfig> {
  const { wallet } = new DataDir(config.dataDir);
  if (config.passphrase !== undefined || !isInteractive() || !walletExists(wallet)) return config;
  if ((await walletFacts(wallet)).protection !== 'passphrase') return config;
  const passphrase = await askHidden('Passphrase of the wallet: ');
  return passphrase === '' ? config : { ...config, passphrase };
}

/** What is given, or asked for. @throws AceError `WalletLocked` when it is neither */
export async function neededPassphrase(
  config: Pick<NodeConfig, 'passphrase'>,
  question: string,
): Promise<string> {
  if (config.passphrase !== undefined) return config.passphrase;
  if (isInteractive()) return askHidden(question);
  throw new AceError(
    'WalletLocked',
    'The wallet needs its passphrase: give --passphrase-file, or run the command in a terminal',
  );
}

/**
 * What is given, or else typed twice.
 * @throws AceError `WalletInvalid` when it is too short or too long, or the two differ; `WalletLocked` without a terminal
 */
export async function newPassphrase(given: string | undefined, what: string): Promise<string> {
  if (given !== undefined) {
    checkNewPassphrase(given);
    return given;
  }
  if (!isInteractive()) {
    throw new AceError(
      'WalletLocked',
      `${what} is needed: give it in a file, or run the command in a terminal`,
    );
  }
  const first = await askHidden(`${what}: `);
  checkNewPassphrase(first);
  if (first !== (await askHidden('The same once more: '))) {
    throw new AceError('WalletInvalid', 'The two are not the same: nothing was changed');
  }
  return first;
}

/** A line from the terminal that is not shown. Ctrl-C ends the program, as everywhere. */
export async function askHidden(question: string): Promise<string> {
  const input: ReadStream = process.stdin;
  // First: what is typed as soon as the question is there must not show either.
  input.setRawMode(true);
  process.stderr.write(question);
  input.setEncoding('utf8');
  input.resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      let line = '';
      const onData = (text: string) => {
        for (const char of text) {
          if (char === '\r' || char === '\n' || char === '\u0004') {
            input.off('data', onData);
            return resolve(line);
          }
          if (char === '\u0003') {
            input.off('data', onData);
            return reject(new AceError('WalletLocked', 'Stopped: nothing was changed'));
          }
          if (char === '\u007f' || char === '\b') line = [...line].slice(0, -1).join('');
          else if (char >= ' ') line += char;
        }
      };
      input.on('data', onData);
    });
  } finally {
    input.setRawMode(false);
    input.pause();
    process.stderr.write('\n');
  }
}

/** A line from the terminal that is shown. */
export async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
