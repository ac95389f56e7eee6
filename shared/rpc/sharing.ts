/** What sharing has brought, for one page, `ace-node status` and exports: made in one place (`main/journal/sharing.ts`). */
import { z } from 'zod';
import type { DecimalAmount } from '../economy/money.ts';
import { contentId } from './live.ts';

export const SHARING_PERIODS = ['today', 'week', 'month', 'all'] as const;
export type SharingPeriod = (typeof SHARING_PERIODS)[number];

/** Of some days; amounts after the fee. */
export interface SharingFiguresView {
  /** Content sent to others, paid for or not yet. */
  readonly sentBytes: number;
  /** Settled: paid at once, taken on credit, refused by the network; and of loans of before, repaid. */
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
  readonly repaidUnits: number;
  readonly earnedXac: DecimalAmount;
  readonly repaidXac: DecimalAmount;
  /** Where viewers paid with XAS. */
  readonly earnedXas: DecimalAmount;
  readonly feeXac: DecimalAmount;
}

/** What is not paid at this moment, whenever it was sent: at the current price, before the fee. */
export interface SharingOpenView {
  /** Promised by ticks, in no settlement yet. */
  readonly pendingUnits: number;
  readonly pendingXac: DecimalAmount | null;
  /** Settled on credit, and not repaid. */
  readonly owedUnits: number;
  readonly owedXac: DecimalAmount | null;
  /** Of the oldest loan. */
  readonly owedSinceMs: number | null;
}

export interface SharingDayView extends SharingFiguresView {
  /** `2026-11-20`, of the clock of the node's machine. */
  readonly day: string;
}

export interface SharingPeerView extends SharingFiguresView, SharingOpenView {
  readonly account: string;
}

export interface SharingTitleView extends SharingFiguresView, SharingOpenView {
  /** Empty: what the node does not know, such as another device's. */
  readonly contentId: string;
  /** `null` when the title is gone from the library. */
  readonly name: string | null;
}

export interface SharingReport extends SharingFiguresView, SharingOpenView {
  readonly period: SharingPeriod;
  readonly asOfMs: number;
  /** Newest first, those without anything left out; 400 at most. */
  readonly days: readonly SharingDayView[];
  /** Those with most sent first, 200 at most; who owes something is among them. */
  readonly peers: readonly SharingPeerView[];
  readonly titles: readonly SharingTitleView[];
}

export interface DebtorView {
  readonly account: string;
  readonly units: number;
  readonly sinceMs: number;
  /** At the current price, before the fee; `null` while no price is known. */
  readonly xac: DecimalAmount | null;
}

/** In each snapshot. */
export interface SharingSummary {
  readonly today: SharingFiguresView;
  readonly owed: {
    readonly units: number;
    readonly xac: DecimalAmount | null;
    /** Of the oldest loan; `null` when nobody owes anything. */
    readonly sinceMs: number | null;
    /** The oldest debts first, 20 at most. */
    readonly debtors: readonly DebtorView[];
    readonly debtorCount: number;
  };
}

/** What a title brought in all: as the report of all days has it. */
export type EarnedTitleView = Pick<SharingTitleView, 'contentId' | 'earnedXac' | 'repaidXac' | 'earnedXas'>;

/** Access to one title that was sold on one day. */
export interface SalesDayView {
  readonly contentId: string;
  /** `null` when the title is gone from the library. */
  readonly name: string | null;
  readonly day: string;
  readonly count: number;
  /** What buyers paid, the network's fee out of it, and what arrived. */
  readonly grossXac: DecimalAmount;
  readonly feeXac: DecimalAmount;
  readonly netXac: DecimalAmount;
  readonly netXas: DecimalAmount;
}

export const sharingInputs = {
  /** Of one title, or of all. */
  sales: z.object({ contentId: contentId.optional() }).strict(),
  earnedByTitle: z.object({}).strict(),
  sharing: z.object({ period: z.enum(SHARING_PERIODS).default('week') }).strict(),
} as const;

export interface SharingOutputs {
  /** Titles that brought nothing are left out. */
  earnedByTitle: readonly EarnedTitleView[];
  sharing: SharingReport;
  /** Newest first, of the last 10,000 sales. */
  sales: readonly SalesDayView[];
}
