/**
 * The wallet of a data directory: its file, the passphrase that the system's key store may keep for it, and the keys
 * that were opened. It keeps no passphrase and no phrase longer than the call that brought it. Its callers take care
 * that only one of its changes runs at a time.
 */
import { randomBytes } from 'node:crypto';
import { AceError, isAceError } from '../../shared/errors.ts';
import { createDevice, type DeviceIdentity } from './device.ts';
import { checkNotAsked, forgetWaitingDevice, waitingDevice } from './device-request.ts';
import { makeWallet, protectionBy } from './identity.ts';
import type { KeptDevices } from './kept-device.ts';
import {
  checkNoWallet,
  openWallet,
  saveWallet,
  type WalletFacts,
  type WalletProtection,
  type WalletSecrets,
  walletExists,
  walletFacts,
} from './keystore.ts';
import type { SecretStore } from './secret-store.ts';
import { Wallet } from './wallet.ts';
import type { WalletBooks } from './wallet-books.ts';

export interface WalletFilesContext {
  readonly walletPath: string;
  readonly deviceRequestPath: string;
  readonly secretStore: SecretStore;
  readonly keptDevices: KeptDevices;
  readonly books: WalletBooks;
  readonly nowMs: () => number;
  /** The open wallet was locked or unlocked. */
  readonly onChange: () => void;
  /** Before a wallet, or a device's request, is kept where there was none. */
  readonly beforeFirstKey: () => Promise<void>;
}

const MINUTE_MS = 60_000;

export class WalletFiles {
  readonly #context: WalletFilesContext;
  #wallet: Wallet | null = null;
  #facts: WalletFacts | null = null;
  #remembered = false;

  constructor(context: WalletFilesContext) {
    this.#context = context;
  }

  /** Open, though it may be locked; `null` before. */
  get wallet(): Wallet | null {
    return this.#wallet;
  }

