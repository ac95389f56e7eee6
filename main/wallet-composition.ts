/** The wallet of a data directory, put together: beside a node, or alone where no node runs. */
import { existsSync } from 'node:fs';
import { AceError } from '../shared/errors.ts';
import type { WalletStateView } from '../shared/rpc-wallet.ts';
import { isValidatorFolder, type NodeConfig, nodePaths } from './config.ts';
import { lockDataDir } from './db/lock.ts';
import { type NodeStore, openNodeStore } from './db/node/store.ts';
import { chooseNetwork } from './network-choice.ts';
import { type WalletMethods, walletMethods } from './node-gate.ts';
import { NO_SECRET_STORE } from './wallet/secret-store.ts';
import type { Wallet } from './wallet/wallet.ts';
import { WalletBackups } from './wallet-backups.ts';
import { WalletDesk } from './wallet-desk.ts';

/** The node beside it. */
export interface WalletHost {
  readonly isRunning: () => boolean;
  /** The running node's books. */
  readonly store: () => NodeStore | null;
  /** Given at the start, or chosen since; left out: what the data directory says. */
  readonly joinMultiaddr: () => string | undefined;
  readonly onChange: (state: WalletStateView) => void;
  /** @throws why it does not start */
  readonly start: (wallet: Wallet) => Promise<void>;
}

export interface ComposedWallet {
  readonly desk: WalletDesk;
  readonly methods: WalletMethods;
}

export function composeWallet(config: NodeConfig, host: WalletHost): ComposedWallet {
  const paths = nodePaths(config.dataDir);
  const desk = new WalletDesk({
    walletPath: paths.wallet,
    deviceRequestPath: paths.deviceRequest,
    secretStore: config.secretStore ?? NO_SECRET_STORE,
    nowMs: Date.now,
    isRunning: host.isRunning,
    withStore: (act) => {
      const store = host.store();
      return store ? act(store) : withClosedStore(paths.nodeDb, act);
    },
    onChange: host.onChange,
    start: host.start,
  });
  const backups = new WalletBackups({
    desk,
    walletPath: paths.wallet,
    nodeDbPath: paths.nodeDb,
    networkPath: paths.network,
    nowMs: Date.now,
    joinMultiaddr: () => {
      const network = chooseNetwork(paths.network, host.joinMultiaddr());
      return network.mode === 'joined' ? network.multiaddr : null;
    },
  });
  return { desk, methods: walletMethods(desk, backups) };
}

export interface OfflineWallet {
  readonly methods: WalletMethods;
  close(): void;
}

/**
 * The same procedures where no node runs; nothing is started by them. The caller closes it.
 * @throws AceError `DataDirInUse`, `DataDirMismatch`, `DataDirNotWritable`, `WalletLocked` (a wrong passphrase), `WalletInvalid`
 */
export async function openOfflineWallet(config: NodeConfig): Promise<OfflineWallet> {
  if (isValidatorFolder(config.dataDir)) {
    throw new AceError(
      'DataDirMismatch',
      `${config.dataDir} is a validator's folder and has no wallet of yours`,
    );
  }
  const lock = lockDataDir(config.dataDir);
  try {
    const { desk, methods } = composeWallet(config, {
      isRunning: () => false,
      store: () => null,
      joinMultiaddr: () => config.joinMultiaddr,
      onChange: () => undefined,
      start: async () => undefined,
    });
    await desk.begin(undefined, { firstRun: true, mayWait: true });
    return {
      methods,
      close() {
        desk.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** `null` before there are any books. */
function withClosedStore<T>(path: string, act: (store: NodeStore | null) => T): T {
  if (!existsSync(path)) return act(null);
  const store = openNodeStore(path);
  try {
    return act(store);
  } finally {
    store.close();
  }
}
