/** What a first start asks beside the wallet: which network. It holds from then on, so it is asked before anything runs. */
import { existsSync } from 'node:fs';
import { AceError } from '../../shared/errors.ts';
import type { NetworkChoiceView } from '../../shared/rpc/first-run.ts';
import type { DataDir } from '../data-dir/data-dir.ts';
import { chooseNetwork, wantedNetwork, wantNetwork } from '../data-dir/network-choice.ts';
import { parseMultiaddr } from '../p2p/host.ts';
import type { NodeService } from '../rpc/service.ts';
import type { WalletManager } from '../wallet/wallet-manager.ts';
import { reachNetwork } from './reach-network.ts';

export interface FirstRunContext {
  /** `network` is written once the network has answered; what was asked for until then is `networkWanted`. */
  readonly dataDir: DataDir;
  /** Given at the start. */
  readonly joinMultiaddr: string | undefined;
  readonly isRunning: () => boolean;
}

export type FirstRunMethods = Pick<
  NodeService,
  'networkChoice' | 'chooseNetwork' | 'reachNetwork' | 'walletSkip'
>;

export class FirstRun {
  readonly #context: FirstRunContext;
  #chosen: string | undefined;

  constructor(context: FirstRunContext) {
    this.#context = context;
    this.#chosen = wantedNetwork(context.dataDir);
  }

  /** What to join; left out: the network of the data directory, or a devnet. */
  get joinMultiaddr(): string | undefined {
    return this.#context.joinMultiaddr ?? this.#chosen;
  }

  /** Chosen on the pages and not reached yet: there, its owner can try again or take another one. */
  get isOpen(): boolean {
    return this.#chosen !== undefined && !this.#fixed;
  }

  /** @throws AceError `NotAllowed` once it is fixed */
  async choose(multiaddr: string | undefined): Promise<NetworkChoiceView> {
    if (this.#fixed) throw new AceError('NotAllowed', 'The network is fixed: choose another --data-dir');
    await wantNetwork(this.#context.dataDir, multiaddr);
    this.#chosen = multiaddr;
    return this.view();
  }

  get #fixed(): boolean {
    const { joinMultiaddr, dataDir, isRunning } = this.#context;
    return joinMultiaddr !== undefined || isRunning() || existsSync(dataDir.network);
  }

  view(): NetworkChoiceView {
    const network = chooseNetwork(this.#context.dataDir, this.joinMultiaddr);
    const multiaddr = network.mode === 'joined' ? network.multiaddr : null;
    return { mode: network.mode, multiaddr, fixed: this.#fixed };
  }
}

export function firstRunMethods(firstRun: FirstRun, wallet: Pick<WalletManager, 'skip'>): FirstRunMethods {
  return {
    networkChoice: async () => firstRun.view(),
    chooseNetwork: ({ multiaddr }) => firstRun.choose(multiaddr ?? undefined),
    async reachNetwork({ multiaddr }) {
      await reachNetwork(parseMultiaddr(multiaddr));
      return {};
    },
    walletSkip: async () => {
      if (firstRun.view().mode === 'joined')
        throw new AceError(
          'NotAllowed',
          'On this network a wallet holds money: make it, and write its phrase down',
        );
      return wallet.skip();
    },
  };
}
