import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { PIECES_PROTOCOL } from '../../main/pieces/constants.ts';
import { killStarted, run, type SpawnedService, spawnNode, spawnService } from '../helpers/cli.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { floodWithGarbage } from '../helpers/garbage.ts';
import { FailingDisk, noFailingDisk, noSmallDisk, SmallDisk } from '../helpers/small-disk.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

// Each role died of an unhandled error of the logger's stream when its disk was full.

const MIB = 1_048_576;
const DISK_BYTES = 24 * MIB;

afterEach(killStarted);

interface Started extends SpawnedService {
  readonly dir: string;
}

async function validatorIn(dir: string): Promise<Started> {
  return { ...(await spawnService('validator', '--data-dir', dir, '--port', '0')), dir };
}

async function nodeIn(dir: string, validator: Started): Promise<Started> {
  return { ...(await spawnNode(dir, '--join', validator.ready)), dir };
}

async function status(node: Started): Promise<{ readonly multiaddrs: readonly string[] }> {
  const ended = await run(['status', '--data-dir', node.dir, '--json']);
  expect(ended, 'the node answers').toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout);
}

async function imported(node: Started, sizeBytes: number): Promise<{ contentId: string; file: string }> {
  const file = await makeFile(join(tempDir(), 'film.bin'), sizeBytes, node.dir);
  const ended = await run(['import', file, '--data-dir', node.dir]);
  const contentId = /\bbaf\w+/.exec(ended.stdout)?.[0];
  if (contentId === undefined) throw new Error(`Nothing was imported: ${ended.stderr}`);
  return { contentId, file };
}

const fetched = (node: Started, contentId: string, out: string) =>
  run(['play', contentId, '--out', out, '--force', '--data-dir', node.dir]);

function expectAlive(service: Started): void {
  expect(service.child.exitCode, service.said().stderr.join(' / ')).toBeNull();
  expect(service.child.signalCode).toBeNull();
}

const textOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

const why = noSmallDisk();

