/** What a newcomer does first with the wallet on the command line, and what can go wrong with it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectOneLine, run, type Service, startNode, startService } from '../helpers/cli.ts';
import { useCliRoot } from '../helpers/cli-root.ts';

const root = useCliRoot();
const JUNK = 'test test test test test test test test test test test junk';
let validator: Service;
let dirs = 0;

beforeAll(async () => {
  validator = await startService('validator', '--data-dir', join(root, 'validator'));
});

function secretFile(name: string, passphrase: string): string {
  const file = join(root, name);
  writeFileSync(file, `${passphrase}\n`);
  return file;
}

const secret = ['--passphrase-file', secretFile('good', 'correct horse battery')];

function fresh() {
  const dir = join(root, `${++dirs}`);
  return { dir, at: ['--data-dir', dir], wallet: join(dir, 'wallet.json') };
}

/** The network of the node that runs there. */
async function networkOf(dir: string) {
  const { stdout } = await run(['status', '--json', '--data-dir', dir]);
  const { devnet, shard } = JSON.parse(stdout) as { devnet: boolean; shard: { multiaddr: string } };
  return devnet ? 'a devnet of its own' : shard.multiaddr;
}

async function expectJoins(dir: string) {
  const node = await startNode(dir, ...secret);
  expect(await networkOf(dir)).toBe(validator.ready);
  expect(await node.stop()).toBe(0);
  expect(existsSync(join(dir, 'network-wanted.json'))).toBe(false);
}

