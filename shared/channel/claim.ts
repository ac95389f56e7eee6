/** What is handed to a shard to be paid: the lease, and how far the channel has come. */

/** How many units a channel has paid, proven by its deepest tick and its latest checkpoint. */
export interface Claim {
  readonly channelId: Uint8Array;
  /** Index of `tick`. */
  readonly units: number;
  readonly tick: Uint8Array;
  readonly checkpoint: {
    /** Canonical bytes. */
    readonly record: Uint8Array;
    readonly payerSignature: Uint8Array;
    readonly payeeSignature: Uint8Array | null;
  } | null;
}

export interface ClaimAnswer {
  /** Units that the shard holds proof for. */
  readonly claimedUnits: number;
  /** The unclaimed rest went back to the payer: both sides signed a final checkpoint. */
  readonly released: boolean;
  /** The payer's device was unlinked: nothing more may be served, and what was is claimed within the grace time. */
  readonly ended?: boolean | undefined;
}

/** What both parties of a leased channel hold. */
export interface SignedLease {
  /** Canonical bytes of the terms. */
  readonly terms: Uint8Array;
  /** By the payer's device. */
  readonly termsSignature: Uint8Array;
  /** By the shard's validator. */
  readonly leaseSignature: Uint8Array;
}
