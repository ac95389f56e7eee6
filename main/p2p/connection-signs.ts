/** When a message of ours came last on each connection: a connection that says nothing is of no use. */
import type { Connection } from '@libp2p/interface';

const spokeAt = new WeakMap<Connection, number>();

/** A whole message has come. */
export function noteMessage(connection: Connection): void {
  spokeAt.set(connection, performance.now());
}

/** It broke a protocol: whatever it said before counts for nothing. */
export function forgetMessages(connection: Connection): void {
  spokeAt.delete(connection);
}

/** By the clock of `performance.now()`; `null`: nothing came yet. */
export function spokeAtMs(connection: Connection): number | null {
  return spokeAt.get(connection) ?? null;
}
