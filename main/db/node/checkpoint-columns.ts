import { decodeCheckpoint, type SignedCheckpoint } from '../../../shared/channel/records.ts';

/** The columns in which both sides' channel tables keep the latest checkpoint. */
export interface CheckpointColumns {
  readonly checkpoint: Uint8Array | null;
  readonly payer_signature: Uint8Array | null;
  readonly payee_signature: Uint8Array | null;
}

export function lastCheckpointOf(row: CheckpointColumns): SignedCheckpoint | null {
  if (!row.checkpoint || !row.payer_signature) return null;
  return {
    checkpoint: decodeCheckpoint(row.checkpoint),
    payerSignature: row.payer_signature,
    payeeSignature: row.payee_signature,
  };
}
