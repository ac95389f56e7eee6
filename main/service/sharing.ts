/** What sharing has brought, as `shared/rpc/sharing.ts` shows it: the figures of `journal/sharing.ts`, in words of the contract. */
import { formatAmount } from '../../shared/economy/money.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import type { Ratio } from '../../shared/economy/ratio.ts';
import type {
  EarnedTitleView,
  SharingFiguresView,
  SharingOpenView,
  SharingPeriod,
  SharingReport,
  SharingSummary,
} from '../../shared/rpc/sharing.ts';
import type { NodeStore } from '../db/node/store.ts';
import {
  ALL_DAYS,
  debtors,
  earnedByTitle,
  type OpenFigures,
  openSums,
  type SharingBooks,
  type SharingDays,
  type SharingFigures,
  sharingBy,
  sharingByDay,
  sharingSums,
  titleName,
} from '../journal/sharing.ts';
import { dayOf, daysBefore, monthDays } from '../util/local-day.ts';

const MOST_DAYS = 400;
const MOST_ROWS = 200;
const MOST_DEBTORS = 20;

export class SharingService {
  readonly #store: SharingBooks & Pick<NodeStore, 'settlementHistory'>;
  readonly #nowMs: () => number;
  /** Who owes what, and what came, changes with settlements only. */
  #debtors: { readonly lastSeq: number; readonly list: ReturnType<typeof debtors> } | null = null;

  #earned: { readonly lastSeq: number; readonly list: readonly EarnedTitleView[] } | null = null;

  constructor(store: SharingBooks & Pick<NodeStore, 'settlementHistory'>, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** For each snapshot. `price`: XAC base units per unit; `null` while it is not known. */
  summary(price: Ratio | null): SharingSummary {
    const today = dayOf(this.#nowMs());
    const list = this.#listed();
    const units = list.reduce((sum, debtor) => sum + debtor.units, 0);
    return {
      today: figuresView(sharingSums(this.#store, { fromDay: today, toDay: today })),
      owed: {
        units,
        xac: priced(units, price),
        sinceMs: list[0]?.sinceMs ?? null,
        debtors: list.slice(0, MOST_DEBTORS).map(({ counterparty, ...debt }) => ({
          account: counterparty,
          ...debt,
          xac: priced(debt.units, price),
        })),
        debtorCount: list.length,
      },
    };
  }

  report(period: SharingPeriod, price: Ratio | null): SharingReport {
    const store = this.#store;
    const asOfMs = this.#nowMs();
    const days = daysOf(period, asOfMs);
    return {
      period,
      asOfMs,
      ...figuresView(sharingSums(store, days)),
      ...openView(openSums(store), price),
      days: sharingByDay(store, days, MOST_DAYS).map(({ day, ...figures }) => ({
        day,
        ...figuresView(figures),
      })),
      peers: sharingBy('peer', store, days, MOST_ROWS).map((group) => ({
        account: group.key,
        ...figuresView(group),
        ...openView(group, price),
      })),
      titles: sharingBy('title', store, days, MOST_ROWS).map((group) => ({
        contentId: group.key,
        name: titleName(store, group.key),
        ...figuresView(group),
        ...openView(group, price),
      })),
    };
  }

  earnedByTitle(): readonly EarnedTitleView[] {
    const lastSeq = this.#store.settlementHistory.lastSeq();
    if (this.#earned?.lastSeq !== lastSeq) {
      const list = earnedByTitle(this.#store).map(({ contentId, earnedXac, repaidXac, earnedXas }) => ({
        contentId,
        earnedXac: formatAmount(earnedXac),
        repaidXac: formatAmount(repaidXac),
        earnedXas: formatAmount(earnedXas),
      }));
      this.#earned = { lastSeq, list };
    }
    return this.#earned.list;
  }

  #listed(): ReturnType<typeof debtors> {
    const lastSeq = this.#store.settlementHistory.lastSeq();
    if (this.#debtors?.lastSeq !== lastSeq) this.#debtors = { lastSeq, list: debtors(this.#store) };
    return this.#debtors.list;
  }
}

/** Of today, this day and the six before it, this month, or all. */
function daysOf(period: SharingPeriod, nowMs: number): SharingDays {
  const today = dayOf(nowMs);
  const fromDay = {
    today,
    week: daysBefore(today, 6),
    month: monthDays(nowMs).first,
    all: ALL_DAYS.fromDay,
  }[period];
  return { ...ALL_DAYS, fromDay };
}

function figuresView(figures: SharingFigures): SharingFiguresView {
  return {
    sentBytes: figures.sentBytes,
    paidUnits: figures.paidUnits,
    creditUnits: figures.creditUnits,
    refusedUnits: figures.refusedUnits,
    repaidUnits: figures.repaidUnits,
    earnedXac: formatAmount(figures.earnedXac),
    repaidXac: formatAmount(figures.repaidXac),
    earnedXas: formatAmount(figures.earnedXas),
    feeXac: formatAmount(figures.feeXac),
  };
}

function openView(
  { pendingUnits, owedUnits, owedSinceMs }: OpenFigures,
  price: Ratio | null,
): SharingOpenView {
  return {
    pendingUnits,
    pendingXac: priced(pendingUnits, price),
    owedUnits,
    owedXac: priced(owedUnits, price),
    owedSinceMs,
  };
}

function priced(units: number, price: Ratio | null): string | null {
  return price && formatAmount(priceOfUnits(units, price));
}
