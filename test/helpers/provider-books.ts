/** What an attack left on the provider: its books and what it warned of. */
import type { ErrorCode } from '../../shared/errors.ts';
import type { TestPeer } from './devnet.ts';
import type { RawChannel } from './raw-viewer.ts';

/** Units that the provider holds ticks for; -1 when it never heard of the channel. */
export function paidOn(provider: TestPeer, channel: RawChannel): number {
  return provider.store.payeeChannels.get(channel.channelId)?.state.paidUnits ?? -1;
}

/** Codes of what the provider warned of while `fn` ran. */
export async function warned(provider: TestPeer, fn: () => Promise<void>): Promise<ErrorCode[]> {
  const before = provider.warnings.length;
  await fn();
  return provider.warnings.slice(before).map(({ code }) => code);
}
