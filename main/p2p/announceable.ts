/** Which of the addresses that a provider announces are passed on to viewers. */
import { multiaddr } from '@multiformats/multiaddr';
import { AceError } from '../../shared/errors.ts';

/**
 * Those that can be read and that name the announcing peer: nobody announces garbage, or another's address.
 * @throws AceError `MessageMalformed` when none is left
 */
export function announceable(texts: readonly string[], peerId: string): string[] {
  const usable = texts.filter((text) => isOf(text, peerId));
  if (usable.length > 0) return usable;
  // No fault that drops a peer: its line to the shard is good for more than announcing.
  throw new AceError('MessageMalformed', 'None of the announced addresses is one of the announcing peer');
}

function isOf(text: string, peerId: string): boolean {
  // The text, not only what it means: an address may name several peers, and the last one counts.
  if (!text.endsWith(`/p2p/${peerId}`)) return false;
  try {
    return multiaddr(text).getComponents().length > 1;
  } catch {
    return false;
  }
}
