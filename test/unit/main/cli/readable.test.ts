import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chainInfoCommand } from '../../../../main/cli/chain.ts';
import { openExisting } from '../../../../main/cli/node-connection.ts';
import { checkReadable } from '../../../../main/cli/readable.ts';
import { expectAceError, expectAceRejection } from '../../../helpers/ace-error.ts';
import { asOrdinaryUser } from '../../../helpers/ordinary-user.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

describe('a data directory of another user', () => {
  it('is refused by name, and not taken for an empty one', async () => {
    const root = tempDir();
    const dataDir = join(root, 'theirs');
    mkdirSync(dataDir);
    await asOrdinaryUser(root, async () => {
      checkReadable(dataDir);
      chmodSync(dataDir, 0o000);
      expectAceError('FileUnreadable', () => checkReadable(dataDir));
      await expectAceRejection('FileUnreadable', chainInfoCommand(dataDir, false));
      const config = { dataDir, resourcesDir: root, pagesDir: root };
      await expectAceRejection('FileUnreadable', openExisting(config));
      chmodSync(dataDir, 0o700);
    });
  });

  it('passes when there is none, so that the command says what it misses', () => {
    expect(() => checkReadable(join(tempDir(), 'nowhere'))).not.toThrow();
  });
});
