/** Who a peer is: its account and this device, out of the wallet in its folder. */
import { AceError } from '../../shared/errors.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Account } from './account.ts';
import { createDevice, type DeviceIdentity } from './device.ts';
import { openWallet, saveWallet, type WalletProtection, walletExists, walletFacts } from './keystore.ts';
import { checkNewPassphrase } from './passphrase-rule.ts';
import { createPhrase } from './phrase.ts';
import { Wallet } from './wallet.ts';

/** A {@link Wallet}, as far as a peer needs it. */
export interface Identity {
  readonly account: Account;
  readonly device: DeviceIdentity;
  /** What this device was linked with, canonical bytes; `null` where the account's phrase is here and signs one. */
  readonly certificate: Uint8Array | null;
  /** `plain`: kept without a passphrase, which is allowed on a devnet only. */
  readonly status: Wallet['status'];
}

export function protectionBy(
  passphrase: string | undefined,
  knownBy: 'user' | 'system' = 'user',
): WalletProtection {
  return passphrase === undefined
    ? { protection: 'none', devnet: true }
    : { protection: 'passphrase', passphrase, knownBy };
}

/**
 * A new phrase and a new device, of a start that asks nothing.
 * @throws AceError `WalletInvalid` (a passphrase that is too short or too long); as `saveWallet`
 */
export async function makeWallet(path: string, protection: WalletProtection): Promise<void> {
  if (protection.protection === 'passphrase') checkNewPassphrase(protection.passphrase);
  await saveWallet(path, { phrase: createPhrase(12), deviceSeed: createDevice().seed() }, protection);
}

/**
 * The identity of a peer that no user drives: a first start makes a wallet without a passphrase.
 * @throws AceError `WalletInvalid`, `WalletLocked`
 */
export async function openIdentity(path: string, store: Pick<NodeStore, 'meta'>): Promise<Identity> {
  const protection = protectionBy(undefined);
  if (!walletExists(path)) {
    checkNoBooks(path, store.meta.get('account'));
    await makeWallet(path, protection);
  }
  return new Wallet(await openWallet(path, protection), {
    path,
    facts: await walletFacts(path),
    lockAfterMs: null,
    nowMs: Date.now,
    onChange: () => undefined,
  });
}

/**
 * Books whose wallet is gone get no new one: it would be another account's, and it would lie where the backup belongs.
 * @throws AceError `WalletInvalid`
 */
export function checkNoBooks(path: string, owner: string | null): void {
  if (owner === null) return;
  throw new AceError(
    'WalletInvalid',
    `The wallet of account ${owner} is gone: put your backup back as ${path}, or choose another --data-dir`,
  );
}
