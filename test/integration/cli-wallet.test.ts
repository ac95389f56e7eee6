import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HDKey } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { openWallet } from '../../main/wallet/keystore.ts';
import { phraseToSeed } from '../../main/wallet/phrase.ts';
import { CLI, expectOneLine, run, spawnNode, startNode } from '../helpers/cli.ts';
import { useCliRoot } from '../helpers/cli-root.ts';

const root = useCliRoot();

const PASSPHRASE = 'correct horse battery';
const FRIEND = `0x${'1'.repeat(40)}`;
let dirs = 0;

function fresh() {
  const dir = join(root, `${++dirs}`);
  const file = `${dir}.passphrase`;
  writeFileSync(file, `${PASSPHRASE}\nnot this\n`);
  return { dir, secret: ['--passphrase-file', file], at: ['--data-dir', dir] };
}

/** Every file below a folder. */
function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('the wallet on the command line', () => {
  it('leaves no phrase, key or passphrase in any file or output of a whole life', {
    tags: 'long',
  }, async () => {
    const { dir, secret, at } = fresh();
    const created = await run(['wallet', 'create', '--no-confirm', ...at, ...secret]);
    const phrase = created.stdout.split('\n')[0] ?? '';
    expect(phrase.split(' ')).toHaveLength(12);
    const outputs: string[] = [created.stdout.replace(phrase, '')];
    const does = async (...args: string[]) => {
      const { stdout, stderr, code } = await run([...args, ...at]);
      outputs.push(stdout, stderr);
      return code;
    };

    const node = await spawnNode(dir);
    expect(await does('wallet', 'unlock')).toBe(1);
    expect(await does('wallet', 'unlock', ...secret)).toBe(0);
    expect(await does('topup', '5')).toBe(0);
    expect(await does('topup', '5', '--token', 'XAB')).toBe(0);
    expect(await does('topup', '--mint', '1', '--yes')).toBe(0);
    expect(await does('topup', '--swap', '1', '--yes')).toBe(0);
    expect(await does('withdraw', '2.5', '--yes')).toBe(0);
    expect(await does('topup', '--from-kept', '0.5', '--yes')).toBe(0);
    expect(await does('topup', '--from-kept', '0.5', '--token', 'XAB', '--yes')).toBe(1);
    expect(await does('topup', '--from-kept', '0.5', '--mint', '1', '--yes')).toBe(1);
    expect(await does('send', '1', 'xat', FRIEND, '--yes')).toBe(0);
    expect(await does('send', '1', 'XAT', FRIEND)).toBe(1);
    expect(await does('wallet', 'lock')).toBe(0);
    expect(await does('send', '1', 'XAT', FRIEND, '--yes')).toBe(1);
    expect(await does('send', '1', 'XAT', FRIEND, '--yes', ...secret)).toBe(0);
    for (const args of [['wallet'], ['devices'], ['receive'], ['status'], ['repayments'], ['channels']]) {
      expect(await does(...args)).toBe(0);
    }
    expect(await does('wallet', 'backup', join(dir, 'backup.json'), ...secret)).toBe(0);
    const wrong = `${dir}.wrong`;
    writeFileSync(wrong, 'wrong horse\n');
    expect(await does('wallet', 'unlock', '--passphrase-file', wrong)).toBe(1);
    const next = `${dir}.next`;
    writeFileSync(next, 'another horse');
    expect(await does('wallet', 'passphrase', '--new-passphrase-file', next, ...secret)).toBe(0);
    if (process.platform === 'linux') {
      const filter = readFileSync(`/proc/${node.child.pid}/coredump_filter`, 'utf8');
      expect(Number.parseInt(filter, 16)).toBe(0);
    }
    expect(await node.stop()).toBe(0);
    outputs.push(...node.said().stdout.slice(1), ...node.said().stderr);

    const protection = { protection: 'passphrase', passphrase: 'another horse' } as const;
    const secrets = await openWallet(join(dir, 'wallet.json'), protection);
    expect(secrets.phrase).toBe(phrase);
    const key = HDKey.fromMasterSeed(phraseToSeed(phrase)).derive("m/44'/60'/0'/0/0");
    const words = phrase.split(' ');
    const needles = [
      ...words.slice(0, -2).map((_, i) => Buffer.from(words.slice(i, i + 3).join(' '))),
      Buffer.from(PASSPHRASE),
      Buffer.from('another horse'),
      ...[secrets.deviceSeed, key.privateKey ?? new Uint8Array(), phraseToSeed(phrase)].flatMap((bytes) => {
        const raw = Buffer.from(bytes);
        return [raw, Buffer.from(raw.toString('hex')), Buffer.from(raw.toString('base64'))];
      }),
    ];
    const places = [
      ...filesIn(dir).filter((file) => !file.startsWith(join(dir, 'devnet'))),
      ...filesIn(join(dir, 'devnet')).filter((file) => file.endsWith('.log')),
    ].map((file) => [file, readFileSync(file)] as const);
    expect(places.map(([file]) => file)).toContain(join(dir, 'node.log'));
    for (const [place, bytes] of [...places, ['an output', Buffer.from(outputs.join('\n'))] as const]) {
      for (const needle of needles) expect(bytes.includes(needle), `a secret in ${place}`).toBe(false);
    }
    // What would be found, were it there.
    expect(Buffer.from(created.stdout).includes(needles[0] ?? '')).toBe(true);
  });

  it('is not made with a passphrase that could never be given again', { tags: 'long' }, async () => {
    for (const passphrase of ['seven77', 'k'.repeat(1_001)]) {
      const { dir, at } = fresh();
      const start = await run(['start', '--headless', '--http-port', '0', ...at], {
        ACE_NODE_PASSPHRASE: passphrase,
      });
      expectOneLine(start, 'A passphrase has 8 to 1000 characters');
      expect(existsSync(join(dir, 'wallet.json'))).toBe(false);
    }
  });

  it('of a copied folder is the copy’s, while the node of the first one runs', { tags: 'long' }, async () => {
    const { dir, secret, at } = fresh();
    await run(['wallet', 'create', '--no-confirm', ...at, ...secret]);
    const alone = await run(['wallet', 'unlock', ...at, ...secret]);
    expect(alone.stdout).toMatch(/^Wallet +unlocked for this command only/);
    const node = await startNode(dir);
    const before = Date.now();
    const unlocked = await run(['wallet', 'unlock', '--lock-after', '3', ...at, ...secret]);
    expect(unlocked.stdout).toMatch(/^Wallet +unlocked$/m);
    const locksAt = /^Locks +at (\S+Z), or later/m.exec(unlocked.stdout)?.[1] ?? '';
    expect(Date.parse(locksAt) - before).toBeGreaterThanOrEqual(3 * 60_000);
    expect(Date.parse(locksAt) - Date.now()).toBeLessThanOrEqual(3 * 60_000);
    const changed = await run(['wallet', 'lock-after', '1', ...at]);
    expect(changed.code).toBe(0);
    const locked = await run(['wallet', 'lock', ...at]);
    expect(locked.stdout).toMatch(/^Locks +after a minute without an operation$/m);
    const copy = `${dir}-copy`;
    cpSync(dir, copy, { recursive: true });
    const next = `${dir}.next`;
    writeFileSync(next, 'another horse');
    const change = ['wallet', 'passphrase', '--new-passphrase-file', next, ...secret];
    expect((await run([...change, '--data-dir', copy])).code).toBe(0);
    expect((await run(['wallet', 'unlock', ...at, ...secret])).code).toBe(0);
    expect((await run(['wallet', 'unlock', '--data-dir', copy, '--passphrase-file', next])).code).toBe(0);
    expect(await node.stop()).toBe(0);
  });

  it('that is locked keeps nobody from reading what the books of a stopped node say', {
    tags: 'long',
  }, async () => {
    const { dir, secret, at } = fresh();
    const created = await run(['wallet', 'create', '--no-confirm', ...at, ...secret]);
    const node = await startNode(dir, ...secret);
    const told = JSON.parse((await run(['status', '--json', ...at])).stdout);
    expect(await node.stop()).toBe(0);
    const { code, stdout, stderr } = await run(['status', '--json', ...at]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { account, holdings, networkId } = told;
    expect(JSON.parse(stdout)).toMatchObject({ running: false, locked: true, account, holdings, networkId });
    expect((await run(['status', ...at])).stdout).toMatch(/^Node +not running, and its wallet is locked/);

    // Its passphrase is forgotten: the phrase sets another one in place, and only this account's phrase does.
    const next = `${dir}.next`;
    writeFileSync(next, 'another horse');
    const restore = ['wallet', 'restore', ...at, '--passphrase-file', next];
    const [phrase = ''] = created.stdout.split('\n');
    expectOneLine(
      await run(restore, {}, 'test test test test test test test test test test test junk'),
      /The books in this data directory are of account 0x/,
    );
    expectOneLine(await run(['wallet', 'restore', ...at, '--no-passphrase'], {}, phrase), /not none/);
    expect((await run(['wallet', 'unlock', ...at, ...secret])).code).toBe(0);
    const reset = await run(restore, {}, phrase);
    expect({ code: reset.code, stderr: reset.stderr }).toEqual({ code: 0, stderr: '' });
    expect(reset.stdout).toMatch(/has the new passphrase.*a new device of the account/);
    expect((await run(['wallet', 'unlock', ...at, ...secret])).code).toBe(1);
    expect((await run(['wallet', 'unlock', ...at, '--passphrase-file', next])).code).toBe(0);
  });

  it('restores from standard input and from a backup, and says what is wrong with either', {
    tags: 'long',
  }, async () => {
    const { secret, at } = fresh();
    expectOneLine(
      await run(['wallet', 'restore', join(root, 'none.json'), ...at, ...secret]),
      /no backup at/,
    );
    const phrase = 'test test test test test test test test test test test junk';
    const swapped = await run(
      ['wallet', 'restore', ...at, ...secret],
      {},
      phrase.replace('test junk', 'junk test'),
    );
    expectOneLine(swapped, /does not add up: a word is wrong or two are swapped/);
    const restored = await run(['wallet', 'restore', ...at, ...secret], {}, `${phrase}\n`);
    expect(restored.stdout).toContain('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266');
    expectOneLine(
      await run(['wallet', 'create', '--no-confirm', ...at, ...secret]),
      /There is a wallet already/,
    );
    expectOneLine(
      await run(['wallet', 'backup', join(root, 'b.json'), ...at, ...secret]),
      /start the node once/,
    );
    expectOneLine(await run(['wallet', 'phrase', ...at, ...secret]), /--show/);
    expectOneLine(
      await run(['status', ...at, '--passphrase-file', join(root, 'none')]),
      /no passphrase file/,
    );
  });

  it('is not shown in a terminal before its passphrase is one', { tags: 'long' }, async () => {
    if (!existsSync('/usr/bin/script')) return;
    const { dir, at } = fresh();
    const refused = await inTerminal(['wallet', 'create', ...at], ['seven77']);
    expect(refused).toContain('A passphrase has 8 to 1000 characters: choose another one');
    expect(refused).not.toContain('The same once more');
    expect(refused).not.toContain('Write these words down');
    expect(existsSync(join(dir, 'wallet.json'))).toBe(false);
  });

  it('asks for a passphrase in a terminal without showing it', async () => {
    if (!existsSync('/usr/bin/script')) return;
    const { at } = fresh();
    const made = await inTerminal(
      ['wallet', 'restore', ...at],
      ['test test test test test test test test test test test junk', PASSPHRASE, PASSPHRASE],
    );
    expect(made).toContain('A passphrase for the wallet');
    expect(made).toContain('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266');
    expect(made).not.toContain('horse');
    expect(made).not.toContain('junk');
    expect(statSync(join(at[1] ?? '', 'wallet.json')).mode & 0o777).toBe(0o600);
  });
});

/** Types each line when the next question is asked; the answer is all that the terminal showed. */
function inTerminal(args: readonly string[], lines: readonly string[]): Promise<string> {
  const command = [process.execPath, CLI, ...args].map((arg) => `'${arg}'`).join(' ');
  const child = spawn('/usr/bin/script', ['-q', '-c', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let typed = 0;
  return new Promise((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      shown += data.toString();
      const questions = shown.split(': ').length - 1;
      if (questions > typed && typed < lines.length) child.stdin.write(`${lines[typed++]}\r`);
    });
    child.once('close', () => resolve(shown));
  });
}
