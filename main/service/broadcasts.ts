/** Broadcasts as the procedures show them. */

import { DEFAULT_LIVE_ACCESS_MS } from '../../shared/economy/access-terms.ts';
import { formatAmount } from '../../shared/economy/money.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import type { Ratio } from '../../shared/economy/ratio.ts';
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { HeardRecord } from '../../shared/live/window.ts';
import type { ContentView, TransferView } from '../../shared/rpc/content.ts';
import type { BroadcastView } from '../../shared/rpc/live.ts';
import { parseContentId } from '../content/transport-file.ts';
import type { BroadcastRow } from '../db/node/broadcasts.ts';
import { PUSH_PATH } from '../live/push-input.ts';
import type { Watch } from '../live/watch.ts';
import type { RunningPeer } from '../peer/peer.ts';
import { givenPath } from '../util/given-path.ts';
import { askedPrice } from './access.ts';

/** What a broadcast looks like in the library: it has no size. */
export function liveContentView(row: BroadcastRow, window: readonly HeardRecord[]): ContentView {
  return {
    contentId: row.contentId,
    name: row.name,
    mimeType: row.mimeType,
    sizeBytes: 0,
    haveBytes: 0,
    origin: row.pushKey === null ? 'fetched' : 'imported',
    addedAtMs: row.addedAtMs,
    servedUnits: Math.ceil(row.upBytes / PIECE_BYTES),
    pinned: false,
    paused: false,
    sourcePath: null,
    trouble: null,
    live: {
      own: row.pushKey !== null,
      ended: row.ended,
      heardAtMs: window.findLast(({ contentId }) => contentId !== null)?.heardAtMs ?? null,
    },
  };
}

/** One of our own. @param base address of the node's server; `null` before it listens */
function broadcastView(
  row: BroadcastRow,
  window: readonly HeardRecord[],
  base: string | null,
): BroadcastView {
  const playMs = window.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const sizeBytes = window.reduce((sum, record) => sum + record.sizeBytes, 0);
  return {
    contentId: row.contentId,
    name: row.name,
    pushUrl: base && new URL(`${PUSH_PATH}${row.contentId}/${row.pushKey}/live.m3u8`, base).href,
    folder: row.folder,
    ended: row.ended,
    startedAtMs: row.addedAtMs,
    // The end has a number too.
    segments: row.nextSequence - (row.ended ? 1 : 0),
    lastSegmentAtMs: window.findLast(({ contentId }) => contentId !== null)?.heardAtMs ?? null,
    bitsPerSecond: playMs === 0 ? 0 : Math.round((sizeBytes * 8_000) / playMs),
    servedUnits: Math.ceil(row.upBytes / PIECE_BYTES),
  };
}

/** A broadcast that is watched here, as one transfer: all of its segments together. */
export function watchView(watch: Watch, downBytesPerSecond: number, unitPriceXac: Ratio): TransferView {
  const { receivedBytes, paidUnits, fetchingMs } = watch.fetched;
  const { trouble } = watch;
  const transfers = watch.transfers;
  const paused = transfers.find(({ state }) => state === 'paused');
  const reason = paused?.reason ?? trouble;
  const busy = transfers.findLast(({ providerAccount }) => providerAccount !== null);
  return {
    contentId: watch.broadcast,
    name: watch.name,
    sizeBytes: receivedBytes,
    haveBytes: receivedBytes,
    window: false,
    wanted: true,
    state: paused ? 'paused' : trouble ? 'connecting' : 'fetching',
    reason: reason && { code: reason.code, message: reason.message },
    provider: busy?.providerAccount ?? null,
    providers: busy?.providers ?? [],
    refusal: transfers.findLast(({ refusal }) => refusal !== null)?.refusal ?? null,
    downBytesPerSecond,
    fetchingMs: Math.round(fetchingMs),
    paidUnits,
    doubledPieces: transfers.reduce((sum, { doubledPieces }) => sum + doubledPieces, 0),
    costXac: formatAmount(priceOfUnits(paidUnits, unitPriceXac)),
  };
}

/** The procedures about broadcasts. */
interface StartInput {
  readonly name: string;
  readonly folder?: string | undefined;
  readonly priceXac?: string | undefined;
  readonly lastsMs?: number | undefined;
  readonly premium?: boolean | undefined;
}

export function liveProcedures(
  { live, account }: Pick<RunningPeer, 'live' | 'account'>,
  base: () => string | null,
) {
  const priceOf = ({ priceXac, lastsMs = DEFAULT_LIVE_ACCESS_MS, premium = false }: StartInput) =>
    priceXac === undefined
      ? null
      : { seller: account.address, premium, priceXac: askedPrice(priceXac), lastsMs };
  const view = (contentId: string) =>
    broadcastView(live.broadcaster.ownRow(contentId), live.book.window(contentId), base());
  return {
    broadcasts: async () => live.broadcaster.own().map(({ contentId }) => view(contentId)),
    async startBroadcast(input: StartInput) {
      const { name, folder } = input;
      if (base() === null) throw new AceError('Internal', 'The node does not listen yet');
      const path = folder === undefined ? null : givenPath(folder);
      return view((await live.start(name, path, priceOf(input))).contentId);
    },
    async endBroadcast({ contentId }: { contentId: string }) {
      const id = parseContentId(contentId);
      await live.end(id);
      return view(id);
    },
  };
}
