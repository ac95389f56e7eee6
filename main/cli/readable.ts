import { readdirSync } from 'node:fs';
import { AceError } from '../../shared/errors.ts';

/**
 * A data directory is its owner's alone. To anybody else its files seem not to be there, which is not what happened.
 * A directory that is missing passes.
 * @throws AceError `FileUnreadable`
 */
export function checkReadable(dataDir: string): void {
  try {
    readdirSync(dataDir);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EACCES') return;
    throw new AceError(
      'FileUnreadable',
      `${dataDir} may not be read by this user: run the command as the user who started the node`,
      { cause },
    );
  }
}
