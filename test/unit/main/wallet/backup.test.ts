import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBackup, writeBackup } from '../../../../main/wallet/backup.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const BACKUP = '{"format":"ace-backup","version":1}\n';

describe('a backup file', () => {
  it('replaces an earlier backup where it is to, and nothing else', async () => {
    const dir = tempDir();
    const path = join(dir, 'backup.json');
    await writeBackup(path, BACKUP, { replace: false });
    const kept = await expectAceRejection(
      'InvalidInput',
      writeBackup(path, `${BACKUP}\n`, { replace: false }),
    );
    expect(kept.message).toBe(`${path} is there already: choose another name, or have it replaced`);
    expect(readFileSync(path, 'utf8')).toBe(BACKUP);
    await writeBackup(path, `${BACKUP}\n`, { replace: true });
    expect(readFileSync(path, 'utf8')).toBe(`${BACKUP}\n`);
    writeFileSync(path, 'a letter');
    const error = await expectAceRejection('InvalidInput', writeBackup(path, BACKUP, { replace: true }));
    expect(error.message).toBe(`${path} is there already and is no backup: choose another name`);
    expect(readFileSync(path, 'utf8')).toBe('a letter');
    expect(readdirSync(dir)).toEqual(['backup.json']);
  });

  it('is not looked for in a folder', async () => {
    const path = join(tempDir(), 'folder');
    mkdirSync(path);
    await expectAceRejection('InvalidInput', writeBackup(path, BACKUP, { replace: true }));
    expect(readdirSync(path)).toEqual([]);
    await expectAceRejection('FileUnreadable', readBackup(path));
  });

  it.skipIf(process.platform === 'win32')('is not waited for at the end of a pipe', async () => {
    const path = join(tempDir(), 'pipe');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    await expectAceRejection('InvalidInput', writeBackup(path, BACKUP, { replace: true }));
    await expectAceRejection('FileUnreadable', readBackup(path));
  });
});
