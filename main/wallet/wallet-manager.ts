/**
 * The wallet as its owner handles it: made, restored, opened, locked, protected, backed up. It is there before the node
 * runs, and starts the node once the wallet is open. Everything that changes the wallet runs one after another. Nothing
 * here keeps a passphrase or a phrase longer than the call that brought it, except a new phrase until it is confirmed.
 */
import { sameBytes } from '../../shared/bytes.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import type { WalletOutputs, WalletStateView } from '../../shared/rpc/wallet.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import type { CheckedInput } from '../rpc/service.ts';
import { serializer } from '../util/serialize.ts';
import { addressOfPhrase } from './account.ts';
import { decodeCertificate } from './certificate.ts';
import { createDevice } from './device.ts';
import { peerIdOf } from './device-peer-id.ts';
import { checkConfirmed, type Draft, makeDraft } from './draft.ts';
import type { KeptDevices } from './kept-device.ts';
import { parsePhrase } from './phrase.ts';
import type { SecretStore } from './secret-store.ts';
import type { Wallet } from './wallet.ts';
import { WalletBackups } from './wallet-backups.ts';
import { WalletBooks, type WithStore } from './wallet-books.ts';
import { WalletFiles } from './wallet-files.ts';

export interface WalletManagerContext {
  readonly walletPath: string;
  readonly deviceRequestPath: string;
  readonly nodeDbPath: string;
  readonly secretStore: SecretStore;
  readonly keptDevices: KeptDevices;
  /** The running node's certificate of this device; `null` while none runs. */
  readonly certificate: () => Uint8Array | null;
  readonly nowMs: () => number;
  /** Starts the node with the wallet. @throws why it does not start */
  readonly start: (wallet: Wallet) => Promise<void>;
  readonly isRunning: () => boolean;
  readonly withStore: WithStore;
  readonly onChange: (state: WalletStateView) => void;
  /** The system's key store did not take the device's key. */
  readonly onNotKept: (error: unknown) => void;
  /** Before a wallet, or a device's request, is kept where there was none. */
  readonly beforeFirstKey: () => Promise<void>;
  /** Where this node joined, or is to join; `null` for a network of its own. */
  readonly joinMultiaddr: () => string | null;
  /** The data directory belongs to this network from now on. */
  readonly joinNetwork: (multiaddr: string) => Promise<void>;
}

export class WalletManager {
  readonly #context: WalletManagerContext;
  readonly #books: WalletBooks;
  readonly #files: WalletFiles;
  readonly #backups: WalletBackups;
  readonly #exclusively = serializer();
  #draft: Draft | null = null;
  /** Why the node did not start the last time. */
  #failure: WalletStateView['failure'] = null;

  constructor(context: WalletManagerContext) {
    this.#context = context;
    this.#books = new WalletBooks(context.withStore);
    const books = this.#books;
    this.#files = new WalletFiles({ ...context, books, onChange: () => void this.#notify() });
    this.#backups = new WalletBackups({ ...context, books, files: this.#files });
  }

  /** Open, though it may be locked; `null` before. */
  get wallet(): Wallet | null {
    return this.#files.wallet;
  }

  /**
   * Opens the wallet that is there, with the passphrase that was given or that the system keeps, or locked, with the kept
   * key of the device. Where there is none it
   * makes one, unless `firstRun`: then its owner is to be asked. The answer is `null` when somebody has to come first;
   * without `mayWait` a locked wallet is an error instead.
   * @throws AceError `WalletLocked`, `WalletMissing` (this device waits for its certificate), `WalletInvalid`,
   * `DataDirNotWritable`, `StoreFailed`
   */
  async begin(
    passphrase: string | undefined,
    { firstRun, mayWait }: { readonly firstRun: boolean; readonly mayWait: boolean },
  ): Promise<Wallet | null> {
    if (!this.#files.exists) {
      if (firstRun) return null;
      await this.#files.makeUnasked(passphrase);
    }
    const wallet = await this.#files.openUnasked(passphrase);
    if (wallet !== null || mayWait) return wallet;
    throw new AceError('WalletLocked', 'The wallet needs its passphrase');
  }

