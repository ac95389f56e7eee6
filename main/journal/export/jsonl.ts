/** One JSON object per line and entry, with its postings. Amounts are text: a number of JSON is not exact. */

import { formatRatio } from '../../../shared/economy/ratio.ts';
import { toHex } from '../../../shared/hex.ts';
import { ledgerAccount } from '../../../shared/journal/entry.ts';
import { decimal, entryId } from '../text.ts';
import type { ExportEntry, ExportWriter } from './format.ts';

export function jsonlWriter(): ExportWriter {
  return {
    begin: () => [],
    entry: (entry) => `${JSON.stringify(plainEntry(entry))}\n`,
    end: () => '',
  };
}

function plainEntry(entry: ExportEntry) {
  return {
    entry: entryId(entry),
    time: new Date(entry.atMs).toISOString(),
    kind: entry.kind,
    direction: entry.direction,
    counterparty: entry.counterparty,
    ...(entry.source === 'settlement'
      ? { shard: entry.shard, seq: entry.seq, batch: entry.batchNumber }
      : { height: entry.seq }),
    hash: toHex(entry.hash),
    /** XAC base units per MiB, exact. */
    price: entry.price && formatRatio(entry.price),
    channels: entry.channels.map(({ channelId, units }) => ({ channel: toHex(channelId), mib: units })),
    contents: entry.contents,
    note: entry.note,
    postings: entry.postings.map(({ account, commodity, amount }) => ({
      account: ledgerAccount(entry, account),
      commodity,
      amount: decimal(amount, commodity),
    })),
  };
}
