/**
 * A shard validator: one home shard's leases, claims, loans and batches, served over libp2p (DESIGN.md, "Shard").
 *
 * Everything that reads and then changes what an account may do runs one at a time, so that two leases asked for at
 * once can never both have the last unit.
 */
import type { Libp2p } from '@libp2p/interface';
import { AceError, isAceError } from '../../shared/errors.ts';
import { amount } from '../../shared/money.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { Log } from '../log.ts';
import { ANNOUNCE_TTL_MS, LOANS_TOLD } from '../p2p/protocols/shard/constants.ts';
import { plainRatio, plainSettings } from '../p2p/protocols/shard/messages.ts';
import { type ShardHandlers, serveShard } from '../p2p/protocols/shard/server.ts';
import { type Account, signOperation } from '../wallet/account.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { accountView } from './accounts.ts';
import { type Settled, settle } from './batching.ts';
import { FaucetLimits } from './faucet-limits.ts';
import { takeClaim } from './intake.ts';
import { grantLease } from './leasing.ts';
import { announceable } from './multiaddrs.ts';
import { submitOperation } from './operations.ts';
import { Rendezvous } from './rendezvous.ts';
import { serializer } from './serialize.ts';
import { statementRows } from './statements.ts';

export interface ValidatorOptions {
  readonly host: Libp2p;
  readonly chain: MainChain;
  readonly store: ValidatorStore;
  /** Its public key stands in the network settings. */
  readonly key: DeviceIdentity;
  readonly shard: number;
  /** Devnet only: pays top-ups out of a genesis balance. */
  readonly faucet: Account | null;
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
  const { host, chain, store, key, shard, faucet, nowMs, log } = options;
  const settings = chain.settings();
  if (settings.validatorKeys[shard] !== Buffer.from(key.publicKey).toString('hex')) {
    throw new AceError(
      'DataDirMismatch',
      `This validator's key is not the one of shard ${shard} in the network profile`,
    );
  }
  const context = { chain, store, key, shard, nowMs };
  const alone = serializer();
  const faucetLimits = new FaucetLimits(nowMs);
  const rendezvous = new Rendezvous(nowMs);
  /** Why settling has stopped for good: an invariant did not hold. */
  let halted: unknown = null;
  let tellWatchers: (accounts: Iterable<string>) => void = () => undefined;

  const settleNow = () =>
    alone(async () => {
      if (halted) throw halted;
      let last: Settled | null = null;
      try {
        // A sealed batch of an earlier life goes first, then what is new, in as many batches as it takes.
        for (let settled = await settle(context); settled; settled = await settle(context)) {
          last = settled;
          tellWatchers(settled.accounts);
        }
      } catch (error) {
        if (isAceError(error, 'InvariantViolated')) halted = error;
        log.error(
          { err: error, batchNumber: store.batches.last()?.number ?? null },
          halted ? 'settling has stopped' : 'a batch could not be settled; it will be tried again',
        );
        throw error;
      }
      return last;
    });

  const handlers: ShardHandlers = {
    hello: async () => ({ shard, settings: plainSettings(settings), devnet: faucet !== null }),
    account: async ({ address }) => {
      const view = await accountView(chain, store, address);
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
    market: async () => {
      const { totals, rates, aceBytePriceUsd } = await chain.market();
      return {
        videoUnits: totals.videoUnits,
        watchMs: totals.watchMs,
        xacPerXat: plainRatio(rates.xacPerXat),
        xacPerXas: plainRatio(rates.xacPerXas),
        aceBytePriceUsd: plainRatio(aceBytePriceUsd),
      };
    },
    lease: (request) => alone(async () => ({ signature: await grantLease(context, request) })),
    claim: (claim) => alone(async () => ({ ...takeClaim(store, claim) })),
    statement: async ({ account, afterSeq }) => ({
      rows: statementRows(store, shard, account, afterSeq),
      lastSeq: store.batches.lastSeq(account),
    }),
    announce: async ({ account, contentIds, multiaddrs }, peerId) => {
      const usable = contentIds.length === 0 ? [] : announceable(multiaddrs, peerId);
      rendezvous.announce({ account, peerId, multiaddrs: usable }, contentIds);
      return { ttlMs: ANNOUNCE_TTL_MS };
    },
    providers: async ({ contentId }) => ({
      providers: rendezvous.providers(contentId).map((p) => ({ ...p, multiaddrs: [...p.multiaddrs] })),
    }),
    submit: async ({ operation }) => {
      const { receipt, accounts } = await alone(() => submitOperation(context, operation));
      // Funds repay loans as soon as they are there, also when settling fails, which is in the log.
      await settleNow().catch(() => undefined);
      tellWatchers(accounts);
      return { height: receipt.height, hash: new Uint8Array(Buffer.from(receipt.hash.slice(2), 'hex')) };
    },
    faucet: async ({ account, amountXat }) => {
      if (!faucet) throw new AceError('NotOnThisNetwork', 'This network has no faucet');
      const height = await alone(async () => {
        faucetLimits.take(account, amountXat);
        const { nonce } = await chain.account(faucet.address);
        const operation = {
          kind: 'transfer' as const,
          from: faucet.address,
          to: account,
          token: 'XAT' as const,
          amount: amount(amountXat),
          nonce,
        };
        try {
          const receipt = await chain.submit(await signOperation(faucet, settings, operation));
          return receipt.height;
        } catch (error) {
          faucetLimits.giveBack(account, amountXat);
          throw error;
        }
      });
      // Funds repay loans as soon as they are there. They are there even when settling fails, which is in the log.
      await settleNow().catch(() => undefined);
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

  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const settleLater = () => {
    if (!stopped && !halted) timer = setTimeout(run, settings.settlementIntervalMs);
  };
  const run = () => {
    // What went wrong is in the log by now.
    settleNow().then(settleLater, settleLater);
  };
  run();

  return {
    settleNow,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      // What cannot be settled now is in the log, and goes first at the next start.
      if (!halted) await settleNow().catch(() => undefined);
    },
  };
}
