/** Figures of the node's stores and its picture of the account, as `shared/rpc/rpc.ts` shows them. */

import { creditLeftUnits } from '../../shared/economy/credit.ts';
import { type HoldingDeltas, SERVICES_TOKENS } from '../../shared/economy/holdings.ts';
import { amount, type DecimalAmount, formatAmount, TOKENS, type Token } from '../../shared/economy/money.ts';
import type { Payment } from '../../shared/economy/payment.ts';
import { priceOfUnits, trafficRate, unitPriceXat } from '../../shared/economy/price.ts';
import type { QuoteBasis, TrafficQuote } from '../../shared/economy/quote.ts';
import { formatRatio, type Ratio, ratioToDecimal } from '../../shared/economy/ratio.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import type { Spent } from '../../shared/economy/spending-limit.ts';
import { PIECE_BYTES, pieceCount, pieceLength, UNITS_PER_GB } from '../../shared/economy/units.ts';
import { toHex } from '../../shared/hex.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import type { HoldingsView } from '../../shared/rpc/holdings.ts';
import type { PriceView, SettingsView, SpentView, TrafficQuoteView } from '../../shared/rpc/rpc.ts';
import type { SettlementView } from '../../shared/rpc/settlements.ts';
import type { AccountPicture } from '../account/account-sync.ts';
import type { PieceCache } from '../content/piece-cache.ts';
import type { ListedContent } from '../db/node/contents.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import type { UserLimits } from '../limits/user-limits.ts';

export function holdingsView({ main, services }: HoldingDeltas): HoldingsView {
  return { main: decimals(TOKENS, main), services: decimals(SERVICES_TOKENS, services) };
}

function decimals<T extends Token>(
  tokens: readonly T[],
  held: Readonly<Record<T, bigint>>,
): Record<T, DecimalAmount> {
  return Object.fromEntries(tokens.map((token) => [token, formatAmount(held[token])])) as Record<T, string>;
}

export function quoteBasis(
  { account, market, unitPriceXac }: AccountPicture,
  settings: NetworkSettings,
): QuoteBasis {
  const { XAC, XAT, XAS } = account.services;
  return {
    funds: { XAC: amount(XAC), XAT: amount(XAT), XAS: amount(XAS) },
    creditLeftUnits: creditLeftUnits(settings.trafficCreditLimitUnits, account.creditUsedUnits),
    owes: account.creditUsedUnits > 0,
    price: { rates: market, unitPriceXac },
    unitPriceXat: unitPriceXat(market),
    trafficFee: settings.trafficFee,
  };
}

export function quoteView(quote: TrafficQuote, asOfMs: number): TrafficQuoteView {
  const { payment } = quote;
  const moved = (part: keyof Payment) => formatAmount(payment?.[part] ?? 0n);
  return {
    units: quote.units,
    priceXac: formatAmount(quote.priceXac),
    priceXat: formatAmount(quote.priceXat),
    paidUnits: quote.paidUnits,
    creditUnits: quote.creditUnits,
    uncoveredUnits: quote.uncoveredUnits,
    fromXac: moved('xacFromPayer'),
    fromXat: moved('xatBurned'),
    fromXas: moved('xasFromPayer'),
    feeXac: moved('feeXac'),
    feeXas: moved('feeXas'),
    payeeXac: moved('payeeXac'),
    payeeXas: moved('payeeXas'),
    asOfMs,
  };
}

export function priceView(
  { market, unitPriceXac, asOfMs }: AccountPicture,
  settings: NetworkSettings,
): PriceView {
  return {
    xacPerGb: perGb(unitPriceXac),
    xatPerGb: perGb(unitPriceXat(market)),
    xacPerXat: ratioToDecimal(market.xacPerXat, 7),
    trafficRateGbPerHour: ratioToDecimal(trafficRate(market), 3),
    exact: {
      xacPerUnit: formatRatio(unitPriceXac),
      xatPerUnit: formatRatio(unitPriceXat(market)),
      xacPerXat: formatRatio(market.xacPerXat),
      xacPerXas: formatRatio(market.xacPerXas),
      trafficFee: formatRatio(settings.trafficFee),
    },
    asOfMs,
  };
}

export function contentView(row: ListedContent): ContentView {
  const lastBytes = pieceLength(row.sizeBytes, pieceCount(row.sizeBytes) - 1);
  return {
    contentId: row.contentId,
    name: row.name,
    mimeType: row.mimeType,
    sizeBytes: row.sizeBytes,
    haveBytes: row.havePieces * PIECE_BYTES - (row.haveLastPiece ? PIECE_BYTES - lastBytes : 0),
    origin: row.origin,
    addedAtMs: row.addedAtMs,
    servedUnits: Math.ceil(row.upBytes / PIECE_BYTES),
    pinned: row.pinned,
    paused: row.paused,
    sourcePath: row.sourcePath,
    trouble: row.trouble,
  };
}

export function settingsView(limits: UserLimits, cache: PieceCache): SettingsView {
  return {
    settings: limits.limits,
    stops: limits.stops(),
    dataUsed: limits.data,
    spent: spentView(limits.spent),
    cacheUsedBytes: cache.usedBytes,
  };
}

function spentView({ dayXac, monthXac, onItsWayXac }: Spent): SpentView {
  return {
    dayXac: formatAmount(dayXac),
    monthXac: formatAmount(monthXac),
    onItsWayXac: formatAmount(onItsWayXac),
  };
}

export function settlementView(row: SettlementRow): SettlementView {
  return {
    seq: row.seq,
    shard: row.shard,
    shardSeq: row.shardSeq,
    batchNumber: row.batchNumber,
    batchHash: toHex(row.batchHash),
    atMs: row.atMs,
    direction: row.direction,
    counterparty: row.counterparty,
    paidUnits: row.paidUnits,
    creditUnits: row.creditUnits,
    refusedUnits: row.refusedUnits,
    repaidUnits: row.repaidUnits,
    grossXac: formatAmount(row.grossXac),
    feeXac: formatAmount(row.feeXac),
    netXac: formatAmount(row.grossXac - row.feeXac),
    xatBurned: formatAmount(row.xatBurned),
    xasPaid: formatAmount(row.xasPaid),
    xacPerGb: perGb(row.price),
  };
}

function perGb(unitPrice: Ratio): string {
  return formatAmount(priceOfUnits(UNITS_PER_GB, unitPrice));
}
