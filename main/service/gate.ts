/**
 * What pages and the command line talk to, before the node runs and after: the wallet always answers; everything else
 * answers once the wallet is open and the node runs, and says until then what it waits for.
 */
import { inputs, type Procedure } from '../../shared/rpc/rpc.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import type { NodeFeedListener, NodeService } from '../rpc/service.ts';
import type { FirstRunMethods } from './first-run.ts';
import type { NodeServiceHandle } from './node-service.ts';
import type { WalletMethods } from './wallet.ts';

/** What is answered whether the node runs or not. */
type AlwaysMethods = WalletMethods &
  FirstRunMethods &
  Pick<NodeService, 'apiToken' | 'renewApiToken' | 'shutdown'>;

export interface NodeGateOptions {
  readonly always: AlwaysMethods;
  /** Why the node does not run yet. */
  readonly notRunning: () => Error;
}

export class NodeGate {
  readonly service: NodeService;
  readonly #listeners = new Set<NodeFeedListener>();
  /** Their ends, since the node runs. */
  readonly #stops = new Map<NodeFeedListener, () => void>();
  #node: NodeServiceHandle | null = null;

  constructor({ always, notRunning }: NodeGateOptions) {
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
      ...always,
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
    for (const listener of this.#listeners) listener('change', null);
  }

  /** The wallet changed. */
  tell(state: WalletStateView): void {
    for (const listener of this.#listeners) listener('wallet', state);
  }
}
