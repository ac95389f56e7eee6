/**
 * The hash chain that ticks come from (PayWord, Rivest & Shamir 1996).
 *
 * Tick i is a 32-byte value whose SHA-256 is tick i − 1; tick 0 is the anchor, and only the payer, who knows the seed
 * (tick `capacity`), can go forward. The payer keeps every 64th tick; a segment of 64 is worked out once when it is
 * entered, so revealing costs one hash per tick on average and a chain of 10,240 units takes 5 KiB.
 */

import { sameBytes } from '../bytes.ts';
import { AceError, invariant } from '../errors.ts';
import { HASH_BYTES, type Sha256 } from './records.ts';

export const PEBBLE_SPACING = 64;

/** Payer's side: reveals any tick of the chain. */
export class TickChain {
  readonly capacityUnits: number;
  /** Ticks 0, 64, 128, … and the last one, 32 bytes each: all that must be stored. Secret. */
  readonly pebbles: Uint8Array;
  readonly #sha256: Sha256;
  /** Ticks first … first + 64 of the segment in use, one after another: a node may hold thousands of chains. */
  #segment = new Uint8Array(0);
  #segmentFirst = -1;

  private constructor(capacityUnits: number, pebbles: Uint8Array, sha256: Sha256) {
    this.capacityUnits = capacityUnits;
    this.pebbles = pebbles;
    this.#sha256 = sha256;
  }

  /** Builds a chain from 32 fresh random bytes. The seed must never serve for another channel. */
  static fromSeed(seed: Uint8Array, capacityUnits: number, sha256: Sha256): TickChain {
    invariant(
      seed.byteLength === HASH_BYTES && Number.isSafeInteger(capacityUnits) && capacityUnits >= 1,
      'a tick chain has a 32-byte seed and a capacity',
    );
    const pebbles = new Uint8Array(pebbleCount(capacityUnits) * HASH_BYTES);
    let tick = seed;
    for (let index = capacityUnits; ; index--) {
      const pebble = pebbleAt(index, capacityUnits);
      if (pebble !== null) pebbles.set(tick, pebble * HASH_BYTES);
      if (index === 0) break;
      tick = sha256(tick);
    }
    return new TickChain(capacityUnits, pebbles, sha256);
  }

  /** Takes up a stored chain again, without hashing. */
  static fromPebbles(pebbles: Uint8Array, capacityUnits: number, sha256: Sha256): TickChain {
    invariant(
      pebbles.byteLength === pebbleCount(capacityUnits) * HASH_BYTES,
      'stored pebbles fit the capacity',
    );
    return new TickChain(capacityUnits, pebbles, sha256);
  }

  get anchor(): Uint8Array {
    return this.pebbles.slice(0, HASH_BYTES);
  }

  /** @throws AceError `ChannelExhausted` past the capacity */
  tick(index: number): Uint8Array {
    if (index < 0 || index > this.capacityUnits) {
      throw new AceError('ChannelExhausted', `The chain has ${this.capacityUnits} ticks, asked for ${index}`);
    }
    const first = Math.floor(index / PEBBLE_SPACING) * PEBBLE_SPACING;
    if (this.#segmentFirst !== first) this.#enter(first);
    const offset = (index - first) * HASH_BYTES;
    return this.#segment.slice(offset, offset + HASH_BYTES);
  }

  #enter(first: number): void {
    const last = Math.min(first + PEBBLE_SPACING, this.capacityUnits);
    const pebble = pebbleAt(last, this.capacityUnits);
    invariant(pebble !== null, 'a segment ends at a pebble');
    const segment = new Uint8Array((last - first + 1) * HASH_BYTES);
    let tick: Uint8Array = this.pebbles.slice(pebble * HASH_BYTES, (pebble + 1) * HASH_BYTES);
    for (let index = last; index >= first; index--) {
      segment.set(tick, (index - first) * HASH_BYTES);
      if (index > first) tick = this.#sha256(tick);
    }
    this.#segment = segment;
    this.#segmentFirst = first;
  }
}

/** Payee's side: whether hashing `tick` `steps` times gives `known`. The caller bounds `steps` first. */
export function leadsTo(tick: Uint8Array, steps: number, known: Uint8Array, sha256: Sha256): boolean {
  return sameBytes(tickBefore(tick, steps, sha256), known);
}

/** The tick `steps` units before `tick`: a tick gives all earlier ones. */
export function tickBefore(tick: Uint8Array, steps: number, sha256: Sha256): Uint8Array {
  let hash = tick;
  for (let i = 0; i < steps; i++) hash = sha256(hash);
  return hash;
}

function pebbleCount(capacityUnits: number): number {
  return Math.ceil(capacityUnits / PEBBLE_SPACING) + 1;
}

/** Position of tick `index` among the pebbles, `null` when it is not one. */
function pebbleAt(index: number, capacityUnits: number): number | null {
  if (index === capacityUnits) return pebbleCount(capacityUnits) - 1;
  return index % PEBBLE_SPACING === 0 ? index / PEBBLE_SPACING : null;
}
