/** How a command reaches a wallet: through the node that runs on the directory, or by itself where none does. */
import { AceError } from '../../shared/errors.ts';
import type { Input, Output, Procedure } from '../../shared/rpc/rpc.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import type { WalletProcedure } from '../service/wallet.ts';
import { checkNoWallet as checkNone } from '../wallet/keystore.ts';
import { type NodeConnection, otherNetwork, runningNode } from './node-connection.ts';
import { checkReadable } from './readable.ts';

export interface WalletConnection {
  call<P extends WalletProcedure>(procedure: P, input: Input<P>): Promise<Output<P>>;
  close(): Promise<void>;
}

/** @throws AceError `FileUnreadable`, `DataDirInUse`, `DataDirMismatch`, `WalletInvalid` (a damaged wallet) */
async function openWalletConnection(config: NodeConfig): Promise<WalletConnection> {
  checkReadable(config.dataDir);
  const running = await runningNode(new DataDir(config.dataDir));
  if (running) {
    await sameNetwork(running, config);
    return { call: (procedure, input) => running.call(procedure, input), close: () => running.close() };
  }
  const [{ openOfflineWallet }, { inputs }] = await Promise.all([
    import('../node/wallet-composition.ts'),
    import('../../shared/rpc/rpc.ts'),
  ]);
  const wallet = await openOfflineWallet(config);
  return {
    async call(procedure, input) {
      const checked = inputs[procedure as Procedure].safeParse(input);
      if (!checked.success) throw new AceError('InvalidInput', firstIssue(checked.error));
      const method = wallet.methods[procedure] as (input: unknown) => Promise<unknown>;
      return (await method(checked.data)) as never;
    },
    close: async () => wallet.close(),
  };
}

/** A running node has its network, or asks for it on its pages: a wallet is not made there for another one. */
async function sameNetwork(running: NodeConnection, { joinMultiaddr }: NodeConfig): Promise<void> {
  if (joinMultiaddr === undefined) return;
  const { multiaddr } = await running.call('networkChoice', {});
  if (multiaddr === joinMultiaddr) return;
  await running.close();
  throw otherNetwork(multiaddr);
}

/** Where one is to be made: refused before anything is asked for. @throws AceError `WalletInvalid` */
export function checkNoWallet({ dataDir }: NodeConfig): void {
  checkNone(new DataDir(dataDir).wallet);
}

function firstIssue({ issues }: { readonly issues: readonly { readonly message: string }[] }): string {
  return issues[0]?.message ?? 'Not valid';
}

/** Runs `act` with a wallet, and leaves it as it was. */
export async function withWallet<T>(
  config: NodeConfig,
  act: (connection: WalletConnection) => Promise<T>,
): Promise<T> {
  const connection = await openWalletConnection(config);
  try {
    return await act(connection);
  } finally {
    await connection.close();
  }
}
