/**
 * A shard validator: one home shard's leases, claims, loans and batches, served over libp2p (DESIGN.md, "Shard").
 *
 * Everything that reads and then changes what an account may do runs one at a time, so that two leases asked for at
 * once can never both have the last unit.
 */
import { setImmediate } from 'node:timers/promises';
import type { Libp2p } from '@libp2p/interface';
import { EXCHANGE_POOLS, type TradedToken } from '../../shared/economy/exchange.ts';
import { amount } from '../../shared/economy/money.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { announceable } from '../p2p/announceable.ts';
import { ANNOUNCE_TTL_MS, LEASE_RATE, LOANS_TOLD } from '../p2p/protocols/shard/constants.ts';
import {
  plainFigures,
  plainMarket,
  plainSettings,
  type ShardAddresses,
} from '../p2p/protocols/shard/messages.ts';
import { type ShardHandlers, serveShard } from '../p2p/protocols/shard/server.ts';
import type { Log } from '../process/log.ts';
import { Turns } from '../util/per-key-queue.ts';
import { Paced } from '../util/rate-limiter.ts';
import { serializer } from '../util/serialize.ts';
import { type Account, signOperation } from '../wallet/account.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { accountView } from './accounts.ts';
import { type Settled, settle } from './batching.ts';
import { channelProgress } from './channel-progress.ts';
import { checkHome } from './check-home.ts';
import { DebtorWatch } from './debtor-watch.ts';
import { takeReport } from './disputes.ts';
import { FaucetLimits } from './faucet-limits.ts';
import { ClaimIntake } from './intake.ts';
import { grantLease } from './leasing.ts';
import { submitOperation, toldOperations } from './operations.ts';
import { ReadCache } from './read-cache.ts';
import { Rendezvous } from './rendezvous.ts';
import { restoreLease } from './restore-lease.ts';
import { SettlementTimer } from './settlement-timer.ts';
import { statementRows } from './statements.ts';
import { VerifyPool } from './verify-pool.ts';

/** Peers that a node is told of when it says hello. */
const PEERS_TOLD = 16;

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
  readonly nowMs: () => number;
  readonly log: Log;
}

export interface Validator {
  /** Settles now instead of at the next interval. */
  settleNow(): Promise<Settled | null>;
  /** Settles what is left and stops the timer. */
  stop(): Promise<void>;
}

