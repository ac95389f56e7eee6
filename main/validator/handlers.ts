/** What a shard answers to each method of its protocol (docs/protocols.md#shard). */
import { LRUCache } from 'lru-cache';
import { EXCHANGE_POOLS, type TradedToken } from '../../shared/economy/exchange.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { fromHex } from '../../shared/hex.ts';
import { encodeAccess } from '../../shared/settlement/access-certificate.ts';
import { announceable } from '../p2p/announceable.ts';
import type { AccountWatchers } from '../p2p/protocols/shard/account-watchers.ts';
import { ANNOUNCE_TTL_MS, LOANS_TOLD } from '../p2p/protocols/shard/constants.ts';
import {
  plainMarket,
  plainSettings,
  type SettlementMessage,
  type ShardAddresses,
} from '../p2p/protocols/shard/messages.ts';
import type { ShardHandlers } from '../p2p/protocols/shard/server.ts';
import { accountView } from './accounts.ts';
import type { Announcers } from './announcers.ts';
import { billOf, channelProgress } from './channel-progress.ts';
import { checkHome } from './check-home.ts';
import { takeReport } from './disputes.ts';
import type { Faucet } from './faucet.ts';
import { type ClaimIntake, ReleasedError } from './intake.ts';
import type { LeaseQueue, LeaseQueueContext } from './lease-queue.ts';
import { KEPT_ROWS } from './limits.ts';
import { accountOperations, submitOperation } from './operations.ts';
import type { PeerWorth } from './peer-worth.ts';
import type { ReadCache } from './read-cache.ts';
import type { Rendezvous } from './rendezvous.ts';
import { RowLimit } from './row-limit.ts';
import type { SettlingContext } from './settling.ts';
import { SignedOnce } from './signed-once.ts';
import { statementRows } from './statements.ts';

/** Peers that a node is told of when it says hello. */
const PEERS_TOLD = 16;

export interface HandlerContext extends LeaseQueueContext, Omit<SettlingContext, 'onSettled'> {
  /** What may be a moment old; whatever decides about money asks `chain`. */
  readonly cache: ReadCache;
  readonly intake: ClaimIntake;
  readonly leases: LeaseQueue;
  /** Devnet only. */
  readonly faucet: Faucet | null;
  readonly rendezvous: Rendezvous;
  readonly worth: PeerWorth;
  readonly announcers: Announcers;
  readonly watchers: AccountWatchers;
  readonly shardAddresses: () => readonly ShardAddresses[];
}

export function shardHandlers(context: HandlerContext): ShardHandlers {
  return {
    ...networkHandlers(context),
    ...accountHandlers(context),
    ...channelHandlers(context),
    ...contentHandlers(context),
    ...devnetHandlers(context),
  };
}

/** What everyone asks: the network's rules and figures. */
function networkHandlers(context: HandlerContext) {
  const { chain, cache, shard, faucet, shardAddresses, rendezvous, clockGuard, nowMs } = context;
  const settings = plainSettings(chain.settings());
  return {
    hello: async () => ({
      shard,
      settings,
      devnet: faucet !== null,
      shards: shardAddresses(),
      peers: rendezvous.some(PEERS_TOLD),
      timeMs: nowMs(),
      clockJumped: !clockGuard.isRight,
    }),
    market: async () => plainMarket(await cache.market()),
    pools: () => cache.figures(),
    exchange: async () => {
      const pools = await cache.pools();
      const reserves = (token: TradedToken) => {
        const pool = pools[EXCHANGE_POOLS[token]];
        return { XAC: pool.XAC, token: pool[token] };
      };
      return { XAT: reserves('XAT'), XAS: reserves('XAS'), XAB: reserves('XAB') };
    },
  } satisfies Partial<ShardHandlers>;
}

