/** What a first start asks beside the wallet: which network. It holds from then on, so it is asked before anything runs. */
import { existsSync } from 'node:fs';
import { AceError } from '../shared/errors.ts';
import type { NetworkChoiceView } from '../shared/rpc-first-run.ts';
import type { WalletStateView } from '../shared/rpc-wallet.ts';
import { chooseNetwork } from './network-choice.ts';
import type { NodeService } from './rpc/service.ts';
import type { WalletDesk } from './wallet-desk.ts';

export interface FirstRunOptions {
  /** Where the network of the data directory is written once it has answered. */
  readonly networkPath: string;
  /** Given at the start. */
  readonly joinMultiaddr: string | undefined;
  readonly desk: () => WalletDesk;
  readonly isRunning: () => boolean;
}

export type FirstRunMethods = Pick<NodeService, 'networkChoice' | 'chooseNetwork' | 'walletSkip'>;

export class FirstRun {
  readonly #options: FirstRunOptions;
  #chosen: string | undefined;

  constructor(options: FirstRunOptions) {
    this.#options = options;
  }

  /** What to join; left out: the network of the data directory, or a devnet. */
  get joinMultiaddr(): string | undefined {
    return this.#options.joinMultiaddr ?? this.#chosen;
  }

  get methods(): FirstRunMethods {
    return {
      networkChoice: async () => this.#view(),
      chooseNetwork: async ({ multiaddr }) => {
        if (this.#fixed) throw new AceError('NotAllowed', 'The network is fixed: choose another --data-dir');
        // Read before it is kept: what is no address is said now.
        if (multiaddr !== null) chooseNetwork(this.#options.networkPath, multiaddr);
        this.#chosen = multiaddr ?? undefined;
        return this.#view();
      },
      walletSkip: (): Promise<WalletStateView> => {
        if (this.#view().mode === 'joined')
          throw new AceError(
            'NotAllowed',
            'On this network a wallet holds money: make it, and write its phrase down',
          );
        return this.#options.desk().skip();
      },
    };
  }

  get #fixed(): boolean {
    const { joinMultiaddr, networkPath, isRunning } = this.#options;
    return joinMultiaddr !== undefined || isRunning() || existsSync(networkPath);
  }

  #view(): NetworkChoiceView {
    const network = chooseNetwork(this.#options.networkPath, this.joinMultiaddr);
    const multiaddr = network.mode === 'joined' ? network.multiaddr : null;
    return { mode: network.mode, multiaddr, fixed: this.#fixed };
  }
}