  get exists(): boolean {
    return walletExists(this.#context.walletPath);
  }

  /** What can be read of the file without opening it; `null` before it was read. */
  get facts(): WalletFacts | null {
    return this.#facts;
  }

  /** The system's key store has the passphrase that the owner chose. */
  get remembered(): boolean {
    return this.#remembered;
  }

  /** @throws AceError `WalletInvalid` when there is a wallet */
  checkNone(): void {
    checkNoWallet(this.#context.walletPath);
  }

  /** A new account is made only where neither a wallet nor books are. @throws AceError `WalletInvalid` */
  checkNoAccount(): void {
    this.checkNone();
    this.#context.books.checkNone(this.#context.walletPath);
  }

  /** @throws AceError `WalletMissing` */
  checkExists(): void {
    if (this.exists) return;
    throw new AceError('WalletMissing', 'There is no wallet yet: make one, or restore one');
  }

  /** @throws AceError `WalletInvalid` (damaged), `FileMissing`, `FileUnreadable` */
  readFacts(): Promise<WalletFacts> {
    return walletFacts(this.#context.walletPath);
  }

  /**
   * Opens the wallet with what is at hand: the given passphrase, the one that the system keeps, or else only the device's
   * key, where it is kept. Then the wallet is locked, and can do all that needs no signature of the account.
   * @returns `null` when its owner has to give the passphrase
   * @throws AceError as `openWallet`; `KeyStoreLocked` when the passphrase is one that only the system knows
   */
  async openUnasked(passphrase: string | undefined): Promise<Wallet | null> {
    const { walletPath } = this.#context;
    this.#facts = await this.readFacts();
    if (this.#facts.protection === 'none' || passphrase !== undefined) {
      return this.#open(await openWallet(walletPath, protectionBy(passphrase)));
    }
    const kept = await this.#loadKept();
    if (kept === null) return this.#openLocked();
    try {
      const secrets = await openWallet(walletPath, protectionBy(kept));
      this.#remembered = true;
      return this.#open(secrets);
    } catch (error) {
      // What is kept is of an earlier passphrase: the owner knows the new one.
      if (!isAceError(error, 'WalletLocked')) throw error;
      return this.#openLocked();
    }
  }

  /**
   * Makes a wallet at a start that asks nothing.
   * @throws AceError `WalletInvalid` (books without their wallet), `WalletMissing` (this device waits for its certificate)
   */
  async makeUnasked(passphrase: string | undefined): Promise<void> {
    this.checkNoAccount();
    checkNotAsked(this.#context.deviceRequestPath);
    await makeWallet(this.#context.walletPath, protectionBy(passphrase));
  }

  /** A wallet without a passphrase, whose phrase can be seen later. @throws AceError `WalletInvalid` */
  async makePlain(): Promise<void> {
    const { walletPath, deviceRequestPath } = this.#context;
    this.checkNoAccount();
    await makeWallet(walletPath, protectionBy(undefined));
    await forgetWaitingDevice(deviceRequestPath);
    await this.openUnasked(undefined);
  }

  /**
   * Saves a new wallet and opens it. Without a passphrase the system's key store gets a random one, where there is one.
   * @throws AceError as `saveWallet`; `NotAllowed` when it cannot be remembered
   */
  async keep(secrets: WalletSecrets, passphrase: string | null, remember: boolean): Promise<void> {
    const { walletPath, deviceRequestPath, secretStore, beforeFirstKey } = this.#context;
    let protection = protectionBy(passphrase ?? undefined);
    if (passphrase === null && (await secretStore.usable()).usable) {
      const random = randomBytes(32).toString('base64url');
      // First: without it the wallet could never be opened.
      await this.#remember(random);
      protection = protectionBy(random, 'system');
    } else if (remember && passphrase !== null) await this.#checkStore();
    await beforeFirstKey();
    await this.#context.keptDevices.forget(); // of another device
    await saveWallet(walletPath, secrets, protection, { phraseConfirmed: true });
    // Its key lies in the wallet now, or its owner has made another one instead.
    await forgetWaitingDevice(deviceRequestPath);
    if (remember && passphrase !== null) await this.#remember(passphrase);
    this.#facts = await this.readFacts();
    this.#open(secrets);
  }

  /** @throws AceError `WalletMissing`, `WalletLocked` (a wrong passphrase), `WalletInvalid`, `NotAllowed` */
  async unlock(passphrase: string, remember: boolean): Promise<void> {
    this.checkExists();
    const protection = await this.#protectionFor(passphrase);
    if (this.#wallet) await this.#wallet.unlock(protection);
    else this.#open(await openWallet(this.#context.walletPath, protection));
    if (remember) await this.#remember(passphrase);
  }

  /** @throws AceError `WalletMissing`, `WalletLocked` (`current` is wrong), `WalletInvalid`, `NotAllowed` */
  async changePassphrase(current: string | null, next: string, remember: boolean): Promise<void> {
    const { walletPath } = this.#context;
    this.checkExists();
    const { phraseConfirmed } = await this.readFacts();
    const secrets = await openWallet(walletPath, await this.#protectionFor(current));
    if (remember) await this.#checkStore();
    await saveWallet(walletPath, secrets, protectionBy(next), { replace: true, phraseConfirmed });
    await this.#protected(next, remember);
  }

  /**
   * Another passphrase for an account whose phrase is here: the one before is not needed. The device stays where its key is
   * in memory, as of a node that runs locked; else its key is lost with that passphrase, and a new one takes over the books:
   * these first, then the wallet, so that all of it can be done again after an interruption.
   * @param phrase of the account that the wallet is of: its caller has checked that
   * @returns whether this is a new device
   * @throws AceError `WalletInvalid`, `NotAllowed` (it cannot be remembered), `DataDirNotWritable`, `StoreFailed`
   */
  async resetPassphrase(phrase: string, next: string, remember: boolean): Promise<boolean> {
    const { walletPath, keptDevices, books, nowMs } = this.#context;
    if (remember) await this.#checkStore();
    const known = this.#wallet?.device ?? null;
    if (!known) {
      books.leaveDevice(nowMs());
      await keptDevices.forget(); // what could not be read of it
    }
    const secrets = { phrase, deviceSeed: (known ?? createDevice()).seed() };
    const protection = protectionBy(next);
    await saveWallet(walletPath, secrets, protection, { replace: true, phraseConfirmed: true });
    await this.#protected(next, remember);
    if (this.#wallet) await this.#wallet.unlock(protection);
    else this.#open(secrets);
    return known === null;
  }

  /** The file has this passphrase now. */
  async #protected(passphrase: string, remember: boolean): Promise<void> {
    this.#facts = await this.readFacts();
    this.#wallet?.protectedAs(this.#facts);
    if (remember) await this.#remember(passphrase);
    else {
      await this.#context.secretStore.forget();
      this.#remembered = false;
    }
  }

  /** @throws AceError `WalletMissing`; `NotAllowed` on a device without the phrase; as `openWallet` */
  async secrets(passphrase: string | null): Promise<WalletSecrets & { readonly phrase: string }> {
    this.checkExists();
    const protection = await this.#protectionFor(passphrase);
    const { phrase, deviceSeed } = await openWallet(this.#context.walletPath, protection);
    if (phrase !== null) return { phrase, deviceSeed };
    throw new AceError('NotAllowed', 'This device has no recovery phrase: the device that linked it does');
  }

  /** The device that asked to act for an account, or that asks from now on. @throws AceError `WalletInvalid` */
  async waitingDevice(): Promise<DeviceIdentity> {
    this.checkNone();
    await this.#context.beforeFirstKey();
    return waitingDevice(this.#context.deviceRequestPath);
  }

  /** The open wallet locks itself so long after its last use, counted anew. */
  setLockAfter(minutes: number | null): void {
    this.#wallet?.setLockAfter(inMs(minutes));
  }

  /** Takes the account's key out of memory. */
  close(): void {
    this.#wallet?.close();
  }

  /** An owner who chose the passphrase can give it, while the key store is locked. */
  async #loadKept(): Promise<string | null> {
    try {
      return await this.#context.secretStore.load();
    } catch (error) {
      if (!isAceError(error, 'KeyStoreLocked') || this.#facts?.protection === 'system') throw error;
      return null;
    }
  }

  async #openLocked(): Promise<Wallet | null> {
    const kept = await this.#context.keptDevices.load();
    return kept && this.#open({ phrase: null, ...kept }, true);
  }

  #open(secrets: WalletSecrets, opensLocked = false): Wallet {
    const { walletPath, books, nowMs, onChange } = this.#context;
    books.read();
    this.#wallet = new Wallet(secrets, {
      path: walletPath,
      facts: this.#facts ?? { protection: 'none', phraseConfirmed: false },
      opensLocked,
      lockAfterMs: inMs(books.lockAfterMinutes),
      nowMs,
      onChange,
    });
    return this.#wallet;
  }

  /** What opens the file: nothing, a passphrase that its owner gives, or one that the system has kept. */
  async #protectionFor(passphrase: string | null): Promise<WalletProtection> {
    const { protection } = await this.readFacts();
    if (protection === 'none') return protectionBy(undefined);
    if (protection === 'passphrase') {
      if (passphrase !== null && passphrase !== '') return protectionBy(passphrase);
      throw new AceError('WalletLocked', 'The wallet needs its passphrase', {
        details: { reason: 'passphrase' },
      });
    }
    const kept = await this.#context.secretStore.load();
    if (kept !== null) return protectionBy(kept, 'system');
    throw new AceError(
      'WalletLocked',
      'The system’s key store does not give the wallet’s passphrase: sign in as the user who made it, or restore the wallet from its phrase, which gives it a passphrase of yours',
    );
  }

  async #checkStore(): Promise<void> {
    const { usable, why } = await this.#context.secretStore.usable();
    if (!usable) throw new AceError('NotAllowed', `The passphrase cannot be remembered here: ${why}`);
  }

  async #remember(passphrase: string): Promise<void> {
    await this.#checkStore();
    await this.#context.secretStore.save(passphrase);
    this.#remembered = true;
  }
}

function inMs(minutes: number | null): number | null {
  return minutes === null ? null : minutes * MINUTE_MS;
}
