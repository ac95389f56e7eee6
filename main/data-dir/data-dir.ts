/**
 * Every file of a data directory, named once. A node's directory and a validator's folder are both described here: they
 * share the wallet's name, and a node's own devnet keeps a validator's folder inside.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export class DataDir {
  readonly path: string;
  readonly wallet: string;
  /** Key of a device that waits for its account's certificate. */
  readonly deviceRequest: string;
  /** The wallet's passphrase, sealed by the system's key store. Only the desktop shell writes it. */
  readonly sealedPassphrase: string;
  /** This device's key, kept beside the wallet so that a locked node starts; the second is sealed by the key store. */
  readonly deviceKey: string;
  readonly sealedDeviceKey: string;
  readonly nodeDb: string;
  readonly pieces: string;
  readonly log: string;
  /** How the command line reaches a running node. */
  readonly control: string;
  /** What pages and scripts show to drive the node; mode 0600. */
  readonly apiToken: string;
  /** Reports of crashes and errors that nothing handled. */
  readonly reports: string;
  /** Which network this directory belongs to. */
  readonly network: string;
  /** The network that a first start asked for, until it has answered. */
  readonly networkWanted: string;
  /** What Electron and the desktop shell keep for themselves. */
  readonly windowState: string;
  /** Why the desktop app ended, until somebody has seen it. */
  readonly lastFailure: string;
  /** Of a devnet that the node runs itself. */
  readonly validatorDir: string;
  /** Of the provider that offers the sample clip there. */
  readonly seedDir: string;
  /** Of a validator: the main chain, its own books, what its devnet was made with. */
  readonly chainDb: string;
  readonly validatorDb: string;
  readonly profile: string;
  readonly shard: string;
  /** The port that it listened on last. */
  readonly port: string;
  readonly validatorLog: string;

  constructor(path: string) {
    const inside = (...names: string[]) => join(path, ...names);
    this.path = path;
    this.wallet = inside('wallet.json');
    this.deviceRequest = inside('device-request.json');
    this.sealedPassphrase = inside('passphrase.sealed');
    this.deviceKey = inside('device-key.json');
    this.sealedDeviceKey = inside('device-key.sealed');
    this.nodeDb = inside('node.db');
    this.pieces = inside('pieces');
    this.log = inside('node.log');
    this.control = inside('control.json');
    this.apiToken = inside('api-token');
    this.reports = inside('reports');
    this.network = inside('network.json');
    this.networkWanted = inside('network-wanted.json');
    this.windowState = inside('window');
    this.lastFailure = inside('window', 'last-failure.json');
    this.validatorDir = inside('devnet', 'validator');
    this.seedDir = inside('devnet', 'provider');
    this.chainDb = inside('chain.db');
    this.validatorDb = inside('validator.db');
    this.profile = inside('profile.json');
    this.shard = inside('shard.json');
    this.port = inside('port');
    this.validatorLog = inside('validator.log');
  }

  /** A validator's key must not become somebody's wallet: no node starts where this holds. */
  get isValidatorFolder(): boolean {
    return existsSync(this.profile) || existsSync(this.shard);
  }
}
