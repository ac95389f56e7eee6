/**
 * Each command of the built program once, as a process: that it is wired, loads what it needs from the bundle, answers on
 * its streams and ends. What the commands do is tested inside one process, by the other files.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killStarted, runBinary, type SpawnedService, spawnNode, spawnService } from '../helpers/cli.ts';
import { MIB } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';
import { itInTiers } from '../helpers/tiers.ts';

const root = mkdtempSync(join(tmpdir(), 'ace-cli-binary-'));
const at = (name: string) => join(root, name);
const FRIEND = `0x${'1'.repeat(40)}`;
const CONTENT_ID = /^bafyrei[a-z2-7]{52}\n$/;

let validator: SpawnedService;
let node: SpawnedService;
/** The content that the commands below are about. */
const known = { contentId: '' };

const secret = ['--passphrase-file', at('passphrase')];
const here = ['--data-dir', at('node')];

beforeAll(async () => {
  writeFileSync(at('passphrase'), 'correct horse battery\n');
  validator = await spawnService('validator', '--data-dir', at('validator'));
  const create = ['wallet', 'create', '--no-confirm', '--join', validator.ready, ...here, ...secret];
  expect(await runBinary(create)).toMatchObject({ code: 0, stderr: '' });
  node = await spawnNode(at('node'), ...secret);
  const imported = await runBinary(['import', await makeFile(at('film.bin'), MIB), ...here]);
  expect(imported).toEqual({ code: 0, stdout: expect.stringMatching(CONTENT_ID), stderr: '' });
  known.contentId = imported.stdout.trim();
});

afterAll(async () => {
  // The services end cleanly, too.
  expect(await node?.stop()).toBe(0);
  expect(await validator?.stop()).toBe(0);
  await killStarted();
  rmSync(root, { recursive: true, force: true });
});

/** What each prints on the node that runs. */
const COMMANDS: readonly (readonly [name: string, args: () => string[], says: RegExp])[] = [
  ['contents', () => ['contents', '--json'], /film\.bin/],
  ['pin', () => ['pin', known.contentId], /is pinned/],
  ['unpin', () => ['unpin', known.contentId], /is not pinned/],
  ['pause', () => ['pause', known.contentId], /is not shared until/],
  ['resume', () => ['resume', known.contentId], /is shared again/],
  ['settings get', () => ['settings', 'get', '--json'], /^\{/],
  ['settings set', () => ['settings', 'set', 'upload', '500MiB/s'], /500 MiB/],
  ['play', () => ['play', known.contentId], /^http:\/\/127\.0\.0\.1:\d+\/content\//],
  ['play --out', () => ['play', known.contentId, '--out', at('copy.bin')], /copy\.bin\n$/],
  ['broadcast', () => ['broadcast', '--name', 'Harbour'], /\/live\.m3u8\n$/],
  ['wallet status', () => ['wallet', 'status'], /^Wallet/m],
  ['wallet lock', () => ['wallet', 'lock'], /^Locks/m],
  ['wallet unlock', () => ['wallet', 'unlock', ...secret], /^Wallet +unlocked$/m],
  ['wallet lock-after', () => ['wallet', 'lock-after', '5'], /^Locks/m],
  ['wallet phrase', () => ['wallet', 'phrase', '--show', ...secret], /^([a-z]+ ){11}[a-z]+\n$/],
  ['wallet backup', () => ['wallet', 'backup', at('backup.json'), ...secret], /backup\.json\n/],
  ['topup', () => ['topup', '5'], /To spend: 0\.0000000 XAC, 5\.0000000 XAT/],
  ['topup --token', () => ['topup', '5', '--token', 'XAB'], /Topped up 5 XAB/],
  ['withdraw', () => ['withdraw', '1', '--yes'], /Kept: 1\.0000000 XAT/],
  ['deposit', () => ['deposit', '0.1', '--quote'], /^Move 0\.1 XAT to what you spend/],
  ['send', () => ['send', '0.1', 'XAT', FRIEND, '--quote'], /^Send 0\.1 XAT to 0x1111/],
  ['mint', () => ['mint', '0.1', '--quote'], /^Mint 0\.1 XAT/],
  ['swap', () => ['swap', '0.1', 'XAB', 'XAC', '--quote'], /^Sell 0\.1 XAB/],
  ['sales', () => ['sales'], /^No access was sold yet/],
  ['receive', () => ['receive'], /0x[0-9a-fA-F]{40}/],
  ['repayments', () => ['repayments'], /^No loan was repaid yet/],
  ['status', () => ['status', '--json'], /"running": true/],
  ['channels', () => ['channels'], /^No payment channels yet/],
  ['token', () => ['token'], /^[A-Za-z0-9_-]{32}\n$/],
  ['quote', () => ['quote', '10', '--json'], /^\{/],
  ['journal verify', () => ['journal', 'verify', '--json'], /"verified": true/],
  ['delete', () => ['delete', known.contentId, '--force'], /^Deleted/],
  ['export', () => ['export', '--format', 'csv'], /^Time UTC,/],
];

/** One that asks the node, one that reads the folder, one that opens the wallet. */
const QUICK = new Set(['contents', 'play --out', 'wallet phrase', 'journal verify']);

itInTiers({
  quick: COMMANDS.filter(([name]) => QUICK.has(name)),
  long: COMMANDS.filter(([name]) => !QUICK.has(name)),
})('ace-node %s', async (_name, args, says) => {
  const ended = await runBinary([...args(), ...here]);
  expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(says) });
});

it('ace-node access: of a title of one’s own, and of one that costs nothing', { tags: 'long' }, async () => {
  writeFileSync(at('sold.bin'), 'a title with a price');
  const sold = await runBinary(['import', at('sold.bin'), '--price', '0.5', '--premium', ...here]);
  expect(sold, sold.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^bafy/) });
  for (const [contentId, says] of [
    [sold.stdout.trim(), /sells this title/],
    [known.contentId, /costs nothing|There is no content|Nobody/],
  ] as const) {
    const ended = await runBinary(['access', contentId, '--quote', ...here]);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(says);
  }
});

it('ace-node devices: request, link, join, list, unlink', { tags: 'long' }, async () => {
  const second = ['--data-dir', at('second')];
  const printed = async (...args: string[]) => {
    const ended = await runBinary(['devices', ...args]);
    expect(ended.code, ended.stderr).toBe(0);
    return ended.stdout.trim();
  };
  const device = await printed('request', ...second);
  const certificate = await printed('link', device, ...here, ...secret);
  expect(await printed('join', certificate, ...second, ...secret)).toMatch(/^This device acts for 0x/);
  expect(await printed('list', '--json', ...here)).toContain(device);
  expect(await printed('unlink', device, ...here, ...secret)).toMatch(/^Unlinked/);
});

it('ace-node wallet restore, and wallet passphrase', { tags: 'long' }, async () => {
  const third = ['--data-dir', at('third')];
  const restored = await runBinary(['wallet', 'restore', at('backup.json'), ...third, ...secret]);
  expect(restored, restored.stderr).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Restored from'),
  });
  writeFileSync(at('next'), 'another horse\n');
  const change = ['wallet', 'passphrase', '--new-passphrase-file', at('next'), ...third, ...secret];
  expect(await runBinary(change)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('has the new passphrase'),
  });
});

it('ace-node chain info and verify', async () => {
  for (const [command, says] of [
    ['info', /"headHash"/],
    ['verify', /"verified": true/],
  ] as const) {
    const ended = await runBinary(['chain', command, '--json', '--data-dir', at('validator')]);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(says) });
  }
});
