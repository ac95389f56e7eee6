import type { Procedure } from '../../shared/rpc/rpc.ts';
import type { NodeService } from '../rpc/service.ts';
import type { WalletManager } from '../wallet/wallet-manager.ts';

export type WalletProcedure = Exclude<Extract<Procedure, `wallet${string}` | 'deviceRequest'>, 'walletSkip'>;

export type WalletMethods = Pick<NodeService, WalletProcedure>;

export function walletMethods(wallet: WalletManager): WalletMethods {
  return {
    walletState: () => wallet.state(),
    walletCreate: async (input) => wallet.create(input),
    walletConfirm: (input) => wallet.confirm(input),
    walletRestore: (input) => wallet.restore(input),
    walletRestoreBackup: (input) => wallet.restoreBackup(input),
    walletResetPassphrase: (input) => wallet.resetPassphrase(input),
    walletJoin: (input) => wallet.join(input),
    walletStart: () => wallet.start(),
    walletUnlock: (input) => wallet.unlock(input),
    walletLock: async () => wallet.lock(),
    walletChangePassphrase: (input) => wallet.changePassphrase(input),
    walletLockAfter: async (input) => wallet.lockAfter(input),
    walletKeepDevice: (input) => wallet.keepDevice(input),
    walletPhrase: (input) => wallet.phrase(input),
    walletBackup: (input) => wallet.backup(input),
    deviceRequest: () => wallet.deviceRequest(),
  };
}
