import { statSync } from 'node:fs';
import { ADDRESS_LEASE_RATE, STRANGERS_LEASE_RATE } from '../../main/validator/limits.ts';

const DAY_S = 86_400;

/** Leases that one shard grants in a day to peers that never paid nor served, from so many addresses. */
export function leasesOfStrangersInADay(addresses: number): number {
  return (
    addresses * (ADDRESS_LEASE_RATE.burst + ADDRESS_LEASE_RATE.perSecond * DAY_S) +
    STRANGERS_LEASE_RATE.burst +
    STRANGERS_LEASE_RATE.perSecond * DAY_S
  );
}

/** Of a SQLite file and its log. */
export function databaseBytes(file: string): number {
  return [file, `${file}-wal`].reduce(
    (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
