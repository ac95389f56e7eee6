/** The books of channels as `shared/rpc/channels.ts` shows them. */

import { allows } from '../../shared/channel/lifecycle.ts';
import { formatAmount } from '../../shared/economy/money.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import type { Ratio } from '../../shared/economy/ratio.ts';
import { unitsForBytes } from '../../shared/economy/units.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import type {
  ChannelsView,
  ChannelView,
  ContentTrafficView,
  CounterpartyView,
} from '../../shared/rpc/channels.ts';
import type { ChannelBook, ChannelPlace, CounterpartyBook } from '../db/node/channel-books.ts';
import type { NodeStore } from '../db/node/store.ts';

/** `unitPriceXac` is `null` while no price is known. */
export function channelsView(
  store: NodeStore,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
  unitPriceXac: Ratio | null,
  nowMs: number,
): ChannelsView {
  const books = store.channelBooks.page(after === undefined ? null : placeOf(after), limit);
  const last = books.at(-1);
  return {
    channels: books.map((book) => channelView(book, unitPriceXac, nowMs)),
    next: last && books.length === limit ? cursorOf(last) : null,
    count: store.channelBooks.count(),
    counterparties: store.channelBooks.totals().map((book) => counterpartyView(book, unitPriceXac)),
    contents: contentTraffic(store),
  };
}

function channelView(book: ChannelBook, unitPriceXac: Ratio | null, nowMs: number): ChannelView {
  const { checkpoint, paidUnits, statedUnits: settledUnits } = book;
  const pendingUnits = paidUnits - settledUnits;
  return {
    channelId: toHex(book.channelId),
    direction: book.direction,
    counterparty: book.counterparty,
    state: stateOf(book, nowMs),
    capacityUnits: book.capacityUnits,
    servedBytes: book.servedBytes,
    servedUnits: unitsForBytes(book.servedBytes),
    paidUnits,
    settledUnits,
    pendingUnits,
    pendingXac: priced(pendingUnits, unitPriceXac),
    overbilledUnits: book.overbilledUnits,
    openedAtMs: book.openedAtMs,
    expiresAtMs: book.expiresAtMs,
    kind: kindOf(book),
    checkpoint: checkpoint && {
      number: checkpoint.number,
      units: checkpoint.units,
      bytes: checkpoint.bytes,
      watchMs: checkpoint.watchMs,
      final: checkpoint.final,
      countersigned: book.countersigned,
    },
  };
}

function stateOf(book: ChannelBook, nowMs: number): ChannelView['state'] {
  // The main chain has answered for every unit, and the settlements that say so are on their way here.
  if (book.status === 'settled' && book.statedUnits < book.paidUnits) return 'claimed';
  // Looked at before anyone has booked that its time is over.
  return allows(book.status, 'expired') && nowMs >= book.expiresAtMs ? 'expired' : book.status;
}

function kindOf({ direction, checkpoint, servedBytes, videoBytes }: ChannelBook): ChannelView['kind'] {
  // A payee knows the bytes up to the checkpoint, a payer counts them itself.
  const countedBytes = direction === 'paying' ? servedBytes : (checkpoint?.bytes ?? 0);
  if (countedBytes === 0) return null;
  if (videoBytes === 0) return 'other';
  return videoBytes < countedBytes ? 'mixed' : 'video';
}

function counterpartyView(book: CounterpartyBook, unitPriceXac: Ratio | null): CounterpartyView {
  const { grossXac, feeXac, ...rest } = book;
  const pendingUnits = book.paidUnits - book.settledUnits;
  return {
    direction: rest.direction,
    counterparty: rest.counterparty,
    channels: rest.channels,
    servedBytes: rest.servedBytes,
    paidUnits: rest.paidUnits,
    settledUnits: rest.settledUnits,
    pendingUnits,
    pendingXac: priced(pendingUnits, unitPriceXac),
    grossXac: formatAmount(grossXac),
    netXac: formatAmount(grossXac - feeXac),
  };
}

function contentTraffic(store: NodeStore): ContentTrafficView[] {
  return [...store.contents.list(), ...store.broadcasts.list()]
    .filter(({ downBytes, upBytes }) => downBytes + upBytes > 0)
    .map(({ contentId, name, downBytes, upBytes }) => ({
      contentId,
      name,
      receivedBytes: downBytes,
      servedBytes: upBytes,
    }));
}

function priced(units: number, unitPriceXac: Ratio | null): string | null {
  return unitPriceXac && formatAmount(priceOfUnits(units, unitPriceXac));
}

function cursorOf({ openedAtMs, channelId }: ChannelPlace): string {
  return `${openedAtMs}-${toHex(channelId)}`;
}

/** The input's schema has checked it. */
function placeOf(cursor: string): ChannelPlace {
  const [openedAtMs, channelId] = cursor.split('-') as [string, string];
  return { openedAtMs: Number(openedAtMs), channelId: fromHex(channelId) };
}
