/**
 * The wallet as its owner handles it: made, restored, opened, locked, protected, backed up. It is there before the node
 * runs, and starts it once the wallet is open; one thing at a time. Nothing here keeps a passphrase or a phrase longer
 * than the call that brought it, except a new phrase until it is confirmed.
 */
import { randomBytes } from 'node:crypto';
import { sameBytes } from '../../shared/bytes.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import {
  DEFAULT_LOCK_AFTER_MINUTES,
  type WalletOutputs,
  type WalletStateView,
} from '../../shared/rpc/wallet.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { CheckedInput } from '../rpc/service.ts';
import { serializer } from '../util/serialize.ts';
import { accountFromPhrase } from './account.ts';
import { showAddress } from './address.ts';
import { decodeCertificate } from './certificate.ts';
import { createDevice, type DeviceIdentity } from './device.ts';
import { peerIdOf } from './device-peer-id.ts';
import { checkNotAsked, forgetWaitingDevice, waitingDevice } from './device-request.ts';
import { checkConfirmed, type Draft, makeDraft } from './draft.ts';
import { checkNoBooks, makeWallet, protectionBy } from './identity.ts';
import {
  checkNoWallet,
  openWallet,
  saveWallet,
  type WalletFacts,
  type WalletSecrets,
  walletExists,
  walletFacts,
} from './keystore.ts';
import { parsePhrase } from './phrase.ts';
import { protectionFor } from './protection.ts';
import type { SecretStore } from './secret-store.ts';
import { Wallet } from './wallet.ts';

export interface WalletDeskOptions {
  readonly walletPath: string;
  readonly deviceRequestPath: string;
  readonly secretStore: SecretStore;
  readonly nowMs: () => number;
  /** Starts the node with the wallet. @throws why it does not start */
  readonly start: (wallet: Wallet) => Promise<void>;
  readonly isRunning: () => boolean;
  /** Where the books are: the running node's store, or one opened for the moment; `null` while there is none. */
  readonly withStore: <T>(act: (store: NodeStore | null) => T) => T;
  readonly onChange: (state: WalletStateView) => void;
  /** Before a wallet, or a device's request, is kept where there was none. */
  readonly beforeFirstKey: () => Promise<void>;
}

/** In the meta table. */
const LOCK_AFTER = 'walletLockAfterMinutes';
const LAST_BACKUP = 'walletBackupAtMs';
const NEVER = 'never';
const MINUTE_MS = 60_000;

