/** What a shard knows of the worth of its peers, for whom to keep when its connections run out (`p2p/eviction.ts`). */
import { fromHex } from '../../shared/hex.ts';
import type { ServedLease } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { PeerStanding } from '../p2p/peer-standing.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { REMEMBERED_LEASES, WORTH_EVERY_MS } from './limits.ts';

export class PeerWorth {
  readonly #standing: PeerStanding;
  readonly #store: ValidatorStore;

  /** Those who served or paid before this start are known again; the other shards are never strangers. */
  constructor(standing: PeerStanding, store: ValidatorStore, validatorKeys: readonly string[]) {
    this.#standing = standing;
    this.#store = store;
    standing.spare(validatorKeys.map((key) => peerIdOf(fromHex(key))));
    for (const lease of store.leases.servedAmongNewest(REMEMBERED_LEASES)) this.#note(lease);
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
    const lease = this.#store.leases.proof(channelId);
    if (!lease || lease.claimedUnits === 0) return;
    if (!this.#note(lease).includes(peerId)) return;
    this.#standing.used(peerId);
  }

  /** Units were paid between it and others. */
  isProven(peerId: string): boolean {
    return this.#standing.of(peerId).paidUnits > 0;
  }

  #note({ payerDevice, payeeDevice, claimedUnits }: ServedLease): string[] {
    const peerIds = [payerDevice, payeeDevice].map(peerIdOf);
    for (const peerId of peerIds) this.#standing.paid(peerId, claimedUnits);
    return peerIds;
  }
}
