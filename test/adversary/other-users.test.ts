/** Other users of the computer. Before, in a folder of 0755 the books were 0644: one read unrevealed ticks and billed the owner to full capacity. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { keepOthersOut } from '../../main/data-dir/other-users.ts';
import { killStarted, startNode, startService } from '../helpers/cli.ts';
import { asOrdinaryUser } from '../helpers/ordinary-user.ts';
import { tempDir } from '../helpers/temp-dir.ts';

// A data directory that existed with mode 0755 stayed open: node.db, its -wal and the log were 0644, with a umask of 000
// the log 0666. Another user of the machine read unrevealed ticks there, and billed the owner to full capacity.

afterAll(killStarted);

const isWindows = process.platform === 'win32';
const entries = (dir: string) => [
  dir,
  ...readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name)),
];
const openToOthers = (dir: string) =>
  entries(dir).filter((path) => {
    const stat = lstatSync(path);
    return !stat.isSymbolicLink() && (stat.mode & 0o077) !== 0;
  });

/** A folder as it comes out of an archive, with whatever modes. */
function openFolder(): string {
  const dir = join(tempDir(), 'data');
  mkdirSync(dir);
  chmodSync(dir, 0o755);
  return dir;
}

function withoutUmask(): void {
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));
}

describe.skipIf(isWindows)('another user of this machine', () => {
  it('reads nothing of a node and its devnet, whatever the modes and the umask were', {
    tags: 'long',
  }, async () => {
    withoutUmask();
    const dir = openFolder();
    const node = await startNode(dir);
    expect(entries(dir).map((path) => path.slice(dir.length + 1))).toEqual(
      expect.arrayContaining([
        'node.db',
        'node.db-wal',
        'node.log',
        'lock.db',
        'pieces',
        'devnet/validator/chain.db',
      ]),
    );
    expect(openToOthers(dir)).toEqual([]);
    expect(await node.stop()).toBe(0);
  });

  it('reads nothing of a node of an older version either, from its next start on', async () => {
    withoutUmask();
    const dir = openFolder();
    await (await startNode(dir)).stop();
    writeFileSync(join(dir, 'node.log.1'), 'old');
    for (const path of entries(dir)) chmodSync(path, lstatSync(path).isDirectory() ? 0o755 : 0o644);
    const node = await startNode(dir);
    expect(openToOthers(dir)).toEqual([]);
    expect(await node.stop()).toBe(0);
  });

  it('reads nothing of a validator', async () => {
    withoutUmask();
    const dir = openFolder();
    const validator = await startService('validator', '--data-dir', dir, '--port', '0');
    expect(openToOthers(dir)).toEqual([]);
    expect(await validator.stop()).toBe(0);
  });
});

describe.skipIf(isWindows)('a folder that cannot be closed', () => {
  it.skipIf(process.getuid?.() !== 0)('is warned of, with what to do', async () => {
    const outer = tempDir();
    const log = { warn: vi.fn() };
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => stderr.mockRestore());
    await asOrdinaryUser(outer, () => {
      const dir = join(outer, 'data');
      mkdirSync(dir);
      writeFileSync(join(dir, 'node.db'), 'books');
      process.seteuid?.(0);
      chownSync(dir, 0, 0);
      chmodSync(dir, 0o777);
      process.seteuid?.(65_534);
      keepOthersOut(dir, log);
      // What can be closed is closed all the same.
      expect(openToOthers(dir)).toEqual([dir]);
      expect(readFileSync(join(dir, 'node.db'), 'utf8')).toBe('books');
      const says =
        /^Other users of this computer can read .+ belongs to another user: have that one run chmod -R/;
      expect(log.warn).toHaveBeenCalledExactlyOnceWith({ mode: '40777' }, expect.stringMatching(says));
      expect(stderr.mock.calls.flat()).toEqual([expect.stringContaining('ace-node: Other users')]);
    });
  });

  it('leaves links alone: what they lead to is their owner’s', () => {
    const dir = openFolder();
    const elsewhere = join(tempDir(), 'film');
    writeFileSync(elsewhere, 'film');
    chmodSync(elsewhere, 0o644);
    symlinkSync(elsewhere, join(dir, 'link'));
    writeFileSync(join(dir, 'node.db'), 'books', { mode: 0o644 });
    keepOthersOut(dir, { warn: () => expect.unreachable() });
    expect(lstatSync(elsewhere).mode & 0o777).toBe(0o644);
    expect(openToOthers(dir)).toEqual([]);
  });
});
