import type { Procedure } from '../../shared/rpc/rpc.ts';
import type { NodeService } from '../rpc/service.ts';
import type { WalletBackups } from '../wallet/backup-restore.ts';
import type { WalletDesk } from '../wallet/wallet-manager.ts';

export type WalletProcedure = Exclude<Extract<Procedure, `wallet${string}` | 'deviceRequest'>, 'walletSkip'>;

export type WalletMethods = Pick<NodeService, WalletProcedure>;

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
