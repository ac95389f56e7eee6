/** How far this node's channels have come on their shards, asked now and then and kept in its own file. */

import { decodeTerms } from '../../shared/channel/records.ts';
import { isAceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import type { ChannelProgress } from '../db/node/channel-books.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { CHANNELS_ASKED } from '../p2p/protocols/shard/constants.ts';
import type { Log } from '../process/log.ts';

/** Requests of one round: what is left is asked for in the next, those asked longest ago first. */
const MAX_REQUESTS = 20;
/** What a shard holds of a channel that it does not know. */
const FORGOTTEN = { claimedUnits: 0, appliedUnits: 0, released: false } as const;

/**
 * Asks the shards of every channel that may have been settled, and stores the answers, so that they are
 * known while a shard is away. @throws AceError `StoreFailed`
 */
export async function pullProgress(
  lines: readonly (readonly [shard: number, line: Pick<ShardClient, 'call'>])[],
  store: NodeStore,
  nowMs: () => number,
  log: Log,
  onProgress: (progress: ChannelProgress) => void,
): Promise<void> {
  const roundMs = nowMs();
  for (let requests = 0; requests < MAX_REQUESTS; requests++) {
    const waiting = store.channelBooks.unsettled(roundMs, CHANNELS_ASKED);
    if (waiting.length === 0) return;
    const byShard = Map.groupBy(waiting, ({ terms }) => decodeTerms(terms).shard);
    const known = new Map<string, ChannelProgress>();
    for (const [shard, line] of lines) {
      const channelIds = (byShard.get(shard) ?? []).map(({ channelId }) => channelId);
      // A shard's word counts for its own channels, which are those that it was asked of.
      const asked = new Set(channelIds.map(toHex));
      const answers = await ask(line, channelIds, log);
      if (answers === null) continue;
      for (const progress of answers) {
        const key = toHex(progress.channelId);
        if (asked.delete(key)) known.set(key, progress);
      }
      // It leased them and knows them no more: it was restored from an older copy.
      for (const key of asked) known.set(key, { channelId: fromHex(key), ...FORGOTTEN });
    }
    store.commit(() => {
      for (const { channelId } of waiting) {
        const progress = known.get(toHex(channelId));
        if (progress) store.channelBooks.bookProgress(progress, roundMs);
        else store.channelBooks.passOver(channelId, roundMs);
      }
    });
    for (const progress of known.values()) onProgress(progress);
  }
}

async function ask(
  line: Pick<ShardClient, 'call'>,
  channelIds: readonly Uint8Array[],
  log: Log,
): Promise<readonly ChannelProgress[] | null> {
  if (channelIds.length === 0) return null;
  try {
    return (await line.call('channels', { channelIds: [...channelIds] })).channels;
  } catch (error) {
    // The rest of the account's picture stands without it.
    if (!isAceError(error)) throw error;
    log.warn({ err: error }, 'a shard did not say what it has settled of each channel');
    return null;
  }
}
