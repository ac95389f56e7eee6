/**
 * The steps of a first start, and what they ask of the node. The wallet is saved by the step that protects it; the node
 * starts with it, and what follows is asked of the running node.
 */

import { AceError } from '../../shared/errors.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { NetworkChoiceView } from '../../shared/rpc/first-run.ts';
import type { Input, NodeClient, Output } from '../../shared/rpc/rpc.ts';
import { MIN_PASSPHRASE_LENGTH } from '../../shared/rpc/wallet.ts';
import { typedPhrase } from '../../shared/typed/phrase.ts';
import { walletTrouble } from '../format/wallet-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';
import type { WalletChange, WalletState } from './wallet.svelte.ts';

export type FirstStep =
  | 'welcome'
  | 'wallet'
  | 'phrase'
  | 'confirm'
  | 'restore'
  | 'backup'
  | 'device'
  | 'limits'
  | 'ready';
/** What a person counts: the steps of making a wallet are one. */
const COUNTED: readonly (readonly FirstStep[])[] = [
  ['welcome'],
  ['wallet', 'phrase', 'confirm', 'restore', 'backup', 'device'],
  ['limits'],
  ['ready'],
];

export class FirstRun {
  readonly #client: NodeClient;
  readonly #wallet: WalletState;
  readonly #request: LatestRequest<void, [() => Promise<void>]>;
  step = $state<FirstStep>('welcome');
  #refusal = $state<string | null>(null);
  /** What is under way with the wallet: one is being made, or the one that is here is being opened. */
  #doing = $state<'making' | 'opening' | null>(null);
  network = $state.raw<NetworkChoiceView | null>(null);
  draft = $state.raw<Output<'walletCreate'> | null>(null);
  readonly number = $derived(COUNTED.findIndex((steps) => steps.includes(this.step)) + 1);
  readonly count = COUNTED.length;

  constructor(client: NodeClient, wallet: WalletState) {
    this.#client = client;
    this.#wallet = wallet;
    this.#request = new LatestRequest((act) => act());
  }

  get busy(): boolean {
    return this.#request.busy;
  }

  /** The wallet is being unlocked, or gets a new passphrase: what was typed is not to be lost if that fails. */
  get opening(): boolean {
    return this.#doing === 'opening';
  }

  /** A wallet that is there but does not run waits for its passphrase, or for another try; one that is made does not. */
  get waits(): boolean {
    const { view } = this.#wallet;
    return view?.status !== 'none' && !view?.running && this.#doing !== 'making';
  }

  /** What is wrong, in words; `null` when nothing is. */
  get trouble(): string | null {
    const { thrown } = this.#request;
    if (this.#refusal !== null || thrown === null) return this.#refusal;
    // Nothing is at stake yet, so the words are about the address alone.
    if (thrown instanceof AceError && thrown.code === 'ShardUnavailable') return m.first_error_network();
    return walletTrouble(thrown);
  }

  go(step: FirstStep): void {
    this.#clearTrouble();
    this.step = step;
  }

  /** What was typed cannot be right, so the node is not asked. */
  refuse(trouble: string): void {
    this.#refusal = trouble;
  }

  loadNetwork(): Promise<void> {
    return this.#act(async () => {
      this.network = await this.#client.call('networkChoice', {});
    });
  }

  /** @param multiaddr `null` for a network of one's own */
  begin(multiaddr: string | null): Promise<void> {
    return this.#act(async () => {
      // Found out now, and not after a phrase was written down for it.
      if (multiaddr !== null) await this.#client.call('reachNetwork', { multiaddr });
      await this.#choose(multiaddr);
      this.go('wallet');
    });
  }

  skip(): Promise<void> {
    return this.#do('making', async () => {
      await this.#choose(null);
      await this.#wallet.change('walletSkip', {});
      this.go('ready');
    });
  }

  create(): Promise<void> {
    return this.#act(async () => {
      this.draft = await this.#client.call('walletCreate', {});
      this.go('phrase');
    });
  }

  confirm(words: readonly string[], passphrase: string | null, remember: boolean): Promise<void> {
    const positions = this.draft?.confirmPositions ?? [];
    const typed = positions.map((position, index) => ({
      position,
      word: typedPhrase(words[index] ?? '').join(' '),
    }));
    return this.#do('making', async () => {
      await this.#wallet.change('walletConfirm', { words: typed, passphrase, remember });
      this.draft = null;
      this.go('limits');
    });
  }

  restore(phrase: string, passphrase: string | null, remember: boolean): Promise<void> {
    return this.#makeWallet('walletRestore', { phrase, passphrase, remember });
  }

  restoreBackup(file: File, passphrase: string, remember: boolean): Promise<void> {
    return this.#do('making', async () => {
      const base64 = await base64Of(file);
      await this.#wallet.change('walletRestoreBackup', { base64, passphrase, remember });
      this.go('limits');
    });
  }

  /** The key that the account's other device is to link; `null` when the node does not answer with one. */
  async deviceKey(): Promise<string | null> {
    let key: string | null = null;
    await this.#act(async () => {
      key = (await this.#client.call('deviceRequest', {})).device;
    });
    return key;
  }

  /** A second device of an account that has one already. */
  join(certificate: string, passphrase: string | null, remember: boolean): Promise<void> {
    return this.#makeWallet('walletJoin', { certificate, passphrase, remember });
  }

  unlock(passphrase: string, remember: boolean): Promise<void> {
    return this.#do('opening', async () => {
      await this.#wallet.change('walletUnlock', { passphrase, remember });
      this.#goOn();
    });
  }

  /** The passphrase is forgotten; the phrase is not. */
  resetPassphrase(phrase: string, passphrase: string, remember: boolean): Promise<void> {
    return this.#do('opening', async () => {
      await this.#wallet.change('walletResetPassphrase', { phrase, passphrase, remember });
      this.#goOn();
    });
  }

  /** @param multiaddr of a network that has not answered yet, as it is or another one */
  startAgain(multiaddr: string | null): Promise<void> {
    return this.#act(async () => {
      await this.#choose(multiaddr);
      await this.#wallet.change('walletStart', {});
      this.#goOn();
    });
  }

  #makeWallet<P extends WalletChange>(procedure: P, input: Input<P>): Promise<void> {
    return this.#do('making', async () => {
      await this.#wallet.change(procedure, input);
      this.go('limits');
    });
  }

  /** A first start whose network did not answer at first: the wallet is there, its steps are done. */
  #goOn(): void {
    if (this.step !== 'welcome') this.go('limits');
  }

  async #choose(multiaddr: string | null): Promise<void> {
    if (this.network?.fixed === false) this.network = await this.#client.call('chooseNetwork', { multiaddr });
  }

  async #do(what: 'making' | 'opening', step: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.#doing = what;
    await this.#act(step);
    this.#doing = null;
  }

  async #act(step: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.#clearTrouble();
    await this.#request.load(step);
  }

  #clearTrouble(): void {
    this.#refusal = null;
    this.#request.thrown = null;
  }
}

/** What is wrong with a new passphrase; `null` when nothing is. An empty one is right where none is needed. */
export function passphraseTrouble(first: string, again: string, optional: boolean): string | null {
  if (first === '' && again === '') return optional ? null : m.first_pass_needed();
  if (first.length < MIN_PASSPHRASE_LENGTH) return m.first_pass_short();
  return first === again ? null : m.first_pass_differs();
}

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''));
    reader.readAsDataURL(file);
  });
}