describe.skipIf(why !== null)(`a full disk${why === null ? '' : ` (${why})`}`, () => {
  it('costs a validator neither its process nor its books, and it goes on when there is room', async () => {
    const disk = new SmallDisk(DISK_BYTES);
    const validator = await validatorIn(join(disk.dir, 'validator'));
    const node = await nodeIn(tempDir(), validator);
    const topUp = () => run(['topup', '1', '--data-dir', node.dir]);
    expect((await topUp()).stderr).toBe('');

    disk.fill();
    await floodWithGarbage(validator.ready, [SHARD_PROTOCOL]);
    const refused = await topUp();
    expect(refused.code).toBe(1);
    expect(refused.stderr).not.toContain('something went wrong');
    expectAlive(validator);
    expect(validator.said().stderr.join('\n')).toContain('validator.log cannot be written (ENOSPC)');

    disk.free();
    await waitFor('the validator goes on', async () => (await topUp()).code === 0);
    await floodWithGarbage(validator.ready, [SHARD_PROTOCOL]);
    expectAlive(validator);
    await waitFor('its log says what is missing', () =>
      textOf(join(validator.dir, 'validator.log')).includes('"missing":'),
    );
    expect(await validator.stop()).toBe(0);
  });

  it('costs a provider neither its process nor what it earned, and it goes on when there is room', async () => {
    const disk = new SmallDisk(DISK_BYTES);
    const validator = await validatorIn(tempDir());
    const provider = await nodeIn(join(disk.dir, 'node'), validator);
    const { contentId, file } = await imported(provider, 6 * MIB);
    const viewer = await nodeIn(tempDir(), validator);
    const { multiaddrs } = await status(provider);

    disk.fill();
    await floodWithGarbage(multiaddrs[0] ?? '', [PIECES_PROTOCOL]);
    const out = join(tempDir(), 'film');
    const fetching = fetched(viewer, contentId, out);
    // The store of the provider is what fails now: it can book nothing.
    await waitFor('the provider has refused to serve', async () => {
      await status(provider);
      return provider.said().stderr.some((line) => line.includes('cannot be written'));
    });
    expectAlive(provider);

    disk.free();
    const done = await fetching;
    if (done.code !== 0) expect((await fetched(viewer, contentId, out)).stderr).toBe('');
    expect(await sha256OfFile(out)).toBe(await sha256OfFile(file));
    await status(provider);
    expect(await provider.stop()).toBe(0);
  });

  it.each([
    ['becomes full on the way', 3 * MIB],
    ['is full before anything came', 0],
  ])(
    'costs a viewer whose disk %s neither its process nor what it paid for',
    async (_: string, leaveBytes: number) => {
      const disk = new SmallDisk(DISK_BYTES);
      const validator = await validatorIn(tempDir());
      const provider = await nodeIn(tempDir(), validator);
      const { contentId, file } = await imported(provider, 10 * MIB);
      const viewer = await nodeIn(join(disk.dir, 'node'), validator);
      await status(viewer);

      disk.fill(leaveBytes);
      const out = join(tempDir(), 'film');
      const failed = await fetched(viewer, contentId, out);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/disk is full/i);
      expectAlive(viewer);
      await status(viewer);

      disk.free();
      await waitFor('the viewer goes on', async () => (await fetched(viewer, contentId, out)).code === 0);
      expect(await sha256OfFile(out)).toBe(await sha256OfFile(file));
      expect(await viewer.stop()).toBe(0);
    },
  );

  it('refuses a new setting by name, keeps the old one, and takes it when there is room', async () => {
    const disk = new SmallDisk(DISK_BYTES);
    const validator = await validatorIn(tempDir());
    const node = await nodeIn(join(disk.dir, 'node'), validator);
    const set = () => run(['settings', 'set', 'connections', '77', '--data-dir', node.dir]);
    disk.fill();
    // The log of changes may have room for some.
    await waitFor('the store is full', async () => (await set()).code === 1);
    expect((await set()).stderr).toMatch(/^ace-node: The disk is full/);
    disk.free();
    expect((await set()).code).toBe(0);
    expect(await node.stop()).toBe(0);
  });
});

const whyNot = noFailingDisk();

describe.skipIf(whyNot !== null)(
  `a disk that turns read-only${whyNot === null ? '' : ` (${whyNot})`}`,
  () => {
    it('is said by each role and ends none of them, and they go on with what they had when it is repaired', async () => {
      const disk = new FailingDisk();
      const dirs = ['validator', 'provider', 'viewer'].map((name) => join(disk.dir, name));
      const [validatorDir = '', providerDir = '', viewerDir = ''] = dirs;
      const start = async () => {
        const validator = await validatorIn(validatorDir);
        return [validator, await nodeIn(providerDir, validator), await nodeIn(viewerDir, validator)] as const;
      };
      const before = await start();
      const [validator, provider, viewer] = before;
      const { contentId, file } = await imported(provider, 6 * MIB);
      const { multiaddrs } = await status(provider);
      const out = join(tempDir(), 'film');

      disk.fail();
      const failed = await fetched(viewer, contentId, out);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(
        /^ace-node: The (data directory cannot be written to|disk does not read or write)/,
      );
      const topUp = await run(['topup', '1', '--data-dir', viewer.dir]);
      expect(topUp).toMatchObject({ code: 1 });
      expect(topUp.stderr).not.toContain('something went wrong');
      await floodWithGarbage(validator.ready, [SHARD_PROTOCOL]);
      await floodWithGarbage(multiaddrs[0] ?? '', [PIECES_PROTOCOL]);
      await status(viewer);
      for (const role of before) expectAlive(role);

      for (const role of before) await role.stop();
      disk.repair();
      const [, again, viewerAgain] = await start();
      await status(again);
      expect((await fetched(viewerAgain, contentId, out)).stderr).toBe('');
      expect(await sha256OfFile(out)).toBe(await sha256OfFile(file));
    });
  },
);
