/** What a node is started with. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import envPaths from 'env-paths';
import type { DevnetProfile } from '../../shared/devnet-profile.ts';
import type { ReachSettings } from '../p2p/reach.ts';
import type { SecretStore } from '../wallet/secret-store.ts';

export interface NodeConfig {
  readonly dataDir: string;
  /** Port of pages and players; 0 takes any free one. The default moves on when it is taken. */
  readonly httpPort?: number;
  /** IP address that pages and players are served at; this machine only when left out. */
  readonly httpHost?: string;
  /** Names that lead to the pages by a tunnel, a port mapping or a proxy: `localhost:8080`, `node.example`. */
  readonly allowHosts?: readonly string[];
  /** A validator of the network to join; without it the node runs a devnet of its own. */
  readonly joinMultiaddr?: string;
  /** Port for other peers; 0 takes any free one. */
  readonly p2pPort?: number;
  /**
   * IP addresses or TCP multiaddrs that other peers reach this node at. Left out: loopback for a devnet of its own and
   * for a validator on this machine, all interfaces otherwise.
   */
  readonly listen?: readonly string[];
  /** Multiaddrs that lead here beside those that are found out: a port that the router forwards. */
  readonly announce?: readonly string[];
  /** How it is found and reached, where that differs from what fits the place of the validator. */
  readonly reach?: Partial<ReachSettings>;
  /** Sample clip and icons. */
  readonly resourcesDir: string;
  /** Built pages. */
  readonly pagesDir: string;
  readonly passphrase?: string;
  /** Left out: a missing wallet is made without a passphrase, and a locked one is an error. */
  readonly wallet?: {
    /** A missing wallet is made or restored by its owner, on the pages. */
    readonly firstRun?: boolean;
    /** A locked one is unlocked there. */
    readonly mayWait?: boolean;
  };
  /** The operating system's, where the shell has one. */
  readonly secretStore?: SecretStore;
  /** The same, for the key of the device. */
  readonly deviceKeyStore?: SecretStore;
  /** Profile for a devnet that this process makes; later starts take the stored one. */
  readonly devnet?: DevnetProfile;
  /** Whether a devnet of this process gets a provider that offers the sample clip. On by default. */
  readonly offerSample?: boolean;
}

export const DEFAULT_HTTP_PORT = 6_878;

/** Of this user, unless the command line names another: the same for the window and the command line. */
export function defaultDataDir(): string {
  const { data } = envPaths('ace-node', { suffix: '' });
  // A variable that leads to another folder from each place is invalid, and left aside: XDG base directory specification.
  return isAbsolute(data) ? data : join(homedir(), '.local', 'share', 'ace-node');
}
