/** Where a passphrase may come from, and what a new one must be. The boundary of the node checks the same limits, for pages. */
import { AceError } from '../../shared/errors.ts';
import { MAX_PASSPHRASE_LENGTH, MIN_PASSPHRASE_LENGTH } from '../../shared/rpc/wallet.ts';

/** What scripts and services set. The command line takes it over; the window's process inherits it. */
export const PASSPHRASE_VARIABLE = 'ACE_NODE_PASSPHRASE';

/** One that no page and no command would take could never be given again. @throws AceError `WalletInvalid` */
export function checkNewPassphrase({ length }: string): void {
  if (length >= MIN_PASSPHRASE_LENGTH && length <= MAX_PASSPHRASE_LENGTH) return;
  throw new AceError(
    'WalletInvalid',
    `A passphrase has ${MIN_PASSPHRASE_LENGTH} to ${MAX_PASSPHRASE_LENGTH} characters: choose another one`,
  );
}
