/** Sums of assets and liabilities, as far as an export has come: small, for what is 0 is not kept. */
import {
  CHART_ACCOUNTS,
  type ChartAccount,
  COMMODITIES,
  type Commodity,
} from '../../../shared/journal/chart.ts';
import { type JournalEntry, ledgerAccount } from '../../../shared/journal/entry.ts';

export interface LedgerBalance {
  readonly account: string;
  readonly commodity: Commodity;
  /** Base units, or MiB. */
  readonly amount: bigint;
}

const STOCKS: ReadonlySet<ChartAccount> = new Set(
  CHART_ACCOUNTS.filter((account) => /^(assets|liabilities):/.test(account)),
);

export class StockBalances {
  /** By ledger account and place of the commodity. */
  readonly #sums = new Map<string, bigint>();

  add(entry: JournalEntry): void {
    for (const { account, commodity, amount } of entry.postings) {
      if (!STOCKS.has(account)) continue;
      const key = `${ledgerAccount(entry, account)} ${COMMODITIES.indexOf(commodity)}`;
      const sum = (this.#sums.get(key) ?? 0n) + amount;
      if (sum === 0n) this.#sums.delete(key);
      else this.#sums.set(key, sum);
    }
  }

  /** What is not 0, in order of account and commodity. */
  *all(): Generator<LedgerBalance> {
    for (const [key, amount] of [...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [account = '', place] = key.split(' ');
      const commodity = COMMODITIES[Number(place)];
      if (commodity) yield { account, commodity, amount };
    }
  }

  /** Of the wallet, 0 included: to compare with a chain's figures. */
  amount(account: string, commodity: Commodity): bigint {
    return this.#sums.get(`${account} ${COMMODITIES.indexOf(commodity)}`) ?? 0n;
  }
}
