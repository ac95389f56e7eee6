/** What goes wrong around a data directory, told by the built program: one clear line, and nothing made or lost. */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openNodeStore } from '../../main/db/node/store.ts';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import { expectOneLine, run, type Service, startNode, startService } from '../helpers/cli.ts';
import { useCliRoot } from '../helpers/cli-root.ts';

const root = useCliRoot();
let validator: Service;
let validatorDir: string;
const at = (name: string) => join(root, name);

beforeAll(async () => {
  validatorDir = at('validator');
  validator = await startService('validator', '--data-dir', validatorDir, '--shards', '2');
});

/** A node of its own devnet, started once and stopped. */
async function usedDir(name: string): Promise<string> {
  const dir = at(name);
  const node = await startNode(dir);
  expect(await node.stop()).toBe(0);
  return dir;
}

describe('addresses that cannot be meant', () => {
  it.each([
    ['--listen', '999.1.1.1', /--listen cannot take "999.1.1.1"/],
    ['--announce', 'zzz', /--announce cannot take "zzz"/],
    ['--join', 'foo', /"foo" is not a peer address/],
  ])('%s is refused before a folder is made', async (option, value, says) => {
    const dir = at(`refused${option}`);
    expectOneLine(await run(['start', '--headless', '--data-dir', dir, option, value]), says);
    expect(existsSync(dir)).toBe(false);
  });
});

describe('a folder that is not the one meant', () => {
  it.each([['status'], ['channels'], ['contents'], ['settings']])(
    '%s says that a validator’s folder has no node',
    async (command) => {
      const ended = await run([command, '--data-dir', validatorDir]);
      expectOneLine(ended, /is a validator's folder and has no node: give the --data-dir of a node/);
      expectOneLine(
        await run([command, '--data-dir', join(validatorDir, 'shard-1')]),
        /a validator's folder/,
      );
    },
  );
});

describe('a validator of many shards', () => {
  it('says how the others are started, beside the one line for scripts', () => {
    const { stdout, stderr } = validator.said();
    expect(stdout).toEqual([validator.ready]);
    expect(stderr.at(-1)?.trim()).toBe(
      `ace-node validator --data-dir ${join(validatorDir, 'shard-1')} --chain ${validator.ready}`,
    );
  });
});

describe('a content id that is none', () => {
  it('is refused in the same words by each command that takes one', { tags: 'long' }, async () => {
    const dir = await usedDir('contents');
    for (const command of ['play', 'pin', 'unpin', 'pause', 'resume', 'delete']) {
      const ended = await run([command, 'xx', '--data-dir', dir]);
      expectOneLine(ended, 'ace-node: "xx" is not a content id such as bafy…');
    }
  });
});

describe('a wallet that is gone', () => {
  it('is asked for, and no other is made in its place', async () => {
    const dir = await usedDir('walletless');
    const wallet = join(dir, 'wallet.json');
    renameSync(wallet, at('backup.json'));
    expectOneLine(
      await run(['status', '--data-dir', dir]),
      /The wallet of account 0x\w{40} is gone: put your backup/,
    );
    expect(existsSync(wallet)).toBe(false);

    renameSync(at('backup.json'), wallet);
    expect((await run(['status', '--data-dir', dir])).code).toBe(0);
  });
});

describe('a home shard that is not trusted', () => {
  it('stops neither the node nor its commands, and status says what to do', async () => {
    const dir = await usedDir('distrusting');
    const atMs = Date.UTC(2026, 0, 2);
    const store = openNodeStore(join(dir, 'node.db'));
    store.commit(() => store.divergedShards.insert({ shard: 0, kind: 'histories', proof: null, atMs }));
    store.close();

    const node = await startNode(dir);
    const { code, stdout } = await run(['status', '--data-dir', dir]);
    const { stdout: json } = await run(['status', '--json', '--data-dir', dir]);
    expect(await node.stop()).toBe(0);

    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^NOT TRUSTED +Shard 0 told two histories .*copy of wallet\.json \(since 2026-01-02T/m,
    );
    const { distrustedShards } = JSON.parse(json) as NodeSnapshot;
    expect(distrustedShards).toEqual([
      { shard: 0, sinceMs: atMs, message: expect.stringContaining('Keep this data directory'), proof: null },
    ]);
  });
});
