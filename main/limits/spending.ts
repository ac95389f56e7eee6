/**
 * What services has paid this day and month: settled traffic and repaid loans, bought access, and what is on its way. Days are
 * of the computer's clock. Other devices of the account count with what the shard has settled. What is owed is on its way,
 * too: the next funds pay it, whatever the day. Otherwise a limit would hold back nothing of what is taken on credit.
 */
import { decodeSignedOperation } from '../../shared/economy/operation.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { type Ratio, timesUp } from '../../shared/economy/ratio.ts';
import type { Spent } from '../../shared/economy/spending-limit.ts';
import type { NodeStore } from '../db/node/store.ts';
import { dayOf, monthDays, startOfDay } from '../util/local-day.ts';

export interface SpendingContext {
  readonly store: NodeStore;
  readonly account: string;
  readonly nowMs: () => number;
  /** As the home shard last told it; `null` before it did. */
  readonly price: () => { readonly unitPriceXac: Ratio; readonly xacPerXas: Ratio } | null;
  /** Loans of the account, over all its devices. */
  readonly owedUnits: () => number;
}

export class Spending {
  readonly #context: SpendingContext;

  constructor(context: SpendingContext) {
    this.#context = context;
  }

  /** Up to this moment. No day has an end: what was settled after it, by a clock that was set back, counts, too. */
  spent(): Spent {
    const { store, nowMs, owedUnits } = this.#context;
    const now = nowMs();
    return {
      dayXac: this.#settledSince(dayOf(now)),
      monthXac: this.#settledSince(monthDays(now).first),
      onItsWayXac: this.priceOf(store.settledChannels.pendingUnits('paid') + owedUnits()),
    };
  }

  /** At the current price; nothing while that is not known: then nothing is leased either. */
  priceOf(units: number): bigint {
    const price = this.#context.price();
    return price === null ? 0n : priceOfUnits(units, price.unitPriceXac);
  }

  #settledSince(day: string): bigint {
    const { store, price } = this.#context;
    const { grossXac, xasPaid } = store.settlementDays.paidSince(day);
    const xacPerXas = price()?.xacPerXas;
    return grossXac + (xacPerXas ? timesUp(xasPaid, xacPerXas) : 0n) + this.#accessSince(startOfDay(day));
  }

  #accessSince(fromMs: number): bigint {
    const { store, account } = this.#context;
    let sum = 0n;
    for (const { operation: bytes } of store.operations.payingSince(fromMs)) {
      if (bytes === null) continue;
      const { operation } = decodeSignedOperation(bytes);
      if (operation.kind === 'access' && operation.from === account) sum += operation.priceXac;
    }
    return sum;
  }
}
