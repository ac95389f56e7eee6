/** Whole nodes in this process that join a devnet, with wallets that have a passphrase. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { NodeConfig } from '../../main/data-dir/config.ts';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { createProcedures } from '../../main/rpc/procedures.ts';
import { AceError } from '../../shared/errors.ts';
import type { Input, Output, Procedure } from '../../shared/rpc/rpc.ts';
import './cheap-passphrases.ts';
import type { Devnet } from './devnet.ts';

export const PASSPHRASE = 'correct horse battery';

export interface WalletNode {
  readonly node: RunningNode;
  readonly dir: string;
  /** Through the checks of the boundary, as a page calls. @throws AceError what a page would be told */
  call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>>;
  stop(): Promise<void>;
}

/** The same name again starts the same node. */
export async function walletNode(
  net: Devnet,
  name: string,
  config: Partial<NodeConfig> = {},
): Promise<WalletNode> {
  const dir = join(net.dir, name);
  const node = await startNode({
    dataDir: dir,
    httpPort: 0,
    joinMultiaddr: net.validator.multiaddr,
    resourcesDir: dir,
    pagesDir: dir,
    ...config,
  });
  const stop = net.owns(() => node.stop());
  onTestFinished(stop);
  const procedures = createProcedures(node.service);
  return {
    node,
    dir,
    stop,
    async call(procedure, input) {
      const answer = await procedures.dispatch(procedure, input);
      if ('output' in answer) return answer.output as never;
      const { code, message, details } = answer.error;
      throw new AceError(code, message, { details: details ?? {} });
    },
  };
}
