/** What a batch in the making says of each payer and payee, with room for so many pairs and no more. */
import type { BatchEntry } from '../../shared/settlement/batch.ts';

type Units = Pick<BatchEntry, 'repayUnits' | 'consumeUnits'>;

export class PairBook {
  readonly #pairs = new Map<string, BatchEntry>();
  readonly #maxPairs: number;

  constructor(maxPairs: number) {
    this.#maxPairs = maxPairs;
  }

  get size(): number {
    return this.#pairs.size;
  }

  /** `false`, and nothing is added, when the pair is new and there is no room for it. */
  add(payer: string, payee: string, units: Units): boolean {
    const id = payer + payee;
    const found = this.#pairs.get(id);
    if (!found && this.#pairs.size >= this.#maxPairs) return false;
    this.#pairs.set(id, {
      payer,
      payee,
      repayUnits: (found?.repayUnits ?? 0) + units.repayUnits,
      consumeUnits: (found?.consumeUnits ?? 0) + units.consumeUnits,
    });
    return true;
  }

  /** In the order of a batch. */
  entries(): BatchEntry[] {
    return [...this.#pairs.values()].sort((a, b) => (a.payer + a.payee < b.payer + b.payee ? -1 : 1));
  }
}
