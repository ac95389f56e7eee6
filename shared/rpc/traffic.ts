/** What the procedures about traffic and the network tell: figures for charts, and the tables behind them. */
import { z } from 'zod';
import type { Token } from '../economy/money.ts';
import type { Pool } from '../economy/settings.ts';

export const TRAFFIC_PERIODS = ['today', 'month', 'all'] as const;
export type TrafficPeriod = (typeof TRAFFIC_PERIODS)[number];

/** An hour of today, or a day: of the clock of the node's machine. */
export interface TrafficBar {
  /** When it began. */
  readonly atMs: number;
  /** Content received and sent. */
  readonly downBytes: number;
  readonly upBytes: number;
  /** Payment and protocol, both directions. */
  readonly overheadBytes: number;
}

export interface PeerTraffic {
  readonly account: string;
  readonly downBytes: number;
  readonly upBytes: number;
}

export interface ContentTraffic {
  readonly contentId: string;
  /** `null` when the content is gone from the library. */
  readonly name: string | null;
  readonly downBytes: number;
  readonly upBytes: number;
}

export interface TrafficReport {
  readonly period: TrafficPeriod;
  /** Oldest first; those without traffic are left out. */
  readonly bars: readonly TrafficBar[];
  /** Of the hours of today that are behind `bars`; in the other periods overhead is not split. */
  readonly paymentBytes: number | null;
  readonly protocolBytes: number | null;
  /** Those with most traffic first, 200 at most. */
  readonly peers: readonly PeerTraffic[];
  readonly contents: readonly ContentTraffic[];
}

/** Speeds of the last three seconds. */
export interface TrafficNow {
  readonly atMs: number;
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
  readonly overheadBytesPerSecond: number;
  /** Content of today, by the clock of the node's machine. */
  readonly today: { readonly downBytes: number; readonly upBytes: number };
  /** Peers with which anything was exchanged, the fastest first, 20 at most. */
  readonly peers: readonly {
    readonly account: string;
    readonly downBytesPerSecond: number;
    readonly upBytesPerSecond: number;
  }[];
  /** Titles of which anything moved, the fastest first, 100 at most. */
  readonly contents: readonly {
    readonly contentId: string;
    readonly name: string | null;
    /** Of it, since it is here: what the library shows, as it grows. */
    readonly sentBytes: number;
    /** Accounts that it goes to. */
    readonly viewers: number;
    readonly downBytesPerSecond: number;
    readonly upBytesPerSecond: number;
  }[];
}

export interface PeerView {
  readonly peerId: string;
  /** The account behind it, where it is known. */
  readonly account: string | null;
  readonly multiaddr: string;
  /** Who called whom. */
  readonly direction: 'inbound' | 'outbound';
  /** It is a validator of this network, with its number. */
  readonly shard: number | null;
  readonly connectedAtMs: number;
}

export interface ShardView {
  readonly shard: number;
  readonly connected: boolean;
  /** The account's own. */
  readonly home: boolean;
  /** It contradicted itself, and nothing of it is believed. */
  readonly distrusted: boolean;
}

/** Prices at one moment, as decimals. */
export interface MarketPoint {
  readonly atMs: number;
  readonly xacPerGb: string;
  readonly xatPerGb: string;
  readonly xacPerXat: string;
  readonly trafficRateGbPerHour: string;
}

export interface NetworkView {
  readonly shards: readonly ShardView[];
  readonly peers: readonly PeerView[];
  /** Oldest first: a point where something had changed, and as it is now. */
  readonly history: readonly MarketPoint[];
}

export interface PoolsView {
  readonly pools: Readonly<Record<Pool, Readonly<Record<Token, string>>>>;
  readonly supply: Readonly<
    Record<Token, { readonly genesis: string; readonly emitted: string; readonly burned: string }>
  >;
  readonly asOfMs: number;
}

export const trafficInputs = {
  trafficReport: z.object({ period: z.enum(TRAFFIC_PERIODS) }).strict(),
  network: z.object({}).strict(),
  pools: z.object({}).strict(),
} as const;

export interface TrafficOutputs {
  trafficReport: TrafficReport;
  network: NetworkView;
  /** As the main chain has them now. @throws AceError `ShardUnavailable` */
  pools: PoolsView;
}
