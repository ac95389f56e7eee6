/**
 * What a shard knows of the worth of its peers: whom to keep when its connections run out (`p2p/eviction.ts`), who is held to
 * no stranger's share of leases and of the rendezvous. What counts is what funds have paid: credit is free, and so are
 * identities, so what is only owed says nothing of anybody.
 */
import { LRUCache } from 'lru-cache';
import { fromHex, toHex } from '../../shared/hex.ts';
import { intact } from '../db/store-error.ts';
import type { ServedLease } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { PeerStanding } from '../p2p/peer-standing.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { isKnownPayer } from './known-accounts.ts';
import { REMEMBERED_LEASES, SEARCHED_LEASES, WORTH_EVERY_MS } from './limits.ts';

export class PeerWorth {
  readonly #standing: PeerStanding;
  readonly #store: ValidatorStore;
  /** Channels that peers claimed on and nobody has paid for yet, by their id, with the account that it is for. */
  readonly #waiting = new LRUCache<string, string>({ max: REMEMBERED_LEASES });

  /** Those who served or paid before this start are known again; the other shards are never strangers. */
  constructor(
    standing: PeerStanding,
    store: ValidatorStore,
    validatorKeys: readonly string[],
    newest = { most: REMEMBERED_LEASES, among: SEARCHED_LEASES },
  ) {
    this.#standing = standing;
    this.#store = store;
    standing.spare(validatorKeys.map((key) => peerIdOf(fromHex(key))));
    // The newest last: of too many, those are kept.
    for (const lease of newestOfKnown(store, newest).reverse()) this.#note(lease);
  }

  /** It got a lease. */
  leased(peerId: string): void {
    this.#standing.used(peerId);
  }

  /** It handed in a claim: of its own channel, or of another's, which says nothing of it. */
  claimed(channelId: Uint8Array, peerId: string): void {
    const { paidUnits, usedAtMs } = this.#standing.of(peerId);
    const isKnown = paidUnits > 0 && usedAtMs !== null;
    if (isKnown && performance.now() - usedAtMs < WORTH_EVERY_MS) return;
    const lease = this.#store.leases.served(channelId);
    if (!lease || !devicesOf(lease).includes(peerId)) return;
    this.#standing.used(peerId);
    if (!this.#note(lease)) this.#waiting.set(toHex(channelId), lease.payer);
  }

  /** A settlement named these accounts: what waited for their payment may be paid for now. */
  settled(accounts: ReadonlySet<string>): void {
    for (const [channel, payer] of [...this.#waiting.entries()]) {
      if (!accounts.has(payer)) continue;
      const lease = this.#store.leases.served(fromHex(channel));
      if (!lease || this.#note(lease)) this.#waiting.delete(channel);
    }
  }

  /** Units were paid between it and others. */
  isProven(peerId: string): boolean {
    return this.paidUnitsOf(peerId) > 0;
  }

  /** Those that were settled of the channel on which most of them were: what is claimed since may never be paid. */
  paidUnitsOf(peerId: string): number {
    return this.#standing.of(peerId).paidUnits;
  }

  /** Whether the lease was paid for, so that both its devices are known. */
  #note(lease: ServedLease): boolean {
    if (lease.appliedUnits === 0 || !isKnownPayer(this.#store, lease.payer)) return false;
    for (const peerId of devicesOf(lease)) this.#standing.paid(peerId, lease.appliedUnits);
    return true;
  }
}

/** Of so many leases that were granted last, the newest with settled units of known payers, newest first. */
function newestOfKnown(
  store: ValidatorStore,
  { most, among }: { readonly most: number; readonly among: number },
): ServedLease[] {
  // Asked once for each: one that owes much may have leased most of them.
  const known = new Map<string, boolean>();
  const leases: ServedLease[] = [];
  for (const lease of store.leases.newestOfPayers(among)) {
    const isKnown = known.get(lease.payer) ?? isKnownPayer(store, lease.payer);
    known.set(lease.payer, isKnown);
    if (isKnown && leases.push(lease) === most) break;
  }
  return leases;
}

function devicesOf({ payerDevice, payeeDevice }: ServedLease): string[] {
  return intact(() => [payerDevice, payeeDevice].map(peerIdOf), 'validator.db');
}
