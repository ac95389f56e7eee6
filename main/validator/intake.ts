/**
 * Takes claims: proof of how many units a channel has paid, from either side, any number of times.
 *
 * The lease on file already has the terms, so a claim is the deepest tick, and the latest checkpoint where there is
 * one. A checkpoint that both signed vouches for its tick, so the walk from it is never longer than the payee's window.
 *
 * Two steps. Verifying takes its time away from the books, many claims at once. Booking runs alone on the shard, as
 * many as are ready in one transaction, and looks at the lease again: another claim, or the lease's release, may have
 * come between. A claim is answered when what it proved is durable.
 */

import type { Claim, ClaimAnswer } from '../../shared/channel/claim.ts';
import { MAX_WATCH_MS_PER_UNIT } from '../../shared/economy/price.ts';
import { TRAFFIC_UNIT_BYTES } from '../../shared/economy/units.ts';
import { AceError, invariant, isAceError } from '../../shared/errors.ts';
import type { ClaimedLease, LeaseProof } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { AgreedCheckpoint, ClaimBasis, ProvenClaim } from './claim-check.ts';
import { noteCheckpoint } from './disputes.ts';

export { MAX_WALK_UNITS } from './claim-check.ts';

/** Claims booked in one transaction: bounds how long the event loop is held, some milliseconds. */
const MAX_GROUP = 512;
/**
 * While others are being verified a group waits for them this long at most: claims that share a transaction share its
 * pages as well, which is most of what writing them costs.
 */
const GATHER_MS = 25;

export interface ClaimVerifier {
  /** @throws AceError `ClaimInvalid`, `InvalidSignature`, `MessageMalformed`, `TooManyRequests` */
  verify(basis: ClaimBasis, claim: Claim): Promise<ProvenClaim>;
}

export interface IntakeContext {
  readonly store: ValidatorStore;
  readonly verifier: ClaimVerifier;
  /** Runs a task alone on the shard (see `serializer`). */
  readonly alone: <T>(task: () => Promise<T>) => Promise<T>;
  /** So many claims brought something new: there is more to settle. */
  readonly onBooked: (count: number) => void;
}

/** A claim whose signatures and ticks were verified. */
export interface ClaimToBook {
  readonly claim: Claim;
  readonly proven: ProvenClaim;
}

interface Waiting extends ClaimToBook {
  readonly resolve: (answer: ClaimAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export class ClaimIntake {
  readonly #context: IntakeContext;
  /** Verified and not booked yet. */
  readonly #waiting: Waiting[] = [];
  #verifying = 0;
  #gathering: NodeJS.Timeout | null = null;
  #isBooking = false;

  constructor(context: IntakeContext) {
    this.#context = context;
  }

  /**
   * Books a claim. An old or repeated one is answered with what is on file.
   * @throws AceError `ChannelUnleased`, `ClaimInvalid`, `InvalidSignature`, `MessageMalformed`, `TooManyRequests`,
   * `StoreFailed`
   */
  async take(claim: Claim): Promise<ClaimAnswer> {
    const { store } = this.#context;
    const proven = await this.#verified(proofOf(store, claim.channelId), claim);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ claim, proven, resolve, reject });
      this.#plan();
    });
  }

  async #verified(proof: LeaseProof, claim: Claim): Promise<ProvenClaim> {
    this.#verifying += 1;
    try {
      return await this.#context.verifier.verify(proof, claim);
    } finally {
      this.#verifying -= 1;
      // Who gathers need not wait for one that is refused.
      if (this.#verifying === 0 && this.#waiting.length > 0) this.#book();
    }
  }

  #plan(): void {
    if (this.#verifying === 0 || this.#waiting.length >= MAX_GROUP) this.#book();
    else this.#gathering ??= setTimeout(() => this.#book(), GATHER_MS);
  }

  #book(): void {
    if (this.#gathering) clearTimeout(this.#gathering);
    this.#gathering = null;
    if (this.#isBooking) return;
    this.#isBooking = true;
    this.#context.alone(async () => {
      this.#isBooking = false;
      this.#bookGroup(this.#waiting.splice(0, MAX_GROUP));
      if (this.#waiting.length > 0) this.#plan();
    });
  }

  /** Everybody gets an answer or an error: nothing is thrown. */
  #bookGroup(group: readonly Waiting[]): void {
    const { store, onBooked } = this.#context;
    let booked: readonly Booked[];
    try {
      booked = bookClaims(store, group);
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    let news = 0;
    group.forEach(({ resolve, reject }, i) => {
      const one = booked[i];
      if (one && 'answer' in one) resolve(one.answer);
      else reject(one?.refusal);
      if (one && 'answer' in one && one.isNew) news += 1;
    });
    if (news > 0) onBooked(news);
  }
}

export type Booked =
  | { readonly answer: ClaimAnswer; readonly isNew: boolean }
  | { readonly refusal: AceError };

