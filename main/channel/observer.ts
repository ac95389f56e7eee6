/** Observes what channels see of others' signatures. It is called after the commit, and nothing depends on it. */
import type { SignedLease } from '../../shared/channel/claim.ts';
import type { EquivocationProof } from '../../shared/channel/equivocation.ts';
import type { ChannelTerms } from '../../shared/channel/records.ts';

/**
 * A payer's checkpoint with what says whose it is: canonical bytes and their signatures. The shard's is among them: only
 * who has funds or credit reserved can make others check signatures.
 */
export interface LeasedCheckpoint extends SignedLease {
  readonly record: Uint8Array;
  readonly payerSignature: Uint8Array;
}

export interface ChannelObserver {
  /** Both sides have signed a checkpoint. */
  countersigned(checkpoint: LeasedCheckpoint): void;
  /** A payer's device signed these terms; nothing else of them was checked. */
  termsShown(terms: ChannelTerms, record: Uint8Array, signature: Uint8Array): void;
  /** A device signed two things that cannot both be honest. */
  contradicted(proof: EquivocationProof): void;
}