export class WalletDesk {
  readonly options: WalletDeskOptions;
  readonly #alone = serializer();
  #wallet: Wallet | null = null;
  #facts: WalletFacts | null = null;
  #draft: Draft | null = null;
  #failure: WalletStateView['failure'] = null;
  #remembered = false;
  #kept: { readonly lockAfterMinutes: number | null; readonly lastBackupAtMs: number | null } = {
    lockAfterMinutes: DEFAULT_LOCK_AFTER_MINUTES,
    lastBackupAtMs: null,
  };

  constructor(options: WalletDeskOptions) {
    this.options = options;
  }

  /** Open, though it may be locked; `null` before. */
  get wallet(): Wallet | null {
    return this.#wallet;
  }

  /**
   * Opens the wallet that is there, with the passphrase that was given or that the system keeps. Where there is none it
   * makes one, unless `firstRun`: then its owner is to be asked. The answer is `null` when somebody has to come first;
   * without `mayWait` a locked wallet is an error instead.
   * @throws AceError `WalletLocked`, `WalletMissing` (this device waits for its certificate), `WalletInvalid`,
   * `DataDirNotWritable`, `StoreFailed`
   */
  async begin(
    passphrase: string | undefined,
    { firstRun, mayWait }: { readonly firstRun: boolean; readonly mayWait: boolean },
  ): Promise<Wallet | null> {
    const { walletPath, secretStore } = this.options;
    if (!walletExists(walletPath)) {
      if (firstRun) return null;
      this.#checkNoBooks();
      checkNotAsked(this.options.deviceRequestPath);
      await makeWallet(walletPath, protectionBy(passphrase));
    }
    this.#facts = await walletFacts(walletPath);
    if (this.#facts.protection === 'none' || passphrase !== undefined) {
      return this.#open(await openWallet(walletPath, protectionBy(passphrase)));
    }
    const kept = await secretStore.load();
    if (kept !== null) {
      try {
        const secrets = await openWallet(walletPath, protectionBy(kept));
        this.#remembered = true;
        return this.#open(secrets);
      } catch (error) {
        // What is kept is of an earlier passphrase: the owner knows the new one.
        if (!isAceError(error, 'WalletLocked')) throw error;
      }
    }
    if (mayWait) return null;
    throw new AceError('WalletLocked', 'The wallet needs its passphrase');
  }

  async state(): Promise<WalletStateView> {
    const { secretStore, isRunning } = this.options;
    const wallet = this.#wallet;
    const status = wallet?.status ?? (walletExists(this.options.walletPath) ? 'locked' : 'none');
    return {
      status,
      running: isRunning(),
      failure: this.#failure,
      address: wallet && showAddress(wallet.account.address),
      protection: this.#facts?.protection ?? null,
      remembered: this.#remembered,
      systemStore: await secretStore.usable(),
      lockAfterMinutes: this.#kept.lockAfterMinutes,
      locksAtMs: wallet?.locksAtMs ?? null,
      phraseConfirmed: this.#facts?.phraseConfirmed ?? false,
      lastBackupAtMs: this.#kept.lastBackupAtMs,
    };
  }

  /** Why a procedure of the running node cannot be answered yet. */
  notRunning(): AceError {
    if (!walletExists(this.options.walletPath)) {
      return new AceError('WalletMissing', 'There is no wallet yet: make one, or restore one');
    }
    if (!this.#wallet) {
      return new AceError('WalletLocked', 'The wallet is locked: the node starts when it is unlocked', {
        details: { reason: 'locked' },
      });
    }
    return new AceError('NodeNotRunning', this.#failure?.message ?? 'The node is starting');
  }

  create({ words }: CheckedInput<'walletCreate'>): WalletOutputs['walletCreate'] {
    this.checkNone();
    this.#checkNoBooks();
    this.#draft = makeDraft(words, this.options.nowMs());
    return this.#draft;
  }

  confirm({ words, passphrase, remember }: CheckedInput<'walletConfirm'>): Promise<WalletStateView> {
    return this.#alone(async () => {
      this.checkNone();
      this.#checkNoBooks();
      const { phrase } = checkConfirmed(this.#draft, words, this.options.nowMs());
      await this.take({ phrase, deviceSeed: createDevice().seed() }, passphrase, remember);
      this.#draft = null;
      return this.launch();
    });
  }

  /** Makes one without asking anything, as a start without pages does: its phrase can be seen later. */
  skip(): Promise<WalletStateView> {
    return this.#alone(async () => {
      const { walletPath, deviceRequestPath } = this.options;
      this.checkNone();
      this.#checkNoBooks();
      await makeWallet(walletPath, protectionBy(undefined));
      await forgetWaitingDevice(deviceRequestPath);
      this.#facts = await walletFacts(walletPath);
      this.#open(await openWallet(walletPath, protectionBy(undefined)));
      return this.launch();
    });
  }

  restore({ phrase: typed, passphrase, remember }: CheckedInput<'walletRestore'>): Promise<WalletStateView> {
    return this.#alone(async () => {
      this.checkNone();
      const phrase = parsePhrase(typed);
      this.checkOwner(addressOf(phrase));
      await this.take({ phrase, deviceSeed: createDevice().seed() }, passphrase, remember);
      return this.launch();
    });
  }

  /** A second device without the phrase. */
  join({ certificate: text, passphrase, remember }: CheckedInput<'walletJoin'>): Promise<WalletStateView> {
    return this.#alone(async () => {
      this.checkNone();
      const device = await waitingDevice(this.options.deviceRequestPath);
      const certificate = certificateBytes(text);
      const { account, devicePublicKey } = decodeCertificate(certificate);
      if (!sameBytes(devicePublicKey, device.publicKey)) {
        throw new AceError(
          'InvalidCertificate',
          'The certificate is for another device: link the one that this device’s request names',
        );
      }
      this.checkOwner(account);
      await this.take({ phrase: null, certificate, deviceSeed: device.seed() }, passphrase, remember);
      return this.launch();
    });
  }

  async deviceRequest(): Promise<WalletOutputs['deviceRequest']> {
    const device = this.#wallet?.device ?? (await this.#deviceToBe());
    return { device: toHex(device.publicKey), peerId: peerIdOf(device.publicKey) };
  }

  start(): Promise<WalletStateView> {
    return this.#alone(async () => {
      if (!this.#wallet) throw this.notRunning();
      return this.launch();
    });
  }

  unlock(input: CheckedInput<'walletUnlock'>): Promise<WalletStateView> {
    return this.#alone(async () => {
      const { walletPath } = this.options;
      if (!walletExists(walletPath)) throw this.notRunning();
      const protection = await protectionFor(this.options, input.passphrase);
      if (this.#wallet) await this.#wallet.unlock(protection);
      else this.#open(await openWallet(walletPath, protection));
      if (input.remember) await this.#remember(input.passphrase);
      if (input.lockAfterMinutes !== undefined) this.#wallet?.setLockAfter(inMs(input.lockAfterMinutes));
      return this.launch();
    });
  }

  lock(): Promise<WalletStateView> {
    if (!this.#wallet) throw this.notRunning();
    this.#wallet.lock();
    return this.state();
  }

  changePassphrase({
    current,
    next,
    remember,
  }: CheckedInput<'walletChangePassphrase'>): Promise<WalletStateView> {
    return this.#alone(async () => {
      const { walletPath, secretStore } = this.options;
      if (!walletExists(walletPath)) throw this.notRunning();
      const { phraseConfirmed } = await walletFacts(walletPath);
      const secrets = await openWallet(walletPath, await protectionFor(this.options, current));
      if (remember) await this.#checkStore();
      await saveWallet(walletPath, secrets, protectionBy(next), { replace: true, phraseConfirmed });
      this.#facts = await walletFacts(walletPath);
      this.#wallet?.protectedAs(this.#facts);
      if (remember) await this.#remember(next);
      else {
        await secretStore.forget();
        this.#remembered = false;
      }
      return this.#told();
    });
  }

  lockAfter({ lockAfterMinutes }: CheckedInput<'walletLockAfter'>): Promise<WalletStateView> {
    this.options.withStore((store) => {
      if (!store) throw this.notRunning();
      store.commit(() => store.meta.set(LOCK_AFTER, String(lockAfterMinutes ?? NEVER)));
    });
    this.#kept = { ...this.#kept, lockAfterMinutes };
    this.#wallet?.setLockAfter(inMs(lockAfterMinutes));
    return this.#told();
  }

  /** The phrase, for the one screen that shows it. */
  phrase({ passphrase }: CheckedInput<'walletPhrase'>): Promise<WalletOutputs['walletPhrase']> {
    return this.#alone(async () => ({ phrase: (await this.secrets(passphrase)).phrase }));
  }

  /** Takes the account's key out of memory. */
  close(): void {
    this.#draft = null;
    this.#wallet?.close();
  }

  // For what handles the wallet's file beside this: backups.

  async backedUp(atMs: number): Promise<void> {
    this.options.withStore((store) => store?.commit(() => store.meta.set(LAST_BACKUP, String(atMs))));
    this.#kept = { ...this.#kept, lastBackupAtMs: atMs };
    await this.#told();
  }

  /** One after another with everything that changes the wallet. */
  get alone() {
    return this.#alone;
  }

  /** @throws AceError `WalletInvalid` when there is a wallet */
  checkNone(): void {
    checkNoWallet(this.options.walletPath);
  }

  /** Books that are here belong to one account. @throws AceError `WalletInvalid` */
  checkOwner(address: string): void {
    const owner = this.#owner();
    if (owner === null || owner === address) return;
    throw new AceError(
      'WalletInvalid',
      `The books in this data directory are of account ${showAddress(owner)}, not ${showAddress(address)}`,
    );
  }

  /** @throws AceError `NotAllowed` on a device without the phrase; as `openWallet` */
  async secrets(passphrase: string | null): Promise<WalletSecrets & { readonly phrase: string }> {
    const { walletPath } = this.options;
    if (!walletExists(walletPath)) throw this.notRunning();
    const { phrase, deviceSeed } = await openWallet(
      walletPath,
      await protectionFor(this.options, passphrase),
    );
    if (phrase !== null) return { phrase, deviceSeed };
    throw new AceError('NotAllowed', 'This device has no recovery phrase: the device that linked it does');
  }

  /** Saves a new wallet and opens it. @throws AceError as `saveWallet`; `NotAllowed` when it cannot be remembered */
  async take(secrets: WalletSecrets, passphrase: string | null, remember: boolean): Promise<void> {
    const { walletPath, deviceRequestPath, secretStore } = this.options;
    let protection = protectionBy(passphrase ?? undefined);
    if (passphrase === null && (await secretStore.usable()).usable) {
      const random = randomBytes(32).toString('base64url');
      // First: without it the wallet could never be opened.
      await this.#remember(random);
      protection = protectionBy(random, 'system');
    } else if (remember && passphrase !== null) await this.#checkStore();
    await this.options.beforeFirstKey();
    await saveWallet(walletPath, secrets, protection, { phraseConfirmed: true });
    // Its key lies in the wallet now, or its owner has made another one instead.
    await forgetWaitingDevice(deviceRequestPath);
    if (remember && passphrase !== null) await this.#remember(passphrase);
    this.#facts = await walletFacts(walletPath);
    this.#open(secrets);
  }

  /** @throws why the node does not start */
  async launch(): Promise<WalletStateView> {
    const wallet = this.#wallet;
    if (wallet && !this.options.isRunning()) {
      try {
        await this.options.start(wallet);
        this.#failure = null;
      } catch (error) {
        const known = isAceError(error) ? error : new AceError('Internal', 'The node did not start');
        this.#failure = { code: known.code, message: known.message };
        await this.#told();
        throw error;
      }
    }
    return this.#told();
  }

  async #told(): Promise<WalletStateView> {
    const state = await this.state();
    this.options.onChange(state);
    return state;
  }

  #open(secrets: WalletSecrets): Wallet {
    const { walletPath: path, nowMs } = this.options;
    this.#readKept();
    this.#wallet = new Wallet(secrets, {
      path,
      facts: this.#facts ?? { protection: 'none', phraseConfirmed: false },
      lockAfterMs: inMs(this.#kept.lockAfterMinutes),
      nowMs,
      onChange: () => void this.#told(),
    });
    return this.#wallet;
  }

  async #deviceToBe(): Promise<DeviceIdentity> {
    this.checkNone();
    await this.options.beforeFirstKey();
    return waitingDevice(this.options.deviceRequestPath);
  }

  /** What the books say of the wallet. */
  #readKept(): void {
    this.#kept = this.options.withStore((store) => {
      const lockAfter = store?.meta.get(LOCK_AFTER) ?? String(DEFAULT_LOCK_AFTER_MINUTES);
      const backup = store?.meta.get(LAST_BACKUP) ?? null;
      return {
        lockAfterMinutes: lockAfter === NEVER ? null : Number(lockAfter),
        lastBackupAtMs: backup === null ? null : Number(backup),
      };
    });
  }

  #owner(): string | null {
    return this.options.withStore((store) => store?.meta.get('account') ?? null);
  }

  #checkNoBooks(): void {
    checkNoBooks(this.options.walletPath, this.#owner());
  }

  async #checkStore(): Promise<void> {
    const { usable, why } = await this.options.secretStore.usable();
    if (!usable) throw new AceError('NotAllowed', `The passphrase cannot be remembered here: ${why}`);
  }

  async #remember(passphrase: string): Promise<void> {
    await this.#checkStore();
    await this.options.secretStore.save(passphrase);
    this.#remembered = true;
  }
}

function addressOf(phrase: string): string {
  const account = accountFromPhrase(phrase);
  account.close();
  return account.address;
}

function certificateBytes(text: string): Uint8Array {
  const digits = text.trim();
  if (!/^([0-9a-f]{2})+$/i.test(digits)) {
    throw new AceError(
      'InvalidCertificate',
      'Not a certificate: copy all of what linking the device printed',
    );
  }
  return fromHex(digits);
}

function inMs(minutes: number | null): number | null {
  return minutes === null ? null : minutes * MINUTE_MS;
}
