/**
 * Claims and what they prove, as bytes between the shard and its workers. One buffer for many: what structured cloning
 * takes for the small arrays of a claim is a third of what verifying it takes.
 *
 * Not a wire format: both ends are of one program. Lengths are checked where a job is packed, since what a peer sent
 * decides them.
 */

import type { Claim } from '../../shared/channel/claim.ts';
import { HASH_BYTES, SIGNATURE_BYTES } from '../../shared/channel/records.ts';
import { AceError, type ErrorCode, invariant, type Reaction } from '../../shared/errors.ts';
import { DEVICE_KEY_BYTES } from '../wallet/device.ts';
import type { AgreedCheckpoint, ClaimBasis, ProvenClaim } from './claim-check.ts';

export interface ClaimJob {
  readonly basis: ClaimBasis;
  readonly claim: Claim;
}

export type Outcome = { readonly proven: ProvenClaim } | { readonly refusal: AceError };

/** What a worker is told, and what it answers. Both buffers are handed over, not copied. */
export interface JobsMessage {
  readonly id: number;
  readonly jobs: Uint8Array;
}

export interface OutcomesMessage {
  readonly id: number;
  readonly outcomes: Uint8Array;
  readonly refusals: readonly Refusal[];
}

interface Refusal {
  readonly index: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly reaction: Reaction;
  /** A payee goes on from what they say the shard knows. */
  readonly details: AceError['details'];
}

/** Longest record of a checkpoint; the protocol takes no longer one. */
const MAX_RECORD_BYTES = 512;

/** Fixed part of a job: the numbers, the length of the record, five hashes and keys, two signatures. */
const JOB_NUMBERS = 5;
const JOB_HEAD_BYTES = JOB_NUMBERS * 8 + 3 * HASH_BYTES + 2 * DEVICE_KEY_BYTES + 2 * SIGNATURE_BYTES;
const NO_RECORD = -1;

export function packJobs(jobs: readonly ClaimJob[]): Uint8Array<ArrayBuffer> {
  const sizeBytes = jobs.reduce((sum, { claim }) => sum + jobBytes(claim), 0);
  // Of its own: a buffer out of Node's pool cannot be handed over.
  const packed = Buffer.from(new ArrayBuffer(sizeBytes));
  let at = 0;
  const number = (value: number) => {
    at = packed.writeDoubleLE(value, at);
  };
  const bytes = (value: Uint8Array | null, length: number) => {
    if (value) {
      checkLength(value, length);
      packed.set(value, at);
    }
    at += length;
  };
  for (const { basis, claim } of jobs) {
    const { checkpoint } = claim;
    number(basis.capacityUnits);
    number(basis.claimedUnits);
    number(claim.units);
    number(checkpoint ? checkpoint.record.byteLength : NO_RECORD);
    number(checkpoint?.payeeSignature ? 1 : 0);
    bytes(basis.payerDevice, DEVICE_KEY_BYTES);
    bytes(basis.payeeDevice, DEVICE_KEY_BYTES);
    bytes(basis.claimedTick, HASH_BYTES);
    bytes(claim.channelId, HASH_BYTES);
    bytes(claim.tick, HASH_BYTES);
    bytes(checkpoint?.payerSignature ?? null, SIGNATURE_BYTES);
    bytes(checkpoint?.payeeSignature ?? null, SIGNATURE_BYTES);
    if (checkpoint) bytes(checkpoint.record, checkpoint.record.byteLength);
  }
  return packed as Uint8Array<ArrayBuffer>;
}

/** Bytes of a job. @throws AceError `MessageMalformed` when the claim has fields of a wrong length */
export function jobBytes({ channelId, tick, checkpoint }: Claim): number {
  checkLength(channelId, HASH_BYTES);
  checkLength(tick, HASH_BYTES);
  if (!checkpoint) return JOB_HEAD_BYTES;
  checkLength(checkpoint.payerSignature, SIGNATURE_BYTES);
  if (checkpoint.payeeSignature) checkLength(checkpoint.payeeSignature, SIGNATURE_BYTES);
  if (checkpoint.record.byteLength > MAX_RECORD_BYTES) throw malformed();
  return JOB_HEAD_BYTES + checkpoint.record.byteLength;
}