export async function startValidator(options: ValidatorOptions): Promise<Validator> {
  const { host, store, key, shard, faucet, nowMs, log, shardAddresses = () => [] } = options;
  const cache = new ReadCache(options.chain, () => performance.now());
  // Exact, and what changes through it is forgotten by the cache. Whatever decides about money asks this.
  const { chain } = cache;
  const settings = chain.settings();
  if (settings.validatorKeys[shard] !== Buffer.from(key.publicKey).toString('hex')) {
    throw new AceError(
      'DataDirMismatch',
      `This validator's key is not the one of shard ${shard} in the network profile`,
    );
  }
  const context = { chain, store, key, shard, nowMs, debtors: new DebtorWatch(store) };
  const alone = serializer();
  const settling = new SettlementTimer({
    intervalMs: settings.settlementIntervalMs,
    settle: async () => (await settleNow()) !== null,
    isHalted: () => halted !== null,
    nowMs: () => performance.now(),
  });
  const verifier = new VerifyPool({
    onDeath: (error) => log.error({ err: error }, 'claims of a dead thread are verified again'),
  });
  const intake = new ClaimIntake({
    store,
    verifier,
    alone,
    onBooked: (count) => settling.noticed(count),
  });
  const faucetLimits = new FaucetLimits(nowMs);
  const leasePace = new Paced(LEASE_RATE, () => performance.now());
  const turns = new Turns();
  const rendezvous = new Rendezvous(nowMs);
  /** Why settling has stopped for good: an invariant did not hold. */
  let halted: unknown = null;
  /** The last try to settle failed, and the log says so. */
  let failing = false;
  let stopping = false;
  let tellWatchers: (accounts: Iterable<string>) => void = () => undefined;

  let isSameHistory = false;
  /** Before anything that needs the chain, once: the chain may have been away when this shard started. */
  const meetChain = async () => {
    if (isSameHistory) return;
    try {
      await checkSameHistory(chain, store, shard);
      isSameHistory = true;
    } catch (error) {
      if (isAceError(error, 'DataDirMismatch')) halted = error;
      throw error;
    }
  };
  await meetChain().catch((error: unknown) => {
    if (!isAceError(error, 'ShardUnavailable')) throw error;
    log.warn(
      { err: error },
      'starting without the main chain: claims are taken, leases and settling wait for it',
    );
  });

  /** Runs alone. */
  const settleAll = async () => {
    if (halted) throw halted;
    let last: Settled | null = null;
    try {
      await meetChain();
      // A sealed batch of an earlier life goes first, then what is new, in as many batches as it takes.
      for (let settled = await settle(context); settled; settled = await settle(context)) {
        last = settled;
        tellWatchers(settled.accounts);
      }
    } catch (error) {
      if (isAceError(error, 'InvariantViolated')) halted = error;
      // Once for each trouble: a chain that is away is asked again and again.
      if (halted || !failing) {
        log.error(
          { err: error, batchNumber: store.batches.last()?.number ?? null },
          halted ? 'settling has stopped' : 'a batch could not be settled; it will be tried again',
        );
      }
      failing = true;
      throw error;
    }
    failing = false;
    return last;
  };
  const settleNow = () => alone(settleAll);
  /** Funds that have come repay loans before anything else happens to them. What goes wrong with it is in the log. */
  const repayNow = () => settleAll().catch(() => undefined);

  const handlers: ShardHandlers = {
    hello: async () => ({
      shard,
      settings: plainSettings(settings),
      devnet: faucet !== null,
      shards: shardAddresses().map((known) => ({ ...known })),
      peers: rendezvous.some(PEERS_TOLD),
    }),
    account: async ({ address }) => {
      checkHome(settings, shard, address);
      const view = await accountView(cache, store, address);
      return {
        balances: view.chain.balances,
        nonce: view.chain.nonce,
        creditUsedUnits: view.chain.creditUsedUnits,
        loans: store.loans.ofDebtor(address, LOANS_TOLD).map(({ creditor, unitsLeft, atMs }) => ({
          creditor,
          units: unitsLeft,
          sinceMs: atMs,
        })),
        loanCount: store.loans.count(address),
        reservedUnits: view.reservedUnits,
        leasableUnits: view.leasableUnits,
        lastSeq: store.batches.lastSeq(address),
      };
    },
    market: async () => ({ ...plainMarket(await cache.market()) }),
    pools: async () => plainFigures(await cache.figures()),
    exchange: async () => {
      const pools = await cache.pools();
      const reserves = (token: TradedToken) => {
        const pool = pools[EXCHANGE_POOLS[token]];
        return { XAC: pool.XAC, token: pool[token] };
      };
      return { XAT: reserves('XAT'), XAS: reserves('XAS'), XAB: reserves('XAB') };
    },
    devices: async ({ account }) => ({
      devices: (await chain.devices(account)).map((device) => ({ ...device })),
    }),
    lease: async (request, peerId) => {
      const { retryAfterMs } = leasePace.take(peerId);
      if (retryAfterMs > 0) {
        throw new AceError('TooManyRequests', 'The peer asks for more leases than one peer may', {
          details: { retryAfterMs },
        });
      }
      return turns.take(peerId, () =>
        alone(async () => {
          // Milliseconds each: one in a turn of the event loop, so that a queue of them keeps nobody else from theirs.
          await setImmediate();
          // What is not settled any more would never be paid.
          if (halted) throw new AceError('LeaseRefused', 'This shard has stopped settling: its log says why');
          // Whoever still waits must not hold up the end, request by request.
          if (stopping) throw new AceError('ShardUnavailable', 'The shard is stopping');
          await meetChain();
          return { signature: await grantLease(context, request) };
        }),
      );
    },
    claim: async ({ lease, ...claim }, peerId) => {
      if (lease) await turns.take(peerId, () => alone(async () => restoreLease(context, lease)));
      return { ...(await intake.take(claim)) };
    },
    channels: async ({ channelIds }) => channelProgress(store, channelIds),
    report: async ({ proof }) => {
      takeReport(store, settings.networkId, proof);
      return {};
    },
    statement: async ({ account, afterSeq }) => ({
      rows: statementRows({ ...context, networkId: settings.networkId }, account, afterSeq),
      lastSeq: store.batches.lastSeq(account),
    }),
    operations: async ({ account, fromHeight }) => {
      checkHome(settings, shard, account);
      return { operations: await toldOperations(chain, faucet?.address ?? null, account, fromHeight) };
    },
    announce: async ({ account, contentIds, multiaddrs }, peerId) => {
      const usable = contentIds.length === 0 ? [] : announceable(multiaddrs, peerId);
      rendezvous.announce({ account, peerId, multiaddrs: usable }, contentIds);
      return { ttlMs: ANNOUNCE_TTL_MS };
    },
    providers: async ({ contentId }) => ({
      providers: rendezvous.providers(contentId).map((p) => ({ ...p, multiaddrs: [...p.multiaddrs] })),
    }),
    submit: async ({ operation }) => {
      const { receipt, accounts } = await alone(async () => {
        await meetChain();
        const submitted = await submitOperation(context, operation).catch((error: unknown) => {
          if (isAceError(error, 'InvariantViolated')) log.error({ err: error }, 'an operation broke a rule');
          throw error;
        });
        await repayNow();
        return submitted;
      });
      tellWatchers(accounts);
      return { height: receipt.height, hash: new Uint8Array(Buffer.from(receipt.hash.slice(2), 'hex')) };
    },
    faucet: async ({ account, amountXat, token }) => {
      if (!faucet) throw new AceError('NotOnThisNetwork', 'This network has no faucet');
      checkHome(settings, shard, account);
      const height = await alone(async () => {
        await meetChain();
        faucetLimits.take(account, amountXat);
        const { nonce } = await chain.account(faucet.address);
        const operation = {
          kind: 'transfer' as const,
          from: faucet.address,
          to: account,
          token,
          amount: amount(amountXat),
          nonce,
        };
        try {
          const receipt = await chain.submit(await signOperation(faucet, settings, operation));
          await repayNow();
          return receipt.height;
        } catch (error) {
          faucetLimits.giveBack(account, amountXat);
          throw error;
        }
      });
      tellWatchers([account]);
      return { height };
    },
    settle: async () => {
      if (!faucet) throw new AceError('NotOnThisNetwork', 'Only a devnet settles on request');
      const settled = await settleNow();
      return { batchNumber: settled?.batchNumber ?? null };
    },
  };

  tellWatchers = await serveShard(host, handlers, (error) =>
    log.warn({ err: error }, 'a node broke the shard protocol'),
  );

  settling.start();

  return {
    settleNow,
    async stop() {
      stopping = true;
      settling.stop();
      await verifier.stop();
      // What cannot be settled now is in the log, and goes first at the next start.
      if (!halted) await settleNow().catch(() => undefined);
    },
  };
}

