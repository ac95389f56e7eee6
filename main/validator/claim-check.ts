/**
 * What of a claim can be checked away from the shard's books: signatures and hashes, against what the lease said when
 * the claim came. Runs on worker threads as well as inline, so nothing here may touch a store.
 *
 * What is proven stays proven whatever happens to the lease meanwhile; whether it still counts is for `intake.ts`.
 */

import { sameBytes } from '../../shared/bytes.ts';
import type { Claim } from '../../shared/channel/claim.ts';
import { CHECKPOINT_EVERY_UNITS } from '../../shared/channel/payer.ts';
import { type Checkpoint, decodeCheckpoint } from '../../shared/channel/records.ts';
import { leadsTo } from '../../shared/channel/tick-chain.ts';
import { unitsForBytes } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import { sha256 } from '../util/sha256.ts';
import { isSignedBy } from '../wallet/device.ts';
import { DeviceKeys } from '../wallet/device-keys.ts';

/** What of the lease a claim is checked against, as of the moment that the claim came. */
export interface ClaimBasis {
  readonly payerDevice: Uint8Array;
  readonly payeeDevice: Uint8Array;
  readonly capacityUnits: number;
  readonly claimedUnits: number;
  readonly claimedTick: Uint8Array;
}

/** What a checkpoint says that both sides signed. */
export type AgreedCheckpoint = Pick<Checkpoint, 'number' | 'units' | 'videoBytes' | 'watchMs' | 'final'>;

export interface ProvenClaim {
  /** Deepest units that the claim, or what was on file, proves. */
  readonly units: number;
  /** The tick of `units`. */
  readonly tick: Uint8Array;
  /** Number of the claim's checkpoint, also of one that the payer alone signed; `null` without a checkpoint. */
  readonly checkpointNumber: number | null;
  /** `null` without a checkpoint, and for one that the payer alone signed: it may name any number. */
  readonly agreed: AgreedCheckpoint | null;
}

/** Ticks that a claim may lie ahead of the last proof: one checkpoint interval and the largest window. */
export const MAX_WALK_UNITS = CHECKPOINT_EVERY_UNITS + 64;

const keys = new DeviceKeys();

/** At most two signatures and `MAX_WALK_UNITS` hashes. @throws AceError `ClaimInvalid`, `InvalidSignature`, `MessageMalformed` */
export function checkClaim(basis: ClaimBasis, claim: Claim): ProvenClaim {
  const checkpoint = claim.checkpoint && verifiedCheckpoint(basis, claim, claim.checkpoint);
  const agreed = claim.checkpoint?.payeeSignature ? checkpoint : null;
  return { ...provenUnits(basis, claim, agreed), checkpointNumber: checkpoint?.number ?? null, agreed };
}

function verifiedCheckpoint(
  basis: ClaimBasis,
  { channelId }: Claim,
  { record, payerSignature, payeeSignature }: NonNullable<Claim['checkpoint']>,
): Checkpoint {
  // Only canonical bytes can be decoded, so what was sent is what was signed.
  const checkpoint = decodeCheckpoint(record);
  if (!sameBytes(checkpoint.channelId, channelId)) throw invalid('its checkpoint is of another channel');
  if (checkpoint.units > basis.capacityUnits) throw invalid('its checkpoint is beyond the capacity');
  if (unitsForBytes(checkpoint.bytes) > checkpoint.units) throw invalid('its checkpoint has unpaid bytes');
  if (!isSignedBy(keys.get(basis.payerDevice), record, payerSignature)) throw unsigned('payer');
  if (payeeSignature && !isSignedBy(keys.get(basis.payeeDevice), record, payeeSignature)) {
    throw unsigned('payee');
  }
  return checkpoint;
}

/**
 * The deepest units that the claim proves, starting from the best proof there is. The tick of a checkpoint that the payer
 * alone signed is no proof: one of no chain, once on file, would have every true tick of the payee refused.
 */
function provenUnits(
  basis: ClaimBasis,
  claim: Claim,
  agreed: Checkpoint | null,
): { units: number; tick: Uint8Array } {
  const onFile = { units: basis.claimedUnits, tick: basis.claimedTick };
  const base = agreed && agreed.units > onFile.units ? agreed : onFile;
  if (claim.units <= base.units) return { units: base.units, tick: base.tick };
  if (claim.units > basis.capacityUnits) {
    throw invalid(`${claim.units} units, leased were ${basis.capacityUnits}`);
  }
  const steps = claim.units - base.units;
  if (steps > MAX_WALK_UNITS) {
    // An honest payee may meet this: a shard that was restored from an older copy knows less than it confirmed.
    throw new AceError(
      'ClaimInvalid',
      `The claim is ${steps} units past the last proof; hand in less first`,
      {
        details: { provenUnits: base.units },
      },
    );
  }
  if (!leadsTo(claim.tick, steps, base.tick, sha256)) {
    throw invalid('its tick is not of this channel’s chain');
  }
  return { units: claim.units, tick: claim.tick };
}

function invalid(why: string): AceError {
  return new AceError('ClaimInvalid', `The claim is invalid: ${why}`, { reaction: 'drop-peer' });
}

function unsigned(side: 'payer' | 'payee'): AceError {
  return new AceError('InvalidSignature', `The checkpoint is not signed by the ${side}`, {
    reaction: 'drop-peer',
  });
}
