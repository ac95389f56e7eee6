/**
 * Which debtors may be able to repay now: those whose accounts have changed, and those with a rest of funds that a new
 * price may make enough. All others owe as before, so a settlement does not ask for them.
 */

import type { ChainAccount } from '../../shared/chain.ts';
import { affordableUnits, type PriceSnapshot } from '../../shared/economy/credit.ts';
import { formatRatio } from '../../shared/economy/ratio.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';

export class DebtorWatch {
  readonly #store: ValidatorStore;
  #cursor: string | null = null;
  /** To be looked at, again and again until they are found to have nothing to repay with. */
  readonly #waiting = new Set<string>();
  /** Funds that are too little for a unit, by debtor, as of the last look. */
  readonly #rests = new Map<string, ChainAccount['services']>();
  #priceKey = '';

  constructor(store: ValidatorStore) {
    this.#store = store;
  }

  /** In the order of addresses. @throws AceError as every call of the chain */
  async toAsk(chain: MainChain, price: PriceSnapshot): Promise<string[]> {
    const { loans } = this.#store;
    const { cursor, addresses } = await chain.changes(this.#cursor);
    for (const debtor of addresses ?? loans.debtors()) {
      if (addresses === null || loans.owedUnits(debtor) > 0) this.#waiting.add(debtor);
    }
    this.#cursor = cursor;
    const { rates, unitPriceXac } = price;
    const priceKey = [unitPriceXac, rates.xacPerXat, rates.xacPerXas].map(formatRatio).join();
    if (priceKey !== this.#priceKey) {
      this.#priceKey = priceKey;
      for (const [debtor, services] of this.#rests) {
        if (affordableUnits(services, price, 1) > 0) this.#waiting.add(debtor);
      }
    }
    return [...this.#waiting].sort();
  }

  /** It was asked for, and its funds repay nothing now. */
  cannotRepay({ address, services }: ChainAccount): void {
    this.#waiting.delete(address);
    const hasRest = services.XAC > 0n || services.XAT > 0n || services.XAS > 0n;
    if (hasRest && this.#store.loans.owedUnits(address) > 0) this.#rests.set(address, services);
    else this.#rests.delete(address);
  }
}
