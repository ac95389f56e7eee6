/** The wallet of a data directory, put together: beside a node, or alone where no node runs. */
import { existsSync } from 'node:fs';
import { AceError } from '../../shared/errors.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { chooseNetwork, settleNetwork, wantedNetwork, wantNetwork } from '../data-dir/network-choice.ts';
import { keepOthersOut } from '../data-dir/other-users.ts';
import { lockDataDir } from '../db/lock.ts';
import { type NodeStore, openNodeStore } from '../db/node/store.ts';
import { type WalletMethods, walletMethods } from '../service/wallet.ts';
import { KeptDevices } from '../wallet/kept-device.ts';
import { walletExists } from '../wallet/keystore.ts';
import { NO_SECRET_STORE, type SecretStore } from '../wallet/secret-store.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { WalletManager } from '../wallet/wallet-manager.ts';

/** What the wallet needs of the node beside it. */
export interface WalletHost {
  /** Left out: passphrases are kept nowhere. */
  readonly secretStore: SecretStore | undefined;
  /** The system's, for the device's key; left out: it lies in a file, where the owner asks for that. */
  readonly deviceKeyStore: SecretStore | undefined;
  /** This device's, of the running node. */
  readonly certificate: () => Uint8Array | null;
  readonly onNotKept: (error: unknown) => void;
  readonly isRunning: () => boolean;
  /** The running node's books. */
  readonly store: () => NodeStore | null;
  /** Given at the start, or chosen since; left out: the network of the data directory. */
  readonly joinMultiaddr: () => string | undefined;
  readonly onChange: (state: WalletStateView) => void;
  /** @throws why it does not start */
  readonly start: (wallet: Wallet) => Promise<void>;
}

export function composeWallet(dataDir: DataDir, host: WalletHost): WalletManager {
  return new WalletManager({
    walletPath: dataDir.wallet,
    deviceRequestPath: dataDir.deviceRequest,
    nodeDbPath: dataDir.nodeDb,
    secretStore: host.secretStore ?? NO_SECRET_STORE,
    keptDevices: new KeptDevices(host.deviceKeyStore ?? NO_SECRET_STORE, dataDir.deviceKey),
    certificate: host.certificate,
    onNotKept: host.onNotKept,
    nowMs: Date.now,
    start: host.start,
    isRunning: host.isRunning,
    onChange: host.onChange,
    withStore: (act) => withBooks(dataDir, host.store(), act),
    // Before there is a key: a wallet that was made for a network must not come up on a devnet of its own.
    beforeFirstKey: async () => {
      const multiaddr = host.joinMultiaddr();
      if (multiaddr !== undefined && !existsSync(dataDir.network)) await wantNetwork(dataDir, multiaddr);
    },
    joinMultiaddr: () => {
      const network = chooseNetwork(dataDir, host.joinMultiaddr());
      return network.mode === 'joined' ? network.multiaddr : null;
    },
    joinNetwork: (multiaddr) => settleNetwork(dataDir, { mode: 'joined', multiaddr }),
  });
}

/** The running node's books; without one those in the directory, opened for as long as `act` takes; or `null`. */
export function withBooks<T>(
  { nodeDb }: DataDir,
  running: NodeStore | null,
  act: (store: NodeStore | null) => T,
): T {
  if (running) return act(running);
  if (!existsSync(nodeDb)) return act(null);
  const store = openNodeStore(nodeDb);
  try {
    return act(store);
  } finally {
    store.close();
  }
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
  const dataDir = new DataDir(config.dataDir);
  if (dataDir.isValidatorFolder) {
    throw new AceError(
      'DataDirMismatch',
      `${dataDir.path} is a validator's folder and has no wallet of yours`,
    );
  }
  // What is no address, and what cannot be joined from here, is refused before anything is made, asked or shown.
  chooseNetwork(dataDir, config.joinMultiaddr);
  const lock = lockDataDir(config.dataDir);
  try {
    keepOthersOut(dataDir.path, null);
    const joinMultiaddr = config.joinMultiaddr ?? wantedNetwork(dataDir);
    const wallet = composeWallet(dataDir, {
      secretStore: config.secretStore,
      deviceKeyStore: config.deviceKeyStore,
      certificate: () => null,
      onNotKept: () => undefined,
      isRunning: () => false,
      store: () => null,
      joinMultiaddr: () => joinMultiaddr,
      onChange: () => undefined,
      start: async () => undefined,
    });
    const methods = walletMethods(wallet);
    await wallet.begin(undefined, { firstRun: true, mayWait: true });
    // Commands on what a running node keeps: alone, nothing is open that could be locked.
    const checkOpen = (isEnough: boolean) => {
      if (isEnough || !walletExists(dataDir.wallet)) return;
      throw new AceError(
        'NodeNotRunning',
        'No node runs on this directory, so nothing is unlocked: ace-node start runs one',
      );
    };
    return {
      methods: {
        ...methods,
        walletLock: async (input) => {
          checkOpen(wallet.wallet !== null);
          return methods.walletLock(input);
        },
        walletKeepDevice: async (input) => {
          // Kept with the certificate of the running node; forgetting needs only books.
          checkOpen(!input.keep && existsSync(dataDir.nodeDb));
          return methods.walletKeepDevice(input);
        },
        walletLockAfter: async (input) => {
          // Kept in the books, which are there once a node has run.
          checkOpen(existsSync(dataDir.nodeDb));
          return methods.walletLockAfter(input);
        },
      },
      close() {
        wallet.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
