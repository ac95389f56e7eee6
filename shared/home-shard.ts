/**
 * Which shard an account belongs to (docs/protocols.md#shard). All its leases, loans, operations and batch
 * entries come from that one shard, so that its credit limit is exact without any shard asking another.
 */
import type { Sha256 } from './channel/records.ts';

/** Bytes of the hash that count: as many as a whole number holds exactly. */
const COUNTED_BYTES = 6;

/** The account's home, from 0 to `shardCount` − 1. @param account EVM address, lower case hex */
export function homeShard(account: string, shardCount: number, sha256: Sha256): number {
  if (shardCount === 1) return 0;
  const hash = sha256(Uint8Array.from(account, (character) => character.charCodeAt(0)));
  let number = 0;
  for (let i = 0; i < COUNTED_BYTES; i++) number = number * 256 + (hash[i] ?? 0);
  return number % shardCount;
}
