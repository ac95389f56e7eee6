/** The wallet's procedures without a wallet: a state that can be locked and unlocked; what signs anything says no. */
import type { CheckedInput, NodeService } from '../../main/rpc/service.ts';
import { AceError } from '../../shared/errors.ts';
import type { Procedure } from '../../shared/rpc.ts';
import type { WalletOutputs, WalletStateView } from '../../shared/rpc-wallet.ts';

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
    systemStore: { usable: false, why: 'this is no desktop' },
    lockAfterMinutes: 15,
    locksAtMs: null,
    phraseConfirmed: true,
    lastBackupAtMs: null,
  };

  walletState = async (): Promise<WalletStateView> => this.walletView;
  walletLock = async () => this.#become('locked');
  walletUnlock = async () => this.#become('unlocked');
  walletStart = async () => this.walletView;
  walletChangePassphrase = async () => this.#become('unlocked');

  async walletLockAfter({ lockAfterMinutes }: CheckedInput<'walletLockAfter'>): Promise<WalletStateView> {
    this.walletView = { ...this.walletView, lockAfterMinutes };
    return this.walletView;
  }

  walletCreate = no<'walletCreate'>();
  walletConfirm = no<'walletConfirm'>();
  walletRestore = no<'walletRestore'>();
  walletRestoreBackup = no<'walletRestoreBackup'>();
  walletJoin = no<'walletJoin'>();
  walletPhrase = no<'walletPhrase'>();
  walletBackup = no<'walletBackup'>();
  quoteSend = no<'quoteSend'>();
  send = no<'send'>();
  quoteMint = no<'quoteMint'>();
  mint = no<'mint'>();
  quoteSwap = no<'quoteSwap'>();
  swap = no<'swap'>();
  quoteAccess = no<'quoteAccess'>();
  buyAccess = no<'buyAccess'>();
  deviceLink = no<'deviceLink'>();
  deviceUnlink = no<'deviceUnlink'>();

  receive = async () => ({ address: this.walletView.address ?? '' });
  repayments = async (): Promise<WalletOutputs['repayments']> => [];
  deviceRequest = async () => ({ device: DEVICE, peerId: PEER_ID });
  devices = async (): Promise<WalletOutputs['devices']> => [
    { device: DEVICE, peerId: PEER_ID, thisDevice: true, state: 'unnamed' },
  ];

  #become(status: WalletStateView['status']): WalletStateView {
    this.walletView = { ...this.walletView, status };
    return this.walletView;
  }
}

function no<P extends keyof WalletOutputs>(): () => Promise<WalletOutputs[P]> {
  return async () => {
    throw new AceError('NotAllowed', 'The wallet of a test signs nothing');
  };
}
