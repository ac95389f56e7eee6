/**
 * The steps of a first start, and what they ask of the node. The wallet is saved by the step that protects it; the node
 * starts with it, and what follows is asked of the running node.
 */

import type { NetworkChoiceView } from '../../shared/rpc/first-run.ts';
import type { NodeClient, Output } from '../../shared/rpc/rpc.ts';
import { MIN_PASSPHRASE_LENGTH } from '../../shared/rpc/wallet.ts';
import { walletTrouble } from '../format/wallet-words.ts';
import { m } from '../../shared/i18n/compiled/messages.js';

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
  readonly #client: NodeClient | null;
  step = $state<FirstStep>('welcome');
  busy = $state(false);
  trouble = $state<string | null>(null);
  network = $state.raw<NetworkChoiceView | null>(null);
  draft = $state.raw<Output<'walletCreate'> | null>(null);
  readonly number = $derived(COUNTED.findIndex((steps) => steps.includes(this.step)) + 1);
  readonly count = COUNTED.length;

  constructor(client: NodeClient | null) {
    this.#client = client;
  }

  go(step: FirstStep): void {
    this.trouble = null;
    this.step = step;
  }

  loadNetwork(): Promise<void> {
    return this.#act(async (client) => {
      this.network = await client.call('networkChoice', {});
    });
  }

  /** @param multiaddr `null` for a network of one's own */
  begin(multiaddr: string | null): Promise<void> {
    return this.#act(async (client) => {
      await this.#choose(client, multiaddr);
      this.go('wallet');
    });
  }

  skip(): Promise<void> {
    return this.#act(async (client) => {
      await this.#choose(client, null);
      await client.call('walletSkip', {});
      this.go('ready');
    });
  }

  create(): Promise<void> {
    return this.#act(async (client) => {
      this.draft = await client.call('walletCreate', {});
      this.go('phrase');
    });
  }

  confirm(words: readonly string[], passphrase: string | null, remember: boolean): Promise<void> {
    return this.#act(async (client) => {
      const positions = this.draft?.confirmPositions ?? [];
      const typed = positions.map((position, index) => ({
        position,
        word: (words[index] ?? '').trim().toLowerCase(),
      }));
      await client.call('walletConfirm', { words: typed, passphrase, remember });
      this.draft = null;
      this.go('limits');
    });
  }

  restore(phrase: string, passphrase: string | null, remember: boolean): Promise<void> {
    return this.#act(async (client) => {
      await client.call('walletRestore', { phrase, passphrase, remember });
      this.go('limits');
    });
  }

  restoreBackup(file: File, passphrase: string, remember: boolean): Promise<void> {
    return this.#act(async (client) => {
      const base64 = await base64Of(file);
      await client.call('walletRestoreBackup', { base64, passphrase, remember });
      this.go('limits');
    });
  }

  /** The key that the account's other device is to link; `null` when it cannot be told. */
  async deviceKey(): Promise<string | null> {
    let key: string | null = null;
    await this.#act(async (client) => {
      key = (await client.call('deviceRequest', {})).device;
    });
    return key;
  }

  /** A second device of an account that has one already. */
  join(certificate: string, passphrase: string | null, remember: boolean): Promise<void> {
    return this.#act(async (client) => {
      await client.call('walletJoin', { certificate, passphrase, remember });
      this.go('limits');
    });
  }

  unlock(passphrase: string, remember: boolean): Promise<void> {
    return this.#act(async (client) => {
      await client.call('walletUnlock', { passphrase, remember });
      this.#goOn();
    });
  }

  /** @param multiaddr of a network that has not answered yet, as it is or another one */
  startAgain(multiaddr: string | null): Promise<void> {
    return this.#act(async (client) => {
      await this.#choose(client, multiaddr);
      await client.call('walletStart', {});
      this.#goOn();
    });
  }

  /** A first start whose network did not answer at first: the wallet is there, its steps are done. */
  #goOn(): void {
    if (this.step !== 'welcome') this.go('limits');
  }

  async #choose(client: NodeClient, multiaddr: string | null): Promise<void> {
    if (this.network?.fixed === false) this.network = await client.call('chooseNetwork', { multiaddr });
  }

  async #act(step: (client: NodeClient) => Promise<void>): Promise<void> {
    if (this.busy || this.#client === null) return;
    this.busy = true;
    this.trouble = null;
    try {
      await step(this.#client);
    } catch (error) {
      this.trouble = walletTrouble(error);
    } finally {
      this.busy = false;
    }
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
