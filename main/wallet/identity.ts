/** Who a peer is: its account and this device, out of the wallet in its folder. */
import { join } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import type { NodeStore } from '../db/node/store.ts';
import { type Account, accountFromPhrase } from './account.ts';
import { type DeviceIdentity, deviceFromSeed } from './device.ts';
import { walletExists } from './keystore.ts';
import { openOrCreateWallet } from './open-or-create.ts';

export interface Identity {
  readonly account: Account;
  readonly device: DeviceIdentity;
  /** Kept without a passphrase: allowed on a devnet only. */
  readonly unprotected: boolean;
}

/**
 * A first start makes a wallet. Books whose wallet is gone get no new one: it would be another account's, and it would
 * lie where the backup belongs.
 * @throws AceError `WalletInvalid`, `WalletLocked`
 */
export async function openIdentity(
  dir: string,
  store: Pick<NodeStore, 'meta'>,
  passphrase: string | undefined,
): Promise<Identity> {
  const path = join(dir, 'wallet.json');
  const owner = store.meta.get('account');
  if (owner !== null && !walletExists(path)) {
    throw new AceError(
      'WalletInvalid',
      `The wallet of account ${owner} is gone: put your backup back as ${path}, or choose another --data-dir`,
    );
  }
  const { phrase, deviceSeed, unprotected } = await openOrCreateWallet(path, passphrase);
  return { account: accountFromPhrase(phrase), device: deviceFromSeed(deviceSeed), unprotected };
}
