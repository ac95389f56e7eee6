/** What a validator keeps in its folder beside its books: its key and faucet account, and the port of the last time. */
import { existsSync, readFileSync } from 'node:fs';
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError, isAceError } from '../../shared/errors.ts';
import { DialGuard } from '../p2p/dial-guard.ts';
import { createHost } from '../p2p/host.ts';
import { announceMultiaddrs, LOOPBACK_ONLY, listenMultiaddrs, onLoopbackOnly } from '../p2p/listen.ts';
import type { GossipRouter } from '../p2p/protocols/gossip/router.ts';
import { type ReachSettings, validatorReach } from '../p2p/reach.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import { createDevice, type DeviceIdentity, deviceFromSeed } from '../wallet/device.ts';
import { openWallet, saveWallet, walletExists } from '../wallet/keystore.ts';
import { createPhrase } from '../wallet/phrase.ts';

export interface ValidatorSecrets {
  readonly phrase: string;
  readonly device: DeviceIdentity;
}

export interface SecretsOptions {
  /** Which phrase will do, of those that are made. */
  readonly fits?: (phrase: string) => boolean;
  /** Whether the validator is new. The key of another one is in the network's settings, and can only be put back. */
  readonly mayMake: boolean;
}

/**
 * Opens the secrets, and makes those of a new validator.
 * @throws AceError `WalletMissing`, `DataDirMismatch`
 */
export async function validatorSecrets(
  path: string,
  { fits = () => true, mayMake }: SecretsOptions,
): Promise<ValidatorSecrets> {
  if (!walletExists(path)) {
    if (!mayMake) {
      throw new AceError(
        'WalletMissing',
        `${path}, the key of this validator, is gone: put it back from a copy. Its network knows no other key`,
      );
    }
    const device = createDevice();
    let phrase = createPhrase(12);
    while (!fits(phrase)) phrase = createPhrase(12);
    await saveWallet(path, { phrase, deviceSeed: device.seed() }, { protection: 'none', devnet: true });
  }
  const { phrase, deviceSeed } = await openWallet(path, { protection: 'none', devnet: true });
  if (phrase === null || !fits(phrase))
    throw new AceError('DataDirMismatch', `${path} was made for another place in the network`);
  return { phrase, device: deviceFromSeed(deviceSeed) };
}

export interface ListenOptions {
  /** TCP port for nodes; 0 takes any free one. */
  readonly port: number;
  /** IP addresses or multiaddrs to listen on; loopback when left out. */
  readonly listen?: readonly string[] | undefined;
  /** Addresses that the user knows to lead here. */
  readonly announce?: readonly string[] | undefined;
  /** What differs from what fits the listen addresses. */
  readonly reach?: Partial<ReachSettings> | undefined;
  /** Addresses that the user gave: they are dialed wherever they are. */
  readonly trusted?: readonly Multiaddr[];
}

/** Any free port means the one of the last time, if it is still free: joined nodes keep finding their validator. */
export async function listenAsBefore(
  device: DeviceIdentity,
  { port, listen = LOOPBACK_ONLY, announce = [], reach, trusted = [] }: ListenOptions,
  portFile: string,
  gossip: GossipRouter,
): Promise<Libp2p> {
  const listenOn = (tcpPort: number) => {
    const addresses = listenMultiaddrs(listen, tcpPort);
    const guard = new DialGuard(onLoopbackOnly(addresses));
    guard.trust(trusted);
    return createHost({
      deviceSeed: device.seed(),
      listen: addresses,
      announce: announceMultiaddrs(announce),
      guard,
      reach: { ...validatorReach(onLoopbackOnly(addresses)), ...reach },
      gossip,
    });
  };
  const last = port === 0 && existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : port;
  const wanted = Number.isInteger(last) && last > 0 && last <= 65_535 ? last : port;
  const host = await listenOn(wanted).catch((error: unknown) => {
    if (port !== 0 || !isAceError(error, 'PortInUse')) throw error;
    return listenOn(0);
  });
  const used = /\/tcp\/(\d+)/.exec(host.getMultiaddrs()[0]?.toString() ?? '')?.[1];
  if (used) await writeFileAtomic(portFile, used, 0o600);
  return host;
}
