/**
 * What pages and the command line talk to, before the node runs and after: the wallet always answers; everything else
 * answers once the wallet is open and the node runs, and says until then what it waits for.
 */
import { inputs, type Procedure } from '../shared/rpc.ts';
import type { WalletStateView } from '../shared/rpc-wallet.ts';
import type { NodeServiceHandle } from './node-service.ts';
import type { FeedListener, NodeService } from './rpc/service.ts';
import type { WalletBackups } from './wallet-backups.ts';
import type { WalletDesk } from './wallet-desk.ts';

type WalletProcedure = Extract<Procedure, `wallet${string}` | 'deviceRequest'>;
type WalletMethods = Pick<NodeService, WalletProcedure>;

export function walletMethods(desk: WalletDesk, backups: WalletBackups): WalletMethods {
  return {
    walletState: () => desk.state(),
    walletCreate: async (input) => desk.create(input),
    walletConfirm: (input) => desk.confirm(input),
    walletRestore: (input) => desk.restore(input),
    walletRestoreBackup: (input) => backups.restore(input),
    walletJoin: (input) => desk.join(input),
    walletStart: () => desk.start(),
    walletUnlock: (input) => desk.unlock(input),
    walletLock: async () => desk.lock(),
    walletChangePassphrase: (input) => desk.changePassphrase(input),
    walletLockAfter: async (input) => desk.lockAfter(input),
    walletPhrase: (input) => desk.phrase(input),
    walletBackup: (input) => backups.make(input),
    deviceRequest: () => desk.deviceRequest(),
  };
}

export interface NodeGateOptions {
  readonly wallet: WalletMethods;
  /** Why the node does not run yet. */
  readonly notRunning: () => Error;
  /** Answered though the node does not run. */
  readonly shutdown: () => void;
}

export class NodeGate {
  readonly service: NodeService;
  readonly #listeners = new Set<FeedListener>();
  /** Their ends, since the node runs. */
  readonly #stops = new Map<FeedListener, () => void>();
  #node: NodeServiceHandle | null = null;

  constructor({ wallet, notRunning, shutdown }: NodeGateOptions) {
    const methods: Partial<Record<Procedure, (input: never) => Promise<unknown>>> = {};
    for (const procedure of Object.keys(inputs) as Procedure[]) {
      methods[procedure] = async (input) => {
        const node = this.#node;
        if (!node) throw notRunning();
        const method = node[procedure as keyof NodeServiceHandle] as (input: unknown) => Promise<unknown>;
        return method.call(node, input);
      };
    }
    this.service = {
      // One method for each of `inputs`, which the compiler does not see through the loop.
      ...(methods as unknown as NodeService),
      ...wallet,
      async shutdown() {
        shutdown();
        return {};
      },
      onFeed: (listener) => {
        this.#listeners.add(listener);
        if (this.#node) this.#stops.set(listener, this.#node.onFeed(listener));
        return () => {
          this.#listeners.delete(listener);
          this.#stops.get(listener)?.();
          this.#stops.delete(listener);
        };
      },
    };
  }

  /** The node runs: whoever listens hears it from now on. */
  open(node: NodeServiceHandle): void {
    this.#node = node;
    for (const listener of this.#listeners) this.#stops.set(listener, node.onFeed(listener));
    node.emitSnapshot();
  }

  /** The wallet changed. */
  tell(state: WalletStateView): void {
    for (const listener of this.#listeners) listener('wallet', state);
  }
}
