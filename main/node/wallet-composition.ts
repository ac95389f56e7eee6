/** The wallet of a data directory, put together: beside a node, or alone where no node runs. */
import { existsSync } from 'node:fs';
import { AceError } from '../../shared/errors.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import { isValidatorFolder, type NodeConfig, nodePaths } from '../data-dir/config.ts';
import { chooseNetwork, wantedNetwork, wantNetwork } from '../data-dir/network-choice.ts';
import { lockDataDir } from '../db/lock.ts';
import { type NodeStore, openNodeStore } from '../db/node/store.ts';
import { type WalletMethods, walletMethods } from '../service/wallet.ts';
import { WalletBackups } from '../wallet/backup-restore.ts';
import { walletExists } from '../wallet/keystore.ts';
import { NO_SECRET_STORE } from '../wallet/secret-store.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { WalletDesk } from '../wallet/wallet-manager.ts';

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
    // Before there is a key: a wallet that was made for a network must not come up on a devnet of its own.
    beforeFirstKey: async () => {
      const multiaddr = host.joinMultiaddr();
      if (multiaddr !== undefined && !existsSync(paths.network)) await wantNetwork(paths, multiaddr);
    },
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
 * @throws AceError `DataDirInUse`, `DataDirMismatch`, `DataDirNotWritable`, `InvalidInput` (no address to join),
 * `WalletLocked` (a wrong passphrase), `WalletInvalid`
 */
export async function openOfflineWallet(config: NodeConfig): Promise<OfflineWallet> {
  if (isValidatorFolder(config.dataDir)) {
    throw new AceError(
      'DataDirMismatch',
      `${config.dataDir} is a validator's folder and has no wallet of yours`,
    );
  }
  const paths = nodePaths(config.dataDir);
  // What is no address, and what cannot be joined from here, is said before anything is made, asked or shown.
  chooseNetwork(paths.network, config.joinMultiaddr);
  const lock = lockDataDir(config.dataDir);
  try {
    const joinMultiaddr = config.joinMultiaddr ?? wantedNetwork(paths);
    const { desk, methods } = composeWallet(config, {
      isRunning: () => false,
      store: () => null,
      joinMultiaddr: () => joinMultiaddr,
      onChange: () => undefined,
      start: async () => undefined,
    });
    await desk.begin(undefined, { firstRun: true, mayWait: true });
    // Commands on what a running node keeps: alone, nothing is open that could be locked.
    const checkOpen = (isEnough: boolean) => {
      if (isEnough || !walletExists(paths.wallet)) return;
      throw new AceError(
        'NodeNotRunning',
        'No node runs on this directory, so nothing is unlocked: ace-node start runs one',
      );
    };
    return {
      methods: {
        ...methods,
        walletLock: async (input) => {
          checkOpen(desk.wallet !== null);
          return methods.walletLock(input);
        },
        walletLockAfter: async (input) => {
          // Kept in the books, which are there once a node has run.
          checkOpen(existsSync(paths.nodeDb));
          return methods.walletLockAfter(input);
        },
      },
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