  async state(): Promise<WalletStateView> {
    const { secretStore, isRunning } = this.#context;
    const { wallet, facts, remembered, exists } = this.#files;
    const status = wallet?.status ?? (exists ? 'locked' : 'none');
    return {
      status,
      running: isRunning(),
      failure: this.#failure,
      address: wallet && shownAddress(wallet.account.address),
      protection: facts?.protection ?? null,
      remembered,
      deviceKept: this.#context.keptDevices.where,
      systemStore: await secretStore.usable(),
      lockAfterMinutes: this.#books.lockAfterMinutes,
      locksAtMs: wallet?.locksAtMs ?? null,
      phraseConfirmed: facts?.phraseConfirmed ?? false,
      lastBackupAtMs: this.#books.lastBackupAtMs,
    };
  }

  /** Why a procedure of the running node cannot be answered yet. */
  notRunning(): AceError {
    if (!this.#files.exists) {
      return new AceError('WalletMissing', 'There is no wallet yet: make one, or restore one');
    }
    if (!this.wallet) {
      return new AceError('WalletLocked', 'The wallet is locked: the node starts when it is unlocked', {
        details: { reason: 'locked' },
      });
    }
    return new AceError('NodeNotRunning', this.#failure?.message ?? 'The node is starting');
  }

  create({ words }: CheckedInput<'walletCreate'>): WalletOutputs['walletCreate'] {
    this.#files.checkNoAccount();
    this.#draft = makeDraft(words, this.#context.nowMs());
    return this.#draft;
  }

  confirm({ words, passphrase, remember }: CheckedInput<'walletConfirm'>): Promise<WalletStateView> {
    return this.#exclusively(async () => {
      this.#files.checkNoAccount();
      const { phrase } = checkConfirmed(this.#draft, words, this.#context.nowMs());
      await this.#files.keep({ phrase, deviceSeed: createDevice().seed() }, passphrase, remember);
      this.#draft = null;
      return this.#launch();
    });
  }

