/** A shard without a main chain of its own: it asks the process that has it. */
import * as dagCbor from '@ipld/dag-cbor';
import type { Libp2p } from '@libp2p/interface';
import { AceError } from '../../shared/errors.ts';
import { REGISTER_EVERY_MS } from '../chain/remote/constants.ts';
import { chainMethods } from '../chain/remote/messages.ts';
import { type ChainFacts, RemoteChain } from '../chain/remote/remote-chain.ts';
import { ShardDirectory } from '../chain/remote/shard-directory.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { keepOthersOut } from '../data-dir/other-users.ts';
import { lockDataDir } from '../db/lock.ts';
import { openValidatorStore, type ValidatorStore } from '../db/validator/store.ts';
import { parseMultiaddr } from '../p2p/host.ts';
import { plainSettings } from '../p2p/protocols/shard/messages.ts';
import { checked } from '../p2p/typed-rpc.ts';
import { createLog, type Log } from '../process/log.ts';
import { openResources } from '../util/resources.ts';
import { accountFromPhrase } from '../wallet/account.ts';
import { lastRecordMs, validatorClock } from './clock-guard.ts';
import { type RunningValidator, serveValidator } from './running-validator.ts';
import { readShardFile } from './shard-folders.ts';
import { shardRouter } from './shard-gossip.ts';
import { listenAsBefore, validatorSecrets } from './validator-files.ts';

const CHAIN_KEY = 'chain';

export interface ShardValidatorOptions {
  /** One of the folders that the process with the main chain has made. */
  readonly dataDir: string;
  /** TCP port for nodes; 0 takes any free one. */
  readonly port: number;
  /** IP addresses or multiaddrs to listen on; loopback when left out. */
  readonly listen?: readonly string[] | undefined;
  /** Addresses that the user knows to lead here. */
  readonly announce?: readonly string[] | undefined;
  /** Where the process with the main chain listens. */
  readonly chainMultiaddr: string;
}

/**
 * Once it has met the main chain it starts without it: it takes claims, and what needs the chain waits until that is back.
 * @throws AceError `FileMissing` (no shard's folder), `ShardUnavailable` (the main chain was never met and cannot be reached),
 * `DataDirMismatch` (a shard of another network), `DataDirInUse`, `PortInUse`, …
 */
export async function runShardValidator(options: ShardValidatorOptions): Promise<RunningValidator> {
  const { dataDir, port, listen, announce } = options;
  const chainAddress = parseMultiaddr(options.chainMultiaddr);
  const file = readShardFile(dataDir);
  if (!file) {
    throw new AceError(
      'FileMissing',
      `${dataDir} is no shard’s folder: ace-node validator --shards makes them, as shard-1, shard-2 and so on`,
    );
  }
  return openResources(async (resources) => {
    const files = new DataDir(dataDir);
    const lock = lockDataDir(dataDir);
    resources.defer(() => lock.release());
    const log = createLog(files.validatorLog);
    keepOthersOut(dataDir, log);
    const { phrase, device } = await validatorSecrets(files.wallet, { mayMake: false });
    const store = openValidatorStore(files.validatorDb);
    resources.defer(() => store.close());
    const clock = validatorClock();
    const recordedAtMs = lastRecordMs(store);
    if (recordedAtMs > 0) clock.startAfter(recordedAtMs);
    const router = shardRouter();
    const host = await listenAsBefore(
      device,
      { port, listen, announce, trusted: [chainAddress] },
      files.port,
      router,
    );
    resources.defer(() => host.stop());
    const chain = await RemoteChain.connect(host, chainAddress, rememberedChain(store));
    resources.defer(() => chain.close());
    const settings = chain.settings();
    if (settings.networkId !== file.networkId) {
      throw new AceError(
        'DataDirMismatch',
        `${dataDir} is of ${file.networkId}, not of ${settings.networkId}`,
      );
    }
    bindValidatorStore(store, settings.networkId, dataDir);
    rememberChain(store, chain);

    const directory = new ShardDirectory();
    const registering = await keepRegistered(chain, host, directory, log);
    resources.defer(() => clearInterval(registering));
    const options = {
      router,
      host,
      chain,
      store,
      key: device,
      shard: file.shard,
      faucet: chain.devnet ? accountFromPhrase(phrase) : null,
      shardAddresses: () => directory.all(),
      clock,
      log,
    };
    return serveValidator(options, resources);
  });
}

/** Says where this shard listens, now and from time to time; the caller ends it. */
async function keepRegistered(
  chain: RemoteChain,
  host: Libp2p,
  directory: ShardDirectory,
  log: Log,
): Promise<NodeJS.Timeout> {
  const register = async () => directory.adopt(await chain.register(host.getMultiaddrs().map(String)));
  let away = false;
  const tryIt = () =>
    register().then(
      () => {
        if (away) log.info('the main chain is back');
        away = false;
      },
      (error: unknown) => {
        if (!away) {
          log.warn(
            { err: error },
            'the main chain cannot be reached; it is tried again and again. Claims are taken; leases and settling wait for it',
          );
        }
        away = true;
      },
    );
  await tryIt();
  return setInterval(() => void tryIt(), REGISTER_EVERY_MS);
}

/** What the main chain said of itself when it was met last; `null` before that. */
function rememberedChain(store: ValidatorStore): ChainFacts | null {
  const text = store.meta.get(CHAIN_KEY);
  if (text === null) return null;
  try {
    return checked(chainMethods.hello.result, dagCbor.decode(Buffer.from(text, 'base64')));
  } catch {
    return null; // damaged, or of another version: the main chain says it anew
  }
}

function rememberChain(store: ValidatorStore, chain: RemoteChain): void {
  const plain = dagCbor.encode({ settings: plainSettings(chain.settings()), devnet: chain.devnet });
  store.commit(() => store.meta.set(CHAIN_KEY, Buffer.from(plain).toString('base64')));
}

/** The books of one network's shard never meet another network's chain. */
function bindValidatorStore(store: ValidatorStore, networkId: string, dataDir: string): void {
  const stored = store.meta.get('network');
  if (stored === null) store.commit(() => store.meta.set('network', networkId));
  else if (stored !== networkId) {
    throw new AceError('DataDirMismatch', `The books in ${dataDir} are of ${stored}, not of ${networkId}`);
  }
}