/**
 * The shard's batches and the main chain's must be one history: a file restored from an older copy would settle nothing
 * any more, and lease what is not there. The shard's last batch may be one that the chain has not answered yet.
 * @throws AceError `DataDirMismatch`
 */
async function checkSameHistory(chain: MainChain, store: ValidatorStore, shard: number): Promise<void> {
  const [onChain, own] = [await chain.lastBatch(shard), store.batches.last()];
  const ownNumber = own?.number ?? 0;
  const apart = (why: string) => new AceError('DataDirMismatch', why, { reaction: 'stop' });
  if (onChain.number > ownNumber) {
    throw apart(
      `The validator's database is older than the main chain (batch ${ownNumber}, the chain has ${onChain.number}): restore its newest copy`,
    );
  }
  if (onChain.number < ownNumber - 1 || (onChain.number < ownNumber && own?.result != null)) {
    throw apart(
      `The main chain is older than the validator's database (batch ${onChain.number}, the shard has ${ownNumber}): restore its newest copy`,
    );
  }
  const same = store.batches.get(onChain.number);
  if (onChain.number > 0 && (!same || Buffer.compare(same.hash, onChain.hash) !== 0)) {
    throw apart(
      `Batch ${onChain.number} of the validator's database and of the main chain are different ones`,
    );
  }
}
