/**
 * Takes claims: proof of how many units a channel has paid, from either side, any number of times.
 *
 * The lease on file already has the terms, so a claim is the deepest tick, and the latest checkpoint where there is
 * one. A checkpoint's signature vouches for its tick, so the walk from it is never longer than the payee's window.
 */
import { CHECKPOINT_EVERY_UNITS } from '../../shared/channel/payer.ts';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  type SignedCheckpoint,
} from '../../shared/channel/records.ts';
import { leadsTo } from '../../shared/channel/tick-chain.ts';
import { sameBytes } from '../../shared/channel/tuple.ts';
import { AceError } from '../../shared/errors.ts';
import { TRAFFIC_UNIT_BYTES, unitsForBytes } from '../../shared/units.ts';
import { sha256 } from '../channel/sha256.ts';
import type { LeaseRow } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { devicePublicKey, isSignedBy } from '../wallet/device.ts';

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
}

/** Nobody watches video of less than 64 kbit/s: 1 MiB lasts at most this long. Bounds watch time by media played. */
export const MAX_WATCH_MS_PER_UNIT = 131_072;

/** Ticks that a claim may lie ahead of the last proof: one checkpoint interval and the largest window. */
export const MAX_WALK_UNITS = CHECKPOINT_EVERY_UNITS + 64;

/**
 * Books a claim. An old or repeated one is answered with what is on file.
 * @throws AceError `ChannelUnleased`, `ClaimInvalid`, `InvalidSignature`, `MessageMalformed`
 */
export function takeClaim(store: ValidatorStore, claim: Claim): ClaimAnswer {
  const lease = store.leases.get(claim.channelId);
  if (!lease)
    throw new AceError('ChannelUnleased', 'No lease is on file for this channel', { reaction: 'drop-peer' });
  const signed = claim.checkpoint ? verifiedCheckpoint(lease, claim.checkpoint) : null;
  const proven = provenUnits(lease, claim, signed?.checkpoint ?? null);
  checkStillLeased(lease, signed, proven.units);

  const watched = watchedIn(lease, signed);
  // Only what both sides signed counts: the payer alone could name a number that no later one passes.
  const agreed = signed?.payeeSignature ? signed.checkpoint : null;
  const newer = agreed && agreed.number > lease.checkpointNumber ? agreed : null;
  const released = lease.released === 1 || agreed?.final === true;
  const moreWatched = watched.videoBytes > lease.videoBytes || watched.watchMs > lease.watchMs;
  if (proven.units <= lease.claimedUnits && !newer && !moreWatched && (lease.released === 1) === released) {
    return { claimedUnits: lease.claimedUnits, released };
  }
  const deeper = proven.units > lease.claimedUnits;
  store.commit(() =>
    store.leases.saveClaim({
      channelId: lease.channelId,
      claimedUnits: deeper ? proven.units : lease.claimedUnits,
      claimedTick: deeper ? proven.tick : lease.claimedTick,
      checkpointNumber: newer?.number ?? lease.checkpointNumber,
      videoBytes: Math.max(watched.videoBytes, lease.videoBytes),
      watchMs: Math.max(watched.watchMs, lease.watchMs),
      released: released ? 1 : 0,
    }),
  );
  return { claimedUnits: Math.max(proven.units, lease.claimedUnits), released };
}

/**
 * What was released may be leased to another provider by now: units claimed on it afterwards would be paid with that
 * provider's money. So nothing is claimed past the release, and nothing past a final checkpoint of both sides.
 */
function checkStillLeased(lease: LeaseRow, signed: SignedCheckpoint | null, units: number): void {
  if (units <= lease.claimedUnits) return;
  const final = signed?.checkpoint.final && signed.payeeSignature ? signed.checkpoint : null;
  if (lease.released === 1) throw late(`its lease was released at ${lease.claimedUnits} units`);
  if (final && units > final.units) throw late(`its final checkpoint says ${final.units} units`);
}

function verifiedCheckpoint(lease: LeaseRow, sent: NonNullable<Claim['checkpoint']>): SignedCheckpoint {
  const checkpoint = decodeCheckpoint(sent.record);
  const bytes = encodeCheckpoint(checkpoint);
  if (!sameBytes(checkpoint.channelId, lease.channelId))
    throw invalid('its checkpoint is of another channel');
  if (checkpoint.units > lease.capacityUnits) throw invalid('its checkpoint is beyond the capacity');
  if (unitsForBytes(checkpoint.bytes) > checkpoint.units) throw invalid('its checkpoint has unpaid bytes');
  if (!isSignedBy(devicePublicKey(lease.payerDevice), bytes, sent.payerSignature)) {
    throw new AceError('InvalidSignature', 'The checkpoint is not signed by the payer', {
      reaction: 'drop-peer',
    });
  }
  if (sent.payeeSignature && !isSignedBy(devicePublicKey(lease.payeeDevice), bytes, sent.payeeSignature)) {
    throw new AceError('InvalidSignature', 'The checkpoint is not signed by the payee', {
      reaction: 'drop-peer',
    });
  }
  return { checkpoint, payerSignature: sent.payerSignature, payeeSignature: sent.payeeSignature };
}

/**
 * Viewing that a checkpoint reports, which sets the network's price: only what both sides signed counts, and no more
 * of it than can ever be credited, so that no figure keeps a lease waiting for a settlement that never comes.
 */
function watchedIn(
  lease: LeaseRow,
  signed: SignedCheckpoint | null,
): Pick<Checkpoint, 'videoBytes' | 'watchMs'> {
  // After the release nothing more is credited: a settlement may have closed the lease's books.
  if (!signed?.payeeSignature || lease.released === 1) return { videoBytes: 0, watchMs: 0 };
  // Never more than its bytes, which are paid: a checkpoint that says otherwise cannot be read.
  const { videoBytes, watchMs } = signed.checkpoint;
  const videoUnits = Math.floor(videoBytes / TRAFFIC_UNIT_BYTES);
  const lifeMs = lease.expiresAtMs - lease.leasedAtMs;
  return { videoBytes, watchMs: Math.min(watchMs, videoUnits * MAX_WATCH_MS_PER_UNIT, lifeMs) };
}

/** The deepest units that the claim proves, starting from the best proof there is. */
function provenUnits(
  lease: LeaseRow,
  claim: Claim,
  checkpoint: Checkpoint | null,
): { units: number; tick: Uint8Array } {
  const onFile = { units: lease.claimedUnits, tick: lease.claimedTick };
  const base = checkpoint && checkpoint.units > onFile.units ? checkpoint : onFile;
  if (claim.units <= base.units) return { units: base.units, tick: base.tick };
  if (claim.units > lease.capacityUnits)
    throw invalid(`${claim.units} units, leased were ${lease.capacityUnits}`);
  const steps = claim.units - base.units;
  if (steps > MAX_WALK_UNITS) throw invalid(`${steps} units past the last proof; hand in a checkpoint first`);
  if (!leadsTo(claim.tick, steps, base.tick, sha256))
    throw invalid('its tick is not of this channel’s chain');
  return { units: claim.units, tick: claim.tick };
}

/** No fault that drops a peer: a payee may have been away for too long. */
function late(why: string): AceError {
  return new AceError('ClaimInvalid', `The claim is refused: ${why}`);
}

function invalid(why: string): AceError {
  return new AceError('ClaimInvalid', `The claim is invalid: ${why}`, { reaction: 'drop-peer' });
}
