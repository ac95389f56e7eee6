/**
 * What one peer owes and is owed: channels of both sides, claims and proofs to the shards, and the account as they tell of
 * it. Composed as one, for each part tells the others.
 */
import { DEFAULT_WINDOW_CAP_UNITS } from '../../shared/channel/payee.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AccountSync, type AccountSyncEvents } from '../account/account-sync.ts';
import { canPay } from '../account/can-pay.ts';
import type { ShardLines } from '../account/lines.ts';
import { ShardTrust } from '../account/shard-trust.ts';
import { Claims } from '../channel/claims.ts';
import { PayeeService } from '../channel/payee.ts';
import { PayerService } from '../channel/payer.ts';
import { RefusedPayers } from '../channel/refused-payers.ts';
import { Reports } from '../channel/reports.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import { CheckpointGossip } from '../p2p/protocols/gossip/gossip.ts';
import type { GossipRouter } from '../p2p/protocols/gossip/router.ts';
import type { Log } from '../process/log.ts';
import type { Closers } from '../util/closers.ts';
import type { Account } from '../wallet/account.ts';
import type { DeviceIdentity } from '../wallet/device.ts';

export interface PaymentsOptions {
  readonly store: NodeStore;
  readonly settings: NetworkSettings;
  readonly account: Account;
  readonly device: DeviceIdentity;
  /** This device's certificate, canonical bytes. */
  readonly certificate: Uint8Array;
  /** The account's home shard. */
  readonly shard: number;
  readonly lines: ShardLines;
  readonly router: GossipRouter;
  readonly nowMs: () => number;
  readonly log: Log;
  readonly onChange: () => void;
  readonly onSettlements: (rows: readonly SettlementRow[]) => void;
}

export interface Payments {
  readonly payer: PayerService;
  readonly payee: PayeeService;
  readonly claims: Claims;
  readonly reports: Reports;
  readonly gossip: CheckpointGossip;
  readonly sync: AccountSync;
}

export function startPayments(options: PaymentsOptions, closers: Closers): Payments {
  const { store, settings, account, device, certificate, shard, lines, router } = options;
  const { nowMs, log, onChange, onSettlements } = options;
  const { networkId, chainId, validatorKeys } = settings;
  const shardClient = lines.of(shard);
  const refused = new RefusedPayers({
    store,
    canPay: (address) => canPay(address, lines, settings),
    log,
  });
  closers.add(() => refused.stop());
  const trust = new ShardTrust(store, log);
  const reports = new Reports(
    store,
    networkId,
    { report: (proof, at) => lines.of(at).call('report', { proof }) },
    log,
  );
  closers.add(() => reports.stop());
  const observer = new CheckpointGossip({
    router,
    networkId,
    validatorKeys,
    shard,
    nowMs,
    random: Math.random,
    log,
    onProof: (proof) => reports.add(proof),
  });
  closers.add(() => observer.stop());

  const payee = new PayeeService({
    observer,
    store,
    settings,
    account: account.address,
    device,
    windowCapUnits: DEFAULT_WINDOW_CAP_UNITS,
    nowMs,
    isRefused: (account) => refused.has(account),
    checkShard: (leasedBy) => trust.check(leasedBy),
  });
  const payer = new PayerService({
    observer,
    store,
    settings,
    account: account.address,
    device,
    nowMs,
    leases: {
      shard,
      leasableUnits: async (address) => (await shardClient.call('account', { address })).leasableUnits,
      lease: async (terms, termsSignature) => {
        trust.check(shard);
        return (await shardClient.call('lease', { terms, termsSignature, certificate })).signature;
      },
    },
  });
  const claims = new Claims(
    store,
    {
      claim: (claim, at, lease) =>
        lines.of(at).call('claim', {
          ...claim,
          checkpoint: claim.checkpoint && { ...claim.checkpoint },
          ...(lease && { lease: { ...lease } }),
        }),
    },
    log,
    { payee, payer },
  );
  closers.add(() => claims.stop());
  const statements = {
    home: shardClient,
    connected: () => lines.connected(),
    homeOf: (of: string) => lines.homeOf(of),
  };
  const told: AccountSyncEvents = {
    onChange: () => onChange(),
    onSettlements: (rows) => {
      refused.settled(rows);
      onSettlements(rows);
    },
    onChannel: (progress) => {
      for (const side of [payer, payee]) {
        if (side.told(progress.channelId, progress)) claims.soon();
      }
    },
  };
  const sync = new AccountSync(
    statements,
    store,
    { account: account.address, networkId, chainId, validatorKeys },
    trust,
    told,
    nowMs,
    log,
  );
  closers.add(() => sync.stop());
  return { payer, payee, claims, reports, gossip: observer, sync };
}
