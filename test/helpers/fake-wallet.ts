/** The wallet's procedures without a wallet: a state that can be locked and unlocked; what signs anything says no. */
import type { CheckedInput, NodeService } from '../../main/rpc/service.ts';
import { AceError } from '../../shared/errors.ts';
import type { Procedure } from '../../shared/rpc/rpc.ts';
import type { WalletOutputs, WalletStateView } from '../../shared/rpc/wallet.ts';

type WalletService = Pick<NodeService, Extract<Procedure, keyof WalletOutputs>>;

const DEVICE = 'ab'.repeat(32);
const PEER_ID = '12D3KooWGbJk9fKqZ3VxJ2mF6hT8sYpLrN4wQeXx7LmCdUvBaRtS';

export class FakeWallet implements WalletService {
  walletView: WalletStateView = {
    status: 'unlocked',
    running: true,
    failure: null,
    address: '0x1d4C2f4b6E0a9c7D5B3f1e2d4C6B8A0F1e3D5C7b',
    protection: 'passphrase',
    remembered: false,
    deviceKept: null,
    systemStore: { usable: false, why: 'this is no desktop' },
    lockAfterMinutes: 15,
    locksAtMs: null,
    phraseConfirmed: true,
    lastBackupAtMs: null,
  };

  async walletState(): Promise<WalletStateView> {
    return this.walletView;
  }

  async walletLock(): Promise<WalletStateView> {
    return this.#become('locked');
  }

  async walletUnlock(): Promise<WalletStateView> {
    return this.#become('unlocked');
  }

  async walletStart(): Promise<WalletStateView> {
    return this.walletView;
  }

  async walletChangePassphrase(): Promise<WalletStateView> {
    return this.#become('unlocked');
  }

  async walletLockAfter({ lockAfterMinutes }: CheckedInput<'walletLockAfter'>): Promise<WalletStateView> {
    this.walletView = { ...this.walletView, lockAfterMinutes };
    return this.walletView;
  }

  async walletKeepDevice({ keep }: CheckedInput<'walletKeepDevice'>): Promise<WalletStateView> {
    this.walletView = { ...this.walletView, deviceKept: keep ? 'file' : null };
    return this.walletView;
  }

  async walletCreate(): Promise<WalletOutputs['walletCreate']> {
    throw signsNothing();
  }

  async walletConfirm(): Promise<WalletOutputs['walletConfirm']> {
    throw signsNothing();
  }

  async walletRestore(): Promise<WalletOutputs['walletRestore']> {
    throw signsNothing();
  }

  async walletRestoreBackup(): Promise<WalletOutputs['walletRestoreBackup']> {
    throw signsNothing();
  }

  async walletResetPassphrase(): Promise<WalletOutputs['walletResetPassphrase']> {
    return { ...this.#become('unlocked'), newDevice: false };
  }

  async walletJoin(): Promise<WalletOutputs['walletJoin']> {
    throw signsNothing();
  }

  async walletPhrase(): Promise<WalletOutputs['walletPhrase']> {
    throw signsNothing();
  }

  async walletBackup(): Promise<WalletOutputs['walletBackup']> {
    throw signsNothing();
  }

  async quoteSend(): Promise<WalletOutputs['quoteSend']> {
    throw signsNothing();
  }

  async send(): Promise<WalletOutputs['send']> {
    throw signsNothing();
  }

  async quoteDeposit(): Promise<WalletOutputs['quoteDeposit']> {
    throw signsNothing();
  }

  async deposit(): Promise<WalletOutputs['deposit']> {
    throw signsNothing();
  }

  async quoteWithdraw(): Promise<WalletOutputs['quoteWithdraw']> {
    throw signsNothing();
  }

  async withdraw(): Promise<WalletOutputs['withdraw']> {
    throw signsNothing();
  }

  async quoteMint(): Promise<WalletOutputs['quoteMint']> {
    throw signsNothing();
  }

  async mint(): Promise<WalletOutputs['mint']> {
    throw signsNothing();
  }

  async quoteSwap(): Promise<WalletOutputs['quoteSwap']> {
    throw signsNothing();
  }

  async swap(): Promise<WalletOutputs['swap']> {
    throw signsNothing();
  }

  async quoteAccess(): Promise<WalletOutputs['quoteAccess']> {
    throw signsNothing();
  }

  async buyAccess(): Promise<WalletOutputs['buyAccess']> {
    throw signsNothing();
  }

  async deviceLink(): Promise<WalletOutputs['deviceLink']> {
    throw signsNothing();
  }

  async deviceUnlink(): Promise<WalletOutputs['deviceUnlink']> {
    throw signsNothing();
  }

  async receive(): Promise<WalletOutputs['receive']> {
    return { address: this.walletView.address ?? '' };
  }

  async repayments(): Promise<WalletOutputs['repayments']> {
    return [];
  }

  async deviceRequest(): Promise<WalletOutputs['deviceRequest']> {
    return { device: DEVICE, peerId: PEER_ID };
  }

  async devices(): Promise<WalletOutputs['devices']> {
    return [{ device: DEVICE, peerId: PEER_ID, thisDevice: true, state: 'unnamed' }];
  }

  #become(status: WalletStateView['status']): WalletStateView {
    this.walletView = { ...this.walletView, status };
    return this.walletView;
  }
}

function signsNothing(): AceError {
  return new AceError('NotAllowed', 'The wallet of a test signs nothing');
}
