/** Where a command gets a passphrase from: a file, the environment, or the terminal, where it does not show. */
import { existsSync, readFileSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import { AceError } from '../../shared/errors.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { variable } from '../util/environment.ts';
import { givenPath } from '../util/given-path.ts';
import { walletExists, walletFacts } from '../wallet/keystore.ts';
import { checkNewPassphrase, PASSPHRASE_VARIABLE } from '../wallet/passphrase-rule.ts';

/** What a decoder puts where bytes are no text of its encoding: two passphrases that differ there would become one. */
const REPLACEMENT = '\uFFFD';

/**
 * Its first line, as it would be typed: without the byte order mark that some editors put in front, and of UTF-16 where
 * that mark says so.
 * @throws AceError `FileMissing`, `FileUnreadable` (also: neither UTF-8 nor UTF-16), `WalletInvalid` (an empty line)
 */
export function passphraseFrom(given: string): string {
  const file = givenPath(given);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing) throw new AceError('FileMissing', `There is no passphrase file ${file}`, { cause });
    throw new AceError('FileUnreadable', `The passphrase file cannot be read: ${file}`, { cause });
  }
  const [line = ''] = decoded(bytes, file).split(/\r?\n/);
  if (line === '')
    throw new AceError('WalletInvalid', `The passphrase file ${file} begins with an empty line`);
  return line;
}

/** @throws AceError `FileUnreadable` */
function decoded(bytes: Uint8Array, file: string): string {
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  const isUtf16 = isLittle || (first === 0xfe && second === 0xff);
  const encoding = !isUtf16 ? 'utf-8' : isLittle ? 'utf-16le' : 'utf-16be';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw notText(`The passphrase file ${file}`, cause);
  }
  // UTF-32 begins like UTF-16, and every other character of it is nothing.
  if (text.includes('\0')) throw notText(`The passphrase file ${file}`);
  return text;
}

function notText(what: string, cause?: unknown): AceError {
  return new AceError('FileUnreadable', `${what} is not valid UTF-8: save it as UTF-8 text`, { cause });
}

/**
 * The file's, or the environment's. The variable is taken out of it: neither a child process nor a report of a crash gets
 * it from here.
 */
export function givenPassphrase(file: string | undefined): string | undefined {
  const fromEnvironment = variable(process.env, PASSPHRASE_VARIABLE);
  delete process.env[PASSPHRASE_VARIABLE];
  if (file !== undefined) return passphraseFrom(file);
  if (fromEnvironment?.includes(REPLACEMENT)) throw notText(`The passphrase in ${PASSPHRASE_VARIABLE}`);
  return fromEnvironment;
}

export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Where the wallet has a passphrase that was not given, and somebody sits at a terminal, they are asked; not where the
 * node is to start without it.
 * @throws AceError `WalletInvalid` (a damaged wallet)
 */
export async function withPassphrase(config: NodeConfig): Promise<NodeConfig> {
  const { wallet, deviceKey } = new DataDir(config.dataDir);
  if (config.passphrase !== undefined || !isInteractive() || !walletExists(wallet)) return config;
  if ((await walletFacts(wallet)).protection !== 'passphrase' || existsSync(deviceKey)) return config;
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