describe('a wallet that was made for a network', () => {
  it('has the next start join it, without being told again', async () => {
    const { dir, at } = fresh();
    const join = ['--join', validator.ready];
    expect((await run(['wallet', 'create', '--no-confirm', ...at, ...secret, ...join])).code).toBe(0);
    await expectJoins(dir);
    await expectJoins(dir);
  });

  it('is restored for it as well', { tags: 'long' }, async () => {
    const { dir, at } = fresh();
    const restore = ['wallet', 'restore', ...at, ...secret, '--join', validator.ready];
    expect((await run(restore, {}, `${JUNK}\n`)).code).toBe(0);
    await expectJoins(dir);
  });

  it('waits for it where it does not answer, and gets no devnet', async () => {
    const { dir, at } = fresh();
    const gone = validator.ready.replace(/\/tcp\/\d+\//, '/tcp/1/');
    await run(['wallet', 'create', '--no-confirm', ...at, ...secret, '--join', gone]);
    const node = await startNode(dir, ...secret);
    expect(await node.stop()).toBe(0);
    expect(node.said().stderr).toEqual([expect.stringMatching(/^The node waits: .*choose another network/)]);
    expect(existsSync(join(dir, 'devnet'))).toBe(false);
  });

  it('is neither made nor shown where the address is none, or the network another one', async () => {
    const { dir, at } = fresh();
    const create = ['wallet', 'create', '--no-confirm', ...at, ...secret, '--join'];
    expectOneLine(await run([...create, 'nowhere']), /"nowhere" is not a peer address/);
    expect(existsSync(dir)).toBe(false);

    const node = await startNode(dir, '--first-run');
    expectOneLine(
      await run([...create, validator.ready]),
      /A node runs on this directory with a devnet of its own/,
    );
    expect(await node.stop()).toBe(0);
    expect(existsSync(join(dir, 'wallet.json'))).toBe(false);
  });

  it('keeps the network that it has when another is made in its place in vain', {
    tags: 'long',
  }, async () => {
    const { dir, at } = fresh();
    const create = ['wallet', 'create', '--no-confirm', ...at, ...secret, '--join'];
    await run([...create, validator.ready]);
    const other = validator.ready.replace(/\/tcp\/\d+\//, '/tcp/1/');
    expectOneLine(await run([...create, other]), /There is a wallet already/);
    expect(readFileSync(join(dir, 'network-wanted.json'), 'utf8')).toContain(validator.ready);
  });
});

describe('a device that has asked to act for an account', () => {
  it('gets no wallet of its own by a start, joins with its certificate, and starts on that network', async () => {
    const owner = fresh();
    const node = await startNode(owner.dir, '--join', validator.ready);
    const { dir, at, wallet } = fresh();
    const request = await run(['devices', 'request', ...at, '--join', validator.ready]);
    for (const command of [
      ['start', '--headless', '--http-port', '0'],
      ['play', 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'],
      ['topup', '1'],
    ]) {
      const ended = await run([...command, ...at, ...secret]);
      expectOneLine(ended, /ace-node devices join CERTIFICATE.*ace-node wallet create/);
      expect(existsSync(wallet)).toBe(false);
    }
    const linked = await run(['devices', 'link', request.stdout.trim(), ...owner.at]);
    const joined = await run(['devices', 'join', linked.stdout.trim(), ...at, ...secret]);
    expect(joined.stdout).toMatch(/^This device acts for 0x/);
    expect(await node.stop()).toBe(0);
    await expectJoins(dir);
  });

  it('gives the request up with a wallet of its own that is made on purpose', { tags: 'long' }, async () => {
    const { dir, at } = fresh();
    await run(['devices', 'request', ...at]);
    expect(existsSync(join(dir, 'device-request.json'))).toBe(true);
    expect((await run(['wallet', 'create', '--no-confirm', ...at, ...secret])).code).toBe(0);
    expect(existsSync(join(dir, 'device-request.json'))).toBe(false);
    const node = await startNode(dir, ...secret);
    expect(await node.stop()).toBe(0);
  });
});

describe('a passphrase that is too short or too long', () => {
  it.each([
    ['seven', 'k'.repeat(7)],
    ['too-many', 'k'.repeat(1_001)],
  ])(
    '%s characters: is refused before a phrase is made, shown or read',
    { tags: 'long' },
    async (name, passphrase) => {
      const { at, wallet } = fresh();
      const bad = ['--passphrase-file', secretFile(name, passphrase)];
      const says = /^ace-node: A passphrase has 8 to 1000 characters: choose another one$/m;
      expectOneLine(await run(['wallet', 'create', '--no-confirm', ...at, ...bad]), says);
      expectOneLine(await run(['wallet', 'restore', ...at, ...bad]), says);
      expectOneLine(await run(['devices', 'join', '00', ...at, ...bad]), says);
      expect(existsSync(wallet)).toBe(false);

      await run(['wallet', 'create', '--no-confirm', ...at, ...secret]);
      const next = ['--new-passphrase-file', bad[1] ?? ''];
      expectOneLine(await run(['wallet', 'passphrase', ...next, ...at, ...secret]), says);
      const node = await startNode(at[1] ?? '', ...secret);
      expectOneLine(await run(['wallet', 'passphrase', ...next, ...at, ...secret]), says);
      expect(await node.stop()).toBe(0);
    },
  );
});

describe('a wallet where no node runs', () => {
  it('is not said to be locked or unlocked by commands that need the node', async () => {
    const { at } = fresh();
    expectOneLine(await run(['wallet', 'lock', ...at]), /There is no wallet yet/);
    expectOneLine(await run(['wallet', 'lock-after', '5', ...at]), /There is no wallet yet/);
    await run(['wallet', 'create', '--no-confirm', ...at, ...secret]);
    const says = /No node runs on this directory, so nothing is unlocked/;
    expectOneLine(await run(['wallet', 'lock', ...at]), says);
    expectOneLine(await run(['wallet', 'lock-after', '5', ...at]), says);
  });

  it('unlocks for ever, and keeps that', { tags: 'long' }, async () => {
    const { dir, at } = fresh();
    await run(['wallet', 'create', '--no-confirm', ...at, ...secret]);
    const node = await startNode(dir, ...secret);
    const unlocked = await run(['wallet', 'unlock', '--lock-after', 'never', ...at, ...secret]);
    expect(unlocked.stdout).toMatch(/^Locks +never by itself$/m);
    expect((await run(['wallet', 'lock-after', 'never', ...at])).stdout).toMatch(/^Locks +never by itself$/m);
    expect(await node.stop()).toBe(0);
    // With books, the setting is kept for the start that is to come.
    expect((await run(['wallet', 'lock-after', '5', ...at])).code).toBe(0);
    const wrong = await run(['wallet', 'unlock', '--lock-after', '0', ...at, ...secret]);
    expect(wrong.stderr).toMatch(/Give a whole number from 1 to \d+/);
  });

  it('is said to be there before anything else is asked for', async () => {
    const { at } = fresh();
    await run(['wallet', 'create', '--no-confirm', ...at, ...secret]);
    const says = /There is a wallet already/;
    expectOneLine(await run(['wallet', 'create', ...at]), says);
    expectOneLine(await run(['wallet', 'restore', 'backup.json', ...at]), says);
    expectOneLine(await run(['devices', 'join', '00', ...at]), says);
  });
});

describe('a backup file', () => {
  it('is replaced with --force only, and any other file never', async () => {
    const { dir, at } = fresh();
    await run(['wallet', 'create', '--no-confirm', ...at, ...secret]);
    const node = await startNode(dir, ...secret);
    const [file, note] = [join(root, 'backup.json'), join(root, 'note.txt')];
    const backup = (...args: string[]) => run(['wallet', 'backup', ...args, ...at, ...secret]);
    expect((await backup(file)).code).toBe(0);
    const first = readFileSync(file, 'utf8');
    expectOneLine(await backup(file), /backup\.json is there already: choose another name, or add --force/);
    expect(readFileSync(file, 'utf8')).toBe(first);
    expect((await backup(file, '--force')).code).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toBe(first);
    writeFileSync(note, 'mine');
    expectOneLine(await backup(note), /note\.txt is there already/);
    expectOneLine(await backup(note, '--force'), /note\.txt is there already and is no backup/);
    expect(readFileSync(note, 'utf8')).toBe('mine');
    expect(await node.stop()).toBe(0);
  });
});
