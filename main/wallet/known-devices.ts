/** Devices of the account that this node knows, beside those that the chain names: for the list and for unlinking. */
import type { NodeStore } from '../db/node/store.ts';

const KEY = 'knownDevices';
const MAX_KNOWN = 100;

/** Public keys, 64 hex digits each, in the order in which they were met. */
export function knownDevices({ meta }: Pick<NodeStore, 'meta'>): string[] {
  return (meta.get(KEY) ?? '').split(',').filter((device) => device !== '');
}

/** Runs in the caller's transaction. */
export function knowDevice(store: Pick<NodeStore, 'meta'>, device: string): void {
  const known = knownDevices(store);
  if (known.includes(device)) return;
  store.meta.set(KEY, [...known, device].slice(-MAX_KNOWN).join());
}