/**
 * Books proven claims in one transaction, each against its lease as it is now; one that is refused takes nothing from
 * the others. Runs alone on the shard.
 * @throws AceError `StoreFailed`: then nothing is booked
 */
export function bookClaims(store: ValidatorStore, claims: readonly ClaimToBook[]): Booked[] {
  return store.commit(() =>
    claims.map(({ claim, proven }): Booked => {
      const lease = store.leases.claimed(claim.channelId);
      // It was forgotten while the claim was verified: it has ended days ago, and nothing can be claimed on it.
      if (!lease) return { refusal: late('its lease has ended long ago') };
      // Before anything can refuse the claim: a contradiction is one, whatever else is wrong with it.
      if (claim.checkpoint && proven.checkpointNumber !== null) {
        noteCheckpoint(store, claim.channelId, proven.checkpointNumber, claim.checkpoint);
      }
      try {
        return bookClaim(store, claim.channelId, lease, proven);
      } catch (error) {
        // Thrown before anything of this claim is written.
        if (isAceError(error, 'ClaimInvalid')) return { refusal: error };
        throw error;
      }
    }),
  );
}

/** What is on file of a leased channel. @throws AceError `ChannelUnleased` */
export function proofOf(store: ValidatorStore, channelId: Uint8Array): LeaseProof {
  const proof = store.leases.proof(channelId);
  if (proof) return proof;
  // Not the fault of the peer that asks: a shard restored from an older copy has forgotten leases that it granted.
  throw new AceError('ChannelUnleased', 'No lease is on file for this channel');
}

function bookClaim(
  store: ValidatorStore,
  channelId: Uint8Array,
  lease: ClaimedLease,
  proven: ProvenClaim,
): Booked {
  const { agreed } = proven;
  invariant(proven.units <= lease.capacityUnits, 'nothing is proven past the capacity');
  checkStillLeased(lease, agreed, proven.units);

  const watched = watchedIn(lease, agreed);
  const newer = agreed && agreed.number > lease.checkpointNumber ? agreed : null;
  const released = lease.released === 1 || agreed?.final === true;
  const moreWatched = watched.videoBytes > lease.videoBytes || watched.watchMs > lease.watchMs;
  const deeper = proven.units > lease.claimedUnits;
  const told = lease.ended === 1 ? { released, ended: true } : { released };
  if (!deeper && !newer && !moreWatched && (lease.released === 1) === released) {
    return { answer: { claimedUnits: lease.claimedUnits, ...told }, isNew: false };
  }
  store.leases.saveClaim({
    channelId,
    claimedUnits: deeper ? proven.units : lease.claimedUnits,
    claimedTick: deeper ? proven.tick : null,
    checkpointNumber: newer?.number ?? lease.checkpointNumber,
    videoBytes: Math.max(watched.videoBytes, lease.videoBytes),
    watchMs: Math.max(watched.watchMs, lease.watchMs),
    released: released ? 1 : 0,
  });
  return {
    answer: { claimedUnits: Math.max(proven.units, lease.claimedUnits), ...told },
    isNew: deeper || moreWatched,
  };
}

/**
 * What was released may be leased to another provider by now: units claimed on it afterwards would be paid with that
 * provider's money. So nothing is claimed past the release, and nothing past a final checkpoint of both sides.
 */
function checkStillLeased(lease: ClaimedLease, agreed: AgreedCheckpoint | null, units: number): void {
  if (units <= lease.claimedUnits) return;
  if (lease.released === 1)
    throw new ReleasedError(`The claim is refused: its lease was released at ${lease.claimedUnits} units`);
  if (agreed?.final && units > agreed.units) throw late(`its final checkpoint says ${agreed.units} units`);
}

/**
 * Viewing that a checkpoint reports, which sets the network's price: only what both sides signed counts, and no more
 * of it than can ever be credited, so that no figure keeps a lease waiting for a settlement that never comes.
 */
function watchedIn(
  lease: ClaimedLease,
  agreed: AgreedCheckpoint | null,
): Pick<AgreedCheckpoint, 'videoBytes' | 'watchMs'> {
  // After the release nothing more is credited: a settlement may have closed the lease's books.
  if (!agreed || lease.released === 1) return { videoBytes: 0, watchMs: 0 };
  // Never more than its bytes, which are paid: a checkpoint that says otherwise cannot be read.
  const { videoBytes, watchMs } = agreed;
  const videoUnits = Math.floor(videoBytes / TRAFFIC_UNIT_BYTES);
  const lifeMs = lease.expiresAtMs - lease.leasedAtMs;
  return { videoBytes, watchMs: Math.min(watchMs, videoUnits * MAX_WATCH_MS_PER_UNIT, lifeMs) };
}

/** What was proven comes too late, unless the release itself was too early (see `reopen-lease.ts`). */
export class ReleasedError extends AceError {
  constructor(message: string) {
    super('ClaimInvalid', message);
  }
}

function late(why: string): AceError {
  return new AceError('ClaimInvalid', `The claim is refused: ${why}`);
}
