/**
 * What pages and the command line talk to, before the node runs and after: the wallet always answers; everything else
 * answers once the wallet is open and the node runs, and reports until then what it waits for.
 */
import { inputs, type Procedure } from '../../shared/rpc/rpc.ts';
import type { NodeService } from '../rpc/service.ts';
import type { FirstRunMethods } from './first-run.ts';
import type { NodeServiceHandle } from './node-service.ts';
import type { ServiceFeed } from './service-feed.ts';
import type { WalletMethods } from './wallet.ts';

export interface GateOptions {
  /** What is answered whether the node runs or not. */
  readonly always: WalletMethods &
    FirstRunMethods &
    Pick<NodeService, 'apiToken' | 'renewApiToken' | 'shutdown'>;
  /** @throws why the node does not run yet */
  readonly running: () => NodeServiceHandle;
  readonly feed: ServiceFeed;
}

export function gatedService({ always, running, feed }: GateOptions): NodeService {
  const methods: Partial<Record<Procedure, (input: never) => Promise<unknown>>> = {};
  for (const procedure of Object.keys(inputs) as Procedure[]) {
    methods[procedure] = async (input) => {
      const node = running();
      const method = node[procedure as keyof NodeServiceHandle] as (input: unknown) => Promise<unknown>;
      return method.call(node, input);
    };
  }
  // One method for each of `inputs`, which the compiler does not see through the loop.
  return { ...(methods as unknown as NodeService), ...always, onFeed: feed.subscribe };
}
