/** Who is told what channels see of others' signatures. It comes after the commit, and nothing depends on it. */
import type { EquivocationProof } from '../../shared/channel/equivocation.ts';
import type { ChannelTerms } from '../../shared/channel/records.ts';

/** A payer's checkpoint with what says whose it is: canonical bytes and their signatures. */
export interface ToldCheckpoint {
  readonly terms: Uint8Array;
  readonly termsSignature: Uint8Array;
  /** The shard's: only who has funds or credit reserved can make others check signatures. */
  readonly leaseSignature: Uint8Array;
  readonly record: Uint8Array;
  readonly payerSignature: Uint8Array;
}

export interface ChannelObserver {
  /** Both sides have signed a checkpoint. */
  agreed(told: ToldCheckpoint): void;
  /** A payer's device signed these terms; nothing else of them was checked. */
  sawTerms(terms: ChannelTerms, record: Uint8Array, signature: Uint8Array): void;
  /** A device signed two things that cannot both be honest. */
  contradicted(proof: EquivocationProof): void;
}
