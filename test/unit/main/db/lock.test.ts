import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDataDir } from '../../../../main/db/lock.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { asOrdinaryUser } from '../../../helpers/ordinary-user.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const LOCK_MODULE = new URL('../../../../main/db/lock.ts', import.meta.url).href;

describe('lockDataDir', () => {
  it('makes a missing directory that only its owner can enter', () => {
    const dir = join(tempDir(), 'new', 'data');
    lockDataDir(dir).release();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  it('refuses a directory that is in use and names it', () => {
    const dir = tempDir();
    const lock = lockDataDir(dir);
    const error = expectAceError('DataDirInUse', () => lockDataDir(dir));
    expect(error.message).toContain(dir);
    expect(error.message).toContain('--data-dir');
    lock.release();
  });

  it('frees the directory on release, once or twice', () => {
    const dir = tempDir();
    const lock = lockDataDir(dir);
    lock.release();
    lock.release();
    lockDataDir(dir).release();
  });

  it('is held against another process, and freed when that process is killed', async () => {
    const dir = tempDir();
    const script = `import { lockDataDir } from ${JSON.stringify(LOCK_MODULE)};
      lockDataDir(${JSON.stringify(dir)}); console.log('held'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    expectAceError('DataDirInUse', () => lockDataDir(dir));
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockDataDir(dir).release();
  });

  it('reports a path that cannot be a directory as DataDirNotWritable', () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    expectAceError('DataDirNotWritable', () => lockDataDir(join(file, 'data')));
  });

  // In a process of its own: if this came back to a recursive mkdir, it would never end.
  it.skipIf(process.platform !== 'linux')('reports a folder that cannot be made under /proc', () => {
    const script = `import { lockDataDir } from ${JSON.stringify(LOCK_MODULE)};
      try { lockDataDir('/proc/ace-node/data'); } catch (error) { console.log(error.code, error.message); }`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 });
    expect(said.toString()).toBe('DataDirNotWritable No folder can be made in /proc\n');
  });

  it('makes nothing through a link that leads nowhere', () => {
    const link = join(tempDir(), 'link');
    symlinkSync(join(link, '..', 'gone'), link);
    expectAceError('DataDirNotWritable', () => lockDataDir(join(link, 'data')));
  });

  it('reports a read-only directory as DataDirNotWritable', async () => {
    const root = tempDir();
    const dir = join(root, 'data');
    mkdirSync(dir);
    chmodSync(dir, 0o500);
    await asOrdinaryUser(root, () => expectAceError('DataDirNotWritable', () => lockDataDir(dir)));
  });
});
