import { createDevice } from './device.ts';
import { openWallet, saveWallet, type WalletProtection, walletExists } from './keystore.ts';
import { createPhrase } from './phrase.ts';

export interface OpenedWallet {
  readonly phrase: string;
  readonly deviceSeed: Uint8Array;
  /** Kept without a passphrase: allowed on a devnet only. */
  readonly unprotected: boolean;
}

/** The wallet of a data directory; a first start makes one. @throws AceError as `openWallet` and `saveWallet` */
export async function openOrCreateWallet(
  path: string,
  passphrase: string | undefined,
): Promise<OpenedWallet> {
  const protection: WalletProtection =
    passphrase === undefined
      ? { protection: 'none', devnet: true }
      : { protection: 'passphrase', passphrase };
  if (!walletExists(path)) {
    await saveWallet(path, { phrase: createPhrase(12), deviceSeed: createDevice().seed() }, protection);
  }
  const { phrase, deviceSeed } = await openWallet(path, protection);
  return { phrase, deviceSeed, unprotected: passphrase === undefined };
}
