/**
 * A shard validator: one home shard's leases, claims, loans and batches, served over libp2p (docs/protocols.md#shard).
 *
 * Everything that reads and then changes what an account may do runs one at a time, so that two leases asked for at
 * once can never both have the last unit.
 */
import type { Libp2p } from '@libp2p/interface';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { standingOf } from '../p2p/peer-standing.ts';
import { AccountWatchers } from '../p2p/protocols/shard/account-watchers.ts';
import type { ShardAddresses } from '../p2p/protocols/shard/messages.ts';
import { serveShard } from '../p2p/protocols/shard/server.ts';
import type { Log } from '../process/log.ts';
import { serializer } from '../util/serialize.ts';
import type { SteadyClock } from '../util/steady-clock.ts';
import type { Account } from '../wallet/account.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { Announcers } from './announcers.ts';
import type { Settled } from './batching.ts';
import { ClockGuard } from './clock-guard.ts';
import { DebtorWatch } from './debtor-watch.ts';
import { Faucet } from './faucet.ts';
import { shardHandlers } from './handlers.ts';
import { ClaimIntake } from './intake.ts';
import { LeaseQueue } from './lease-queue.ts';
import { PeerWorth } from './peer-worth.ts';
import { ReadCache } from './read-cache.ts';
import { Rendezvous } from './rendezvous.ts';
import { Settling } from './settling.ts';
import { StrangersShare } from './strangers-share.ts';
import { VerifyPool } from './verify-pool.ts';

export interface ValidatorOptions {
  readonly host: Libp2p;
  readonly chain: MainChain;
  readonly store: ValidatorStore;
  /** Its public key stands in the network settings. */
  readonly key: DeviceIdentity;
  readonly shard: number;
  /** Devnet only: pays top-ups out of a genesis balance. */
  readonly faucet: Account | null;
  /** Where the network's shards listen, as far as it is known here. */
  readonly shardAddresses?: () => readonly ShardAddresses[];
  /** Held against the last record already (see `SteadyClock.startAfter`). */
  readonly clock: SteadyClock;
  readonly log: Log;
}

export interface Validator {
  /** Settles now instead of at the next interval. */
  settleNow(): Promise<Settled | null>;
  /** Settles what is left and stops the timer. */
  stop(): Promise<void>;
}

/** @throws AceError `DataDirMismatch` (another shard's key, or the file and the chain have different histories) */
export async function startValidator(options: ValidatorOptions): Promise<Validator> {
  const { host, store, key, shard, clock, log, shardAddresses = () => [] } = options;
  const cache = new ReadCache(options.chain, () => performance.now());
  // Exact, and what changes through it is forgotten by the cache. Whatever decides about money asks this.
  const { chain } = cache;
  const settings = chain.settings();
  if (settings.validatorKeys[shard] !== toHex(key.publicKey)) {
    throw new AceError(
      'DataDirMismatch',
      `This validator's key is not the one of shard ${shard} in the network profile`,
    );
  }
  const watchers = new AccountWatchers((error) =>
    log.warn({ err: error }, 'a node could not be told of a change'),
  );
  const alone = serializer();
  const nowMs = () => clock.nowMs();
  const clockGuard = new ClockGuard(clock, log);
  const context = {
    clockGuard,
    chain,
    store,
    key,
    shard,
    nowMs,
    alone,
    debtors: new DebtorWatch(store),
    strangers: new StrangersShare(),
  };
  const worth = new PeerWorth(standingOf(host), store, settings.validatorKeys);
  const onSettled = (accounts: ReadonlySet<string>) => {
    worth.settled(accounts);
    watchers.notify(accounts);
  };
  const settling = new Settling({ ...context, leastMs: () => clock.leastMs(), onSettled, log });
  await settling.begin();
  const verifier = new VerifyPool({
    onDeath: (error) => log.error({ err: error }, 'claims of a dead thread are verified again'),
  });
  const intake = new ClaimIntake({
    store,
    verifier,
    alone,
    onBooked: (count) => settling.noticed(count),
  });
  const paidUnitsOf = (peerId: string) => worth.paidUnitsOf(peerId);
  const leases = new LeaseQueue({ ...context, settling, paidUnitsOf });
  const faucet = options.faucet && new Faucet({ ...context, account: options.faucet, settling });
  const handlers = shardHandlers({
    ...context,
    cache,
    settling,
    intake,
    leases,
    faucet,
    rendezvous: new Rendezvous(nowMs),
    announcers: new Announcers(settings),
    worth,
    paidUnitsOf,
    watchers,
    shardAddresses,
    log,
  });
  await serveShard(host, {
    ...{ handlers, watchers },
    onError: (error, peer) => log.warn({ err: error, peer }, 'a node broke the shard protocol'),
  });
  clockGuard.start();
  settling.startTimer();
  return {
    settleNow: () => settling.now(),
    async stop() {
      leases.stop();
      settling.stopTimer();
      clockGuard.stop();
      await verifier.stop();
      await settling.stop();
    },
  };
}