  /** Makes one without asking anything, as a start without pages does: its phrase can be seen later. */
  skip(): Promise<WalletStateView> {
    return this.#exclusively(async () => {
      await this.#files.makePlain();
      return this.#launch();
    });
  }

  restore({ phrase: typed, passphrase, remember }: CheckedInput<'walletRestore'>): Promise<WalletStateView> {
    return this.#exclusively(async () => {
      this.#files.checkNone();
      const phrase = parsePhrase(typed);
      this.#books.checkOwner(addressOfPhrase(phrase));
      await this.#files.keep({ phrase, deviceSeed: createDevice().seed() }, passphrase, remember);
      return this.#launch();
    });
  }

  /**
   * A forgotten passphrase is replaced with the help of the recovery phrase of the same account; all else stays.
   * @throws AceError `WalletMissing`, `WalletInvalid` (another account's phrase, or nobody knows whose wallet it is),
   * `NotAllowed`, and why the node does not start
   */
  resetPassphrase(
    input: CheckedInput<'walletResetPassphrase'>,
  ): Promise<WalletOutputs['walletResetPassphrase']> {
    return this.#exclusively(async () => {
      this.#files.checkExists();
      const phrase = parsePhrase(input.phrase);
      const known = this.wallet?.account.address ?? null;
      this.#books.checkWalletOwner(addressOfPhrase(phrase), known, this.#context.walletPath);
      const newDevice = await this.#files.resetPassphrase(phrase, input.passphrase, input.remember);
      return { ...(await this.#launch()), newDevice };
    });
  }

  /** @throws AceError as `WalletBackups.restore`, and why the node does not start */
  restoreBackup(input: CheckedInput<'walletRestoreBackup'>): Promise<WalletOutputs['walletRestoreBackup']> {
    return this.#exclusively(async () => {
      const restored = await this.#backups.restore(input);
      return { ...(await this.#launch()), restored };
    });
  }

  /** @throws AceError as `WalletBackups.make` */
  backup(input: CheckedInput<'walletBackup'>): Promise<WalletOutputs['walletBackup']> {
    return this.#exclusively(async () => {
      const made = await this.#backups.make(input);
      await this.#notify();
      return made;
    });
  }

  /** A second device without the phrase. */
  join({ certificate: text, passphrase, remember }: CheckedInput<'walletJoin'>): Promise<WalletStateView> {
    return this.#exclusively(async () => {
      const device = await this.#files.waitingDevice();
      const certificate = certificateBytes(text);
      const { account, devicePublicKey } = decodeCertificate(certificate);
      if (!sameBytes(devicePublicKey, device.publicKey)) {
        throw new AceError(
          'InvalidCertificate',
          'The certificate is for another device: link the one that this device’s request names',
        );
      }
      this.#books.checkOwner(account);
      await this.#files.keep({ phrase: null, certificate, deviceSeed: device.seed() }, passphrase, remember);
      return this.#launch();
    });
  }

  async deviceRequest(): Promise<WalletOutputs['deviceRequest']> {
    const { publicKey } = this.wallet?.device ?? (await this.#files.waitingDevice());
    return { device: toHex(publicKey), peerId: peerIdOf(publicKey) };
  }

  start(): Promise<WalletStateView> {
    return this.#exclusively(async () => {
      if (!this.wallet) throw this.notRunning();
      return this.#launch();
    });
  }

  unlock({ passphrase, remember, lockAfterMinutes }: CheckedInput<'walletUnlock'>): Promise<WalletStateView> {
    return this.#exclusively(async () => {
      await this.#files.unlock(passphrase, remember);
      if (lockAfterMinutes !== undefined) this.#files.setLockAfter(lockAfterMinutes);
      return this.#launch();
    });
  }

  lock(): Promise<WalletStateView> {
    if (!this.wallet) throw this.notRunning();
    this.wallet.lock();
    return this.state();
  }

  changePassphrase(input: CheckedInput<'walletChangePassphrase'>): Promise<WalletStateView> {
    return this.#exclusively(async () => {
      await this.#files.changePassphrase(input.current, input.next, input.remember);
      return this.#notify();
    });
  }

  lockAfter({ lockAfterMinutes }: CheckedInput<'walletLockAfter'>): Promise<WalletStateView> {
    if (!this.#books.setLockAfter(lockAfterMinutes)) throw this.notRunning();
    this.#files.setLockAfter(lockAfterMinutes);
    return this.#notify();
  }

  /**
   * Whether a start while the wallet is locked runs the node: with the device's key, which is kept for that.
   * @throws AceError `NotAllowed` for a wallet without a passphrase, which always starts; as {@link notRunning}
   */
  keepDevice({ keep }: CheckedInput<'walletKeepDevice'>): Promise<WalletStateView> {
    return this.#exclusively(async () => {
      if (!this.wallet || !this.#books.setKeepsDevice(keep)) throw this.notRunning();
      if (!keep) await this.#context.keptDevices.forget();
      else if (this.#files.facts?.protection !== 'passphrase') {
        throw new AceError(
          'NotAllowed',
          'The wallet opens without a passphrase of yours: the node starts by itself',
        );
      } else await this.#keepDevice();
      return this.#notify();
    });
  }

  /** The phrase, for the one screen that shows it. */
  phrase({ passphrase }: CheckedInput<'walletPhrase'>): Promise<WalletOutputs['walletPhrase']> {
    return this.#exclusively(async () => ({ phrase: (await this.#files.secrets(passphrase)).phrase }));
  }

  /** Takes the account's key out of memory. */
  close(): void {
    this.#draft = null;
    this.#files.close();
  }

  /** @throws why the node does not start */
  async #launch(): Promise<WalletStateView> {
    if (this.wallet && !this.#context.isRunning()) {
      try {
        await this.#context.start(this.wallet);
        this.#failure = null;
      } catch (error) {
        const known = isAceError(error) ? error : new AceError('Internal', 'The node did not start');
        this.#failure = { code: known.code, message: known.message };
        await this.#notify();
        throw error;
      }
      if (await this.#keepsUnasked()) {
        // The node runs without it; the pages show that nothing is kept, and asked for again it says why.
        await this.#keepDevice().catch((error: unknown) => this.#context.onNotKept(error));
      }
    }
    return this.#notify();
  }

  /** The system's key store protects as well as the passphrase does: there it needs no decision. */
  async #keepsUnasked(): Promise<boolean> {
    const { keptDevices } = this.#context;
    if (this.#files.facts?.protection !== 'passphrase' || keptDevices.where !== null) return false;
    return this.#books.keepsDevice && (await keptDevices.hasSystemStore());
  }

  async #keepDevice(): Promise<void> {
    const certificate = this.#context.certificate();
    if (!this.wallet || !certificate) throw this.notRunning();
    await this.#context.keptDevices.keep({ deviceSeed: this.wallet.device.seed(), certificate });
  }

  /** Hands the state to the pages, and to the caller. */
  async #notify(): Promise<WalletStateView> {
    const state = await this.state();
    this.#context.onChange(state);
    return state;
  }
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
