import { isCount } from '../count.ts';
import { AceError } from '../errors.ts';

/** One traffic unit is 1 MiB (docs/economy.md#units). */
export const TRAFFIC_UNIT_BYTES = 1_048_576;
/** 1 GB in the source documents is 1,024 traffic units. */
export const UNITS_PER_GB = 1_024;
/** A chunk is the slice of a piece that is checked and stored as it arrives. */
export const CHUNK_BYTES = 65_536;
/** A piece is exactly one traffic unit; the last piece of a content may be shorter. */
export const PIECE_BYTES = TRAFFIC_UNIT_BYTES;

/**
 * Traffic units owed for a number of verified bytes: rounded up once, over the life of the channel.
 * @throws AceError `InvalidInput` when `bytes` is not a whole number from 0 to 2^53 − 1.
 */
export function unitsForBytes(bytes: number): number {
  if (!isCount(bytes)) throw new AceError('InvalidInput', `Not a number of bytes: ${bytes}`);
  return Math.ceil(bytes / TRAFFIC_UNIT_BYTES);
}

/** Pieces of a content of `sizeBytes`, the last one perhaps shorter: sizeBytes ÷ 1 MiB, rounded up. 0 for none. */
export function pieceCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / PIECE_BYTES);
}

/** Bytes in piece `index`, from 0, of a content of `sizeBytes`: 1 MiB, or what is left. 0 or less beyond the last. */
export function pieceLength(sizeBytes: number, index: number): number {
  return Math.min(PIECE_BYTES, sizeBytes - index * PIECE_BYTES);
}
