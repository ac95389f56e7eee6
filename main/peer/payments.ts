/**
 * What one peer owes and is owed: channels of both sides, claims and proofs to the shards, and the account as they know
 * it. Composed as one, because each part notifies the others.
 */
import { DEFAULT_WINDOW_CAP_UNITS } from '../../shared/channel/payee.ts';
import type { Limits } from '../../shared/limits.ts';
import { AccountSync } from '../account/account-sync.ts';
import { canPay, isCovered } from '../account/can-pay.ts';
import { ShardTrust } from '../account/shard-trust.ts';
import { Claims } from '../channel/claims.ts';
import { PayeeService } from '../channel/payee.ts';
import { PayerService } from '../channel/payer.ts';
import { ProviderRisk, type RiskLimits } from '../channel/provider-risk.ts';
import { RefusedPayers } from '../channel/refused-payers.ts';
import { Reports } from '../channel/reports.ts';
import { CheckpointGossip } from '../p2p/protocols/gossip/gossip.ts';
import type { PeerEvents } from './events.ts';
import {
  DEVNET_RISK_LIMITS,
  FORGET_EVERY_MS,
  MAX_FORGOTTEN_AT_ONCE,
  RISK_LIMITS,
  UNUSED_CHANNEL_KEPT_MS,
  withUserLoans,
} from './limits.ts';
import type { PeerNetwork } from './network.ts';

export interface Payments {
  readonly payer: PayerService;
  readonly payee: PayeeService;
  readonly claims: Claims;
  readonly reports: Reports;
  readonly gossip: CheckpointGossip;
  readonly sync: AccountSync;
  /** The user has set other loans, or none. */
  setLoans(limits: Limits): void;
}

export interface PaymentsOptions {
  /** What may be lost to strangers; left out: the defaults. */
  readonly riskLimits?: RiskLimits | undefined;
}

export function startPayments(
  network: PeerNetwork,
  events: PeerEvents,
  { riskLimits }: PaymentsOptions,
  resources: AsyncDisposableStack,
): Payments {
  const { store, settings, lines, devnet, nowMs, log } = network;
  const refused = new RefusedPayers({ store, canPay: (address) => canPay(address, lines, settings), log });
  resources.defer(() => refused.stop());
  const defaultRisk = riskLimits ?? (devnet ? DEVNET_RISK_LIMITS : RISK_LIMITS);
  const risk = new ProviderRisk({
    store,
    limits: defaultRisk,
    isCovered: (address) => isCovered(address, lines, settings),
    nowMs,
    clockMs: () => performance.now(),
    log,
  });
  resources.defer(() => risk.stop());
  const trust = new ShardTrust(store, log);
  const { reports, gossip } = startWitness(network, resources);
  const { payer, payee } = channelSides(network, gossip, trust, refused, risk);
  const claims = new Claims(
    store,
    { claim: (claim, at, lease) => lines.of(at).call('claim', { ...claim, ...(lease && { lease }) }) },
    log,
    { payee, payer },
  );
  resources.defer(() => claims.stop());
  forgetUnused(network, resources);
  const sync = startSync(network, trust, resources);
  sync.on('change', events.changed);
  sync.on('settlements', (rows) => {
    refused.settled(rows);
    risk.settled(rows);
    events.emit('settlements', rows);
  });
  sync.on('channel', (progress) => {
    for (const side of [payer, payee]) {
      if (side.receiveProgress(progress.channelId, progress)) claims.soon();
    }
  });
  const setLoans = (limits: Limits) => risk.setLimits(withUserLoans(defaultRisk, limits));
  return { payer, payee, claims, reports, gossip, sync, setLoans };
}

/** A stranger opens a channel with each lease, and asks for nothing on it: those go some days after their end. */
function forgetUnused({ store, nowMs, log }: PeerNetwork, resources: AsyncDisposableStack): void {
  const forget = () => {
    try {
      const before = nowMs() - UNUSED_CHANNEL_KEPT_MS;
      store.commit(() => store.payeeChannels.forgetUnused(before, MAX_FORGOTTEN_AT_ONCE));
    } catch (error) {
      log.warn({ err: error }, 'channels that were never used could not be forgotten; it is tried again');
    }
  };
  forget();
  const timer = setInterval(forget, FORGET_EVERY_MS);
  resources.defer(() => clearInterval(timer));
}

/** Hears of what devices sign, and hands proofs of those that contradict themselves to the shards. */
function startWitness(
  { store, settings, shard, lines, router, nowMs, log }: PeerNetwork,
  resources: AsyncDisposableStack,
) {
  const { networkId, validatorKeys } = settings;
  const taker = { report: (proof: Uint8Array, at: number) => lines.of(at).call('report', { proof }) };
  const reports = new Reports(store, networkId, taker, log);
  resources.defer(() => reports.stop());
  const gossip = new CheckpointGossip({
    ...{ router, networkId, validatorKeys, shard, nowMs, log },
    clockMs: () => performance.now(),
    random: Math.random,
    onProof: (proof) => reports.add(proof),
  });
  resources.defer(() => gossip.stop());
  return { reports, gossip };
}

function channelSides(
  { store, settings, account, device, certificate, shard, shardClient, lines, clock, nowMs }: PeerNetwork,
  observer: CheckpointGossip,
  trust: ShardTrust,
  refused: RefusedPayers,
  risk: ProviderRisk,
) {
  const common = { observer, store, settings, account: account.address, device, nowMs, clock };
  const payee = new PayeeService({
    ...common,
    risk,
    windowCapUnits: DEFAULT_WINDOW_CAP_UNITS,
    isRefused: (payer) => refused.has(payer),
    askLease: async (at, channelId) =>
      (await lines.of(at).call('channels', { channelIds: [channelId] })).channels[0] ?? null,
    checkShard: (leasedBy) => trust.check(leasedBy),
  });
  const payer = new PayerService({
    ...common,
    leases: {
      shard,
      leasableUnits: async (address) => (await shardClient.call('account', { address })).leasableUnits,
      lease: async (terms, termsSignature) => {
        trust.check(shard);
        const lease = shardClient.call('lease', { terms, termsSignature, certificate });
        lease.catch((error: unknown) => clock.leaseRefused(error));
        return (await lease).signature;
      },
    },
  });
  return { payer, payee };
}

function startSync(
  { store, settings, account, certificate, lines, shardClient, nowMs, log }: PeerNetwork,
  trust: ShardTrust,
  resources: AsyncDisposableStack,
): AccountSync {
  const { networkId, chainId, validatorKeys } = settings;
  const sync = new AccountSync({
    lines: {
      home: shardClient,
      connected: () => lines.connected(),
      homeOf: (address) => lines.homeOf(address),
    },
    ...{ store, trust, nowMs, log },
    account: { account: account.address, certificate, networkId, chainId, validatorKeys },
  });
  resources.defer(() => sync.stop());
  return sync;
}
