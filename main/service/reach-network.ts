/**
 * Whether anything answers at a validator's address: tried before a wallet is made for its network. Who it is shows when
 * the node starts; here a wrong or dead address is found while it can still be corrected.
 */
import { connect } from 'node:net';
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError } from '../../shared/errors.ts';

/** A relayed or distant validator takes a second or two; a person waits no longer for a dead one. */
const ANSWER_WITHIN_MS = 6_000;
const HOSTS = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6']);

/** @throws AceError `ShardUnavailable` when nothing answers there */
export async function reachNetwork(address: Multiaddr): Promise<void> {
  const parts = address.getComponents();
  const host = parts.find(({ name }) => HOSTS.has(name))?.value;
  const port = Number(parts.find(({ name }) => name === 'tcp')?.value);
  // What is no plain TCP address is tried by the start itself.
  if (host === undefined || !Number.isInteger(port)) return;
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port, timeout: ANSWER_WITHIN_MS });
    const fail = (cause?: unknown) => {
      socket.destroy();
      reject(new AceError('ShardUnavailable', `Nothing answers at ${address}`, { cause }));
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => fail());
    socket.once('error', fail);
  });
}
