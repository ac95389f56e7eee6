/**
 * An opened wallet: who this node is. The device's key stays for as long as the node runs, so that channels go on; the
 * account's key is in memory only while the wallet is unlocked, and is overwritten when it locks.
 */
import { sameBytes } from '../../shared/bytes.ts';
import { AceError } from '../../shared/errors.ts';
import { type Account, accountFromPhrase, locked, type OpenAccount } from './account.ts';
import { decodeCertificate } from './certificate.ts';
import { type DeviceIdentity, deviceFromSeed } from './device.ts';
import { openWallet, type WalletFacts, type WalletProtection, type WalletSecrets } from './keystore.ts';

export interface WalletContext {
  readonly path: string;
  readonly facts: WalletFacts;
  /** Opened with the device's key alone: the account's is under the passphrase. */
  readonly opensLocked?: boolean;
  /** An unlocked wallet locks itself this long after the last operation; `null`: never. */
  readonly lockAfterMs: number | null;
  readonly nowMs: () => number;
  /** It was locked or unlocked. */
  readonly onChange: () => void;
}

export class Wallet {
  readonly #context: WalletContext;
  readonly device: DeviceIdentity;
  /** What the rest of the node signs with; it fails with `WalletLocked` while there is no key. */
  readonly account: Account;
  /** Of a device whose account's key is not at hand: canonical bytes. */
  readonly certificate: Uint8Array | null;
  #facts: WalletFacts;
  /** This device has a certificate and no phrase. Of one that was opened locked it is not known yet. */
  #hasNoPhrase: boolean;
  #open: OpenAccount | null;
  #lockAfterMs: number | null;
  #timer: NodeJS.Timeout | null = null;
  #locksAtMs: number | null = null;

  constructor(secrets: WalletSecrets, context: WalletContext) {
    this.#context = context;
    this.#facts = context.facts;
    this.#lockAfterMs = context.lockAfterMs;
    this.device = deviceFromSeed(secrets.deviceSeed);
    this.#open = secrets.phrase === null ? null : accountFromPhrase(secrets.phrase);
    this.certificate = secrets.certificate ?? null;
    this.#hasNoPhrase = secrets.phrase === null && context.opensLocked !== true;
    const address = this.#open?.address ?? accountOf(this.certificate);
    this.account = {
      address,
      canSign: () => !this.#hasNoPhrase && this.#open !== null,
      signTypedData: async (typedData, how) => {
        if (this.#hasNoPhrase) throw withoutPhrase();
        if (!this.#open) throw locked();
        if (!how?.unasked) this.#wait();
        return this.#open.signTypedData(typedData);
      },
    };
    this.#wait();
  }

  get status(): 'plain' | 'locked' | 'unlocked' | 'device' {
    if (this.#hasNoPhrase) return 'device';
    if (this.#facts.protection === 'none') return 'plain';
    return this.#open ? 'unlocked' : 'locked';
  }

  get locksAtMs(): number | null {
    return this.#locksAtMs;
  }

  get lockAfterMs(): number | null {
    return this.#lockAfterMs;
  }

  /** Starts the time anew. */
  setLockAfter(ms: number | null): void {
    this.#lockAfterMs = ms;
    this.#wait();
  }

  /** It has another passphrase, or its first. */
  protectedAs(facts: WalletFacts): void {
    this.#facts = facts;
    this.#wait();
  }

  /** A wallet without a passphrase has nothing to be unlocked with: it stays open. @throws AceError `WalletInvalid` */
  lock(): void {
    if (this.status === 'plain') {
      throw new AceError('WalletInvalid', 'The wallet has no passphrase: set one, then it can be locked');
    }
    this.#forget();
    this.#context.onChange();
  }

  /** @throws AceError `WalletLocked` (wrong passphrase), `WalletInvalid` (the file is damaged, or another account's) */
  async unlock(protection: WalletProtection): Promise<void> {
    const secrets = await openWallet(this.#context.path, protection);
    if (!sameBytes(secrets.deviceSeed, this.device.seed())) throw replaced('device');
    if (secrets.phrase === null) {
      this.#hasNoPhrase = true;
      this.#context.onChange();
      return;
    }
    const open = accountFromPhrase(secrets.phrase);
    if (open.address !== this.account.address) {
      open.close();
      throw replaced('account');
    }
    this.#hasNoPhrase = false;
    this.#open?.close();
    this.#open = open;
    this.#wait();
    this.#context.onChange();
  }

  /** Takes the key out of memory for good. */
  close(): void {
    this.#forget();
  }

  #forget(): void {
    this.#open?.close();
    this.#open = null;
    this.#wait();
  }

  /** From the last use on. */
  #wait(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#locksAtMs = null;
    if (this.#lockAfterMs === null || this.status !== 'unlocked') return;
    this.#locksAtMs = this.#context.nowMs() + this.#lockAfterMs;
    this.#timer = setTimeout(() => this.lock(), this.#lockAfterMs);
    this.#timer.unref();
  }
}

function accountOf(certificate: Uint8Array | null): string {
  if (!certificate) throw new AceError('WalletInvalid', 'The wallet has neither a phrase nor a certificate');
  return decodeCertificate(certificate).account;
}

function replaced(what: 'account' | 'device'): AceError {
  return new AceError('WalletInvalid', `The wallet file is of another ${what} now: start the node again`);
}

function withoutPhrase(): AceError {
  return new AceError(
    'NotAllowed',
    'This device has no recovery phrase: make the operation on the device that has it',
  );
}