/** What an account's nodes ask of it, and its operations. */
function accountHandlers(context: HandlerContext) {
  const { chain, cache, store, shard, key, faucet, alone, settling, watchers, announcers, log } = context;
  const settings = chain.settings();
  const signer = new SignedOnce(key);
  const told = new LRUCache<string, SettlementMessage>({ max: KEPT_ROWS });
  const statements = { ...context, networkId: settings.networkId, key: signer, told };
  const rows = new RowLimit();
  return {
    account: async ({ address }) => {
      checkHome(settings, shard, address);
      const view = await accountView(cache, store, address);
      const { main, services, nonce, creditUsedUnits } = view.chain;
      const loans = store.loans.ofDebtor(address, LOANS_TOLD);
      return {
        main,
        services,
        nonce,
        creditUsedUnits,
        loans: loans.map(({ creditor, unitsLeft, atMs }) => ({ creditor, units: unitsLeft, sinceMs: atMs })),
        loanCount: store.loans.count(address),
        reservedUnits: view.reservedUnits,
        leasableUnits: view.leasableUnits,
        lastSeq: store.batches.lastSeq(address),
      };
    },
    access: async ({ account, contentId, seller }) => {
      checkHome(settings, shard, account);
      const bought = await chain.access(account, contentId, seller);
      if (!bought) return { certificate: null };
      const record = encodeAccess({ ...bought, networkId: settings.networkId, shard, account });
      return { certificate: { record, signature: signer.sign(record) } };
    },
    devices: async ({ account }) => ({ devices: await chain.devices(account) }),
    statement: async ({ account, afterSeq, certificate }, caller) => {
      if ((await announcers.accountOf(certificate, caller.peerId)) !== account) {
        throw new AceError('NotAllowed', 'Statements are told to the devices of their account only');
      }
      return rows.told(caller, async () => ({
        rows: statementRows(statements, account, afterSeq),
        lastSeq: store.batches.lastSeq(account),
      }));
    },
    operations: async ({ account, fromHeight }, caller) => {
      checkHome(settings, shard, account);
      const { rows: operations } = await rows.told(caller, async () => ({
        rows: await accountOperations(chain, faucet?.address ?? null, account, fromHeight),
      }));
      return { operations };
    },
    submit: async ({ operation }) => {
      const { receipt, accounts } = await alone(async () => {
        await settling.meetChain();
        const submitted = await submitOperation(context, operation).catch((error: unknown) => {
          if (isAceError(error, 'InvariantViolated')) log.error({ err: error }, 'an operation broke a rule');
          throw error;
        });
        await settling.repay();
        return submitted;
      });
      watchers.notify(accounts);
      return { height: receipt.height, hash: fromHex(receipt.hash.slice(2)) };
    },
  } satisfies Partial<ShardHandlers>;
}

/** Leases, claims on them, and proofs against those who cheat. */
function channelHandlers({ chain, store, leases, intake, worth }: HandlerContext) {
  const { networkId } = chain.settings();
  return {
    lease: async (request, caller) => {
      const signature = await leases.grant(request, caller);
      worth.leased(caller.peerId);
      return { signature };
    },
    claim: async ({ lease, ...claim }, { peerId }) => {
      if (lease) await leases.restore(lease, peerId);
      const answer = await intake.take(claim).catch(async (error: unknown) => {
        if (!(error instanceof ReleasedError) || !(await leases.reopen(claim.channelId, peerId))) throw error;
        return intake.take(claim);
      });
      worth.claimed(claim.channelId, peerId);
      return answer;
    },
    channels: async ({ channelIds }) => channelProgress(store, channelIds),
    bill: async ({ channelIds }) => ({ bills: channelIds.flatMap((channelId) => billOf(store, channelId)) }),
    report: async ({ proof }) => {
      takeReport(store, networkId, proof);
      return {};
    },
  } satisfies Partial<ShardHandlers>;
}

/** The rendezvous: who offers which content. */
function contentHandlers({ rendezvous, worth, announcers }: HandlerContext) {
  return {
    announce: async ({ certificate, contentIds, multiaddrs }, { peerId, origin }) => {
      const account = await announcers.accountOf(certificate, peerId);
      const usable = contentIds.length === 0 ? [] : announceable(multiaddrs, peerId);
      const proven = worth.isProven(peerId);
      rendezvous.announce(
        { account, peerId, multiaddrs: usable, group: origin?.group ?? null, proven },
        contentIds,
      );
      return { ttlMs: ANNOUNCE_TTL_MS };
    },
    providers: async ({ contentId }) => ({ providers: rendezvous.providers(contentId) }),
  } satisfies Partial<ShardHandlers>;
}

function devnetHandlers({ chain, shard, faucet, settling, watchers, clockGuard }: HandlerContext) {
  return {
    faucet: async ({ account, amountXat, token, place }, { peerId, origin }) => {
      if (!faucet) throw new AceError('NotOnThisNetwork', 'This network has no faucet');
      checkHome(chain.settings(), shard, account);
      const client = { peerId, address: origin?.address ?? null };
      const height = await faucet.pay(account, place, token, amountXat, client);
      watchers.notify([account]);
      return { height };
    },
    settle: async () => {
      if (!faucet) throw new AceError('NotOnThisNetwork', 'Only a devnet settles on request');
      clockGuard.checkRight();
      return { batchNumber: (await settling.now())?.batchNumber ?? null };
    },
  } satisfies Partial<ShardHandlers>;
}