export function unpackJobs(packed: Uint8Array): ClaimJob[] {
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const jobs: ClaimJob[] = [];
  let at = 0;
  const number = () => {
    at += 8;
    return buffer.readDoubleLE(at - 8);
  };
  const bytes = (length: number): Uint8Array => {
    at += length;
    return buffer.subarray(at - length, at);
  };
  while (at < buffer.byteLength) {
    const [capacityUnits, claimedUnits, units, recordBytes, isCountersigned] = [
      number(),
      number(),
      number(),
      number(),
      number(),
    ];
    const [payerDevice, payeeDevice] = [bytes(DEVICE_KEY_BYTES), bytes(DEVICE_KEY_BYTES)];
    const [claimedTick, channelId, tick] = [bytes(HASH_BYTES), bytes(HASH_BYTES), bytes(HASH_BYTES)];
    const [payerSignature, payeeSignature] = [bytes(SIGNATURE_BYTES), bytes(SIGNATURE_BYTES)];
    const checkpoint =
      recordBytes === NO_RECORD
        ? null
        : {
            record: bytes(recordBytes),
            payerSignature,
            payeeSignature: isCountersigned === 1 ? payeeSignature : null,
          };
    jobs.push({
      basis: { payerDevice, payeeDevice, capacityUnits, claimedUnits, claimedTick },
      claim: { channelId, units, tick, checkpoint },
    });
  }
  return jobs;
}

/** An outcome: eight numbers and a tick. */
const OUTCOME_NUMBERS = 8;
const NO_CHECKPOINT = -1;
const OUTCOME_BYTES = OUTCOME_NUMBERS * 8 + HASH_BYTES;

const NOT_AGREED: AgreedCheckpoint = { number: 0, units: 0, videoBytes: 0, watchMs: 0, final: false };

export function packOutcomes(
  outcomes: readonly Outcome[],
): Omit<OutcomesMessage, 'id'> & { outcomes: Uint8Array<ArrayBuffer> } {
  const packed = Buffer.from(new ArrayBuffer(outcomes.length * OUTCOME_BYTES));
  const refusals: Refusal[] = [];
  outcomes.forEach((outcome, index) => {
    if ('refusal' in outcome) {
      const { code, message, reaction, details } = outcome.refusal;
      refusals.push({ index, code, message, reaction, details: { ...details } });
      return;
    }
    const { units, tick, checkpointNumber, agreed } = outcome.proven;
    const { number, units: agreedUnits, videoBytes, watchMs, final } = agreed ?? NOT_AGREED;
    const numbers = [
      ...[units, checkpointNumber ?? NO_CHECKPOINT, agreed ? 1 : 0],
      ...[number, agreedUnits, videoBytes, watchMs, final ? 1 : 0],
    ];
    let at = index * OUTCOME_BYTES;
    packed.set(tick, at + OUTCOME_NUMBERS * 8);
    for (const value of numbers) at = packed.writeDoubleLE(value, at);
  });
  return { outcomes: packed as Uint8Array<ArrayBuffer>, refusals };
}

export function unpackOutcomes({ outcomes, refusals }: OutcomesMessage): Outcome[] {
  const buffer = Buffer.from(outcomes.buffer, outcomes.byteOffset, outcomes.byteLength);
  const count = buffer.byteLength / OUTCOME_BYTES;
  const unpacked = Array.from({ length: count }, (_, index): Outcome => {
    const start = index * OUTCOME_BYTES;
    const number = (n: number) => buffer.readDoubleLE(start + n * 8);
    const tick = buffer.subarray(start + OUTCOME_NUMBERS * 8, start + OUTCOME_BYTES);
    const agreed =
      number(2) === 1
        ? {
            number: number(3),
            units: number(4),
            videoBytes: number(5),
            watchMs: number(6),
            final: number(7) === 1,
          }
        : null;
    const checkpointNumber = number(1) === NO_CHECKPOINT ? null : number(1);
    return { proven: { units: number(0), tick, checkpointNumber, agreed } };
  });
  for (const { index, code, message, reaction, details } of refusals) {
    invariant(index < count, 'a refusal is of one of the jobs');
    unpacked[index] = { refusal: new AceError(code, message, { reaction, details }) };
  }
  return unpacked;
}

function checkLength(bytes: Uint8Array, length: number): void {
  if (bytes.byteLength !== length) throw malformed();
}

function malformed(): AceError {
  return new AceError('MessageMalformed', 'The claim has a field of a wrong length', {
    reaction: 'drop-peer',
  });
}
