/** What a node's books keep about its wallet: whose books they are, when it locks, when it was backed up last. */

import { AceError } from '../../shared/errors.ts';
import { DEFAULT_LOCK_AFTER_MINUTES } from '../../shared/rpc/wallet.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import type { MetaKey } from '../db/meta.ts';
import type { NodeStore } from '../db/node/store.ts';
import { checkNoBooks } from './identity.ts';
import { leaveDevice } from './lost-device.ts';

/** Runs `act` on the running node's store, or on one opened for the moment; on `null` while there are no books. */
export type WithStore = <T>(act: (store: NodeStore | null) => T) => T;

/** Keys of the meta table. */
const LOCK_AFTER = 'walletLockAfterMinutes';
const KEEPS_DEVICE = 'walletKeepsDevice';
const LAST_BACKUP = 'walletBackupAtMs';
const NEVER = 'never';

export class WalletBooks {
  readonly withStore: WithStore;
  #lockAfterMinutes: number | null = DEFAULT_LOCK_AFTER_MINUTES;
  #lastBackupAtMs: number | null = null;
  #keepsDevice = true;

  constructor(withStore: WithStore) {
    this.withStore = withStore;
  }

  /** An unlocked wallet locks itself this long after its last use; `null`: never. The default until {@link read}. */
  get lockAfterMinutes(): number | null {
    return this.#lockAfterMinutes;
  }

  /** The owner did not say that the device's key is not to be kept. */
  get keepsDevice(): boolean {
    return this.#keepsDevice;
  }

  get lastBackupAtMs(): number | null {
    return this.#lastBackupAtMs;
  }

  /** Takes what is stored. A wallet is opened with it. */
  read(): void {
    this.withStore((store) => {
      const lockAfter = store?.meta.get(LOCK_AFTER) ?? String(DEFAULT_LOCK_AFTER_MINUTES);
      const backup = store?.meta.get(LAST_BACKUP) ?? null;
      this.#keepsDevice = store?.meta.get(KEEPS_DEVICE) !== NEVER;
      this.#lockAfterMinutes = lockAfter === NEVER ? null : Number(lockAfter);
      this.#lastBackupAtMs = backup === null ? null : Number(backup);
    });
  }

  /** @returns whether there are books to keep it in */
  setLockAfter(minutes: number | null): boolean {
    const isKept = this.#keep(LOCK_AFTER, String(minutes ?? NEVER));
    if (isKept) this.#lockAfterMinutes = minutes;
    return isKept;
  }

  /** @returns whether there are books to keep it in */
  setKeepsDevice(keeps: boolean): boolean {
    const isKept = this.#keep(KEEPS_DEVICE, keeps ? 'yes' : NEVER);
    if (isKept) this.#keepsDevice = keeps;
    return isKept;
  }

  setLastBackup(atMs: number): void {
    this.#keep(LAST_BACKUP, String(atMs));
    this.#lastBackupAtMs = atMs;
  }

  /** Books that are here belong to one account. @throws AceError `WalletInvalid` */
  checkOwner(address: string): void {
    const owner = this.#owner();
    if (owner === null || owner === address) return;
    throw otherAccount(owner, address);
  }

  /**
   * A wallet that cannot be opened is this account's.
   * @param known what else tells whose the wallet is; the books come first. @throws AceError `WalletInvalid`
   */
  checkWalletOwner(address: string, known: string | null, walletPath: string): void {
    const owner = this.#owner() ?? known;
    if (owner === address) return;
    if (owner !== null) throw otherAccount(owner, address);
    throw new AceError(
      'WalletInvalid',
      `Nothing here tells whose wallet this is, because the node has never run with it: move ${walletPath} to another place, then restore the phrase`,
      { details: { reason: 'owner-unknown' } },
    );
  }

  /** The key of the books' device is gone. */
  leaveDevice(nowMs: number): void {
    this.withStore((store) => store?.commit(() => leaveDevice(store, nowMs)));
  }

  /** @param walletPath where their wallet was. @throws AceError `WalletInvalid` when there are books */
  checkNone(walletPath: string): void {
    checkNoBooks(walletPath, this.#owner());
  }

  #owner(): string | null {
    return this.withStore((store) => store?.meta.get('account') ?? null);
  }

  #keep(key: MetaKey, value: string): boolean {
    return this.withStore((store) => {
      store?.commit(() => store.meta.set(key, value));
      return store !== null;
    });
  }
}

function otherAccount(owner: string, address: string): AceError {
  return new AceError(
    'WalletInvalid',
    `The books in this data directory are of account ${shownAddress(owner)}, not ${shownAddress(address)}`,
    { details: { reason: 'other-account' } },
  );
}
