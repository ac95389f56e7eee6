/** What the procedures of a first start take and tell, beside those of the wallet. They answer before the node runs. */
import { z } from 'zod';
import type { WalletStateView } from './wallet.ts';

/** The network that the node is of, or will start with. */
export interface NetworkChoiceView {
  readonly mode: 'devnet' | 'joined';
  /** Of the validator that is joined. */
  readonly multiaddr: string | null;
  /** It cannot be chosen any more: it was given at the start, or the data directory is of it. */
  readonly fixed: boolean;
}

export const firstRunInputs = {
  networkChoice: z.object({}).strict(),
  /** `null`: a devnet of the node's own. */
  chooseNetwork: z.object({ multiaddr: z.string().min(1).max(300).nullable() }).strict(),
  reachNetwork: z.object({ multiaddr: z.string().min(1).max(300) }).strict(),
  walletSkip: z.object({}).strict(),
} as const;

export interface FirstRunOutputs {
  networkChoice: NetworkChoiceView;
  /** For the start that is to come. @throws AceError `InvalidInput`, `NotAllowed` when it is fixed */
  chooseNetwork: NetworkChoiceView;
  /** Whether anything answers there, before a wallet is made for it. @throws AceError `InvalidInput`, `ShardUnavailable` */
  reachNetwork: Record<string, never>;
  /**
   * On a devnet: a wallet without a passphrase, whose phrase was not shown yet, and the node starts.
   * @throws AceError `NotAllowed` on another network, `WalletInvalid` when there is a wallet
   */
  walletSkip: WalletStateView;
}
