/** What opens a wallet's file: nothing, a passphrase that its user gives, or one that the system's key store has kept. */
import { AceError } from '../../shared/errors.ts';
import { protectionBy } from './identity.ts';
import { type WalletProtection, walletFacts } from './keystore.ts';
import type { SecretStore } from './secret-store.ts';

/** @throws AceError `WalletLocked` */
export async function protectionFor(
  { walletPath, secretStore }: { readonly walletPath: string; readonly secretStore: SecretStore },
  passphrase: string | null,
): Promise<WalletProtection> {
  const { protection } = await walletFacts(walletPath);
  if (protection === 'none') return protectionBy(undefined);
  if (protection === 'passphrase') {
    if (passphrase === null || passphrase === '') {
      throw new AceError('WalletLocked', 'The wallet needs its passphrase', {
        details: { reason: 'passphrase' },
      });
    }
    return protectionBy(passphrase);
  }
  const kept = await secretStore.load();
  if (kept !== null) return protectionBy(kept, 'system');
  throw new AceError(
    'WalletLocked',
    'The system’s key store does not give the wallet’s passphrase: sign in as the user who made it, or restore the wallet from its phrase in another --data-dir',
  );
}
