/**
 * What accounts that have never paid get of settlements: each pair of payer and payee in a batch is a row of 1 kB for ever, in
 * three databases, and units on credit cost them nothing. So they share a number of rows, those with most units first; what
 * finds no room stays reserved, and waits.
 */
import { affordableUnits, type PriceSnapshot } from '../../shared/economy/credit.ts';
import type { MainChain } from '../chain/port.ts';
import type { LeaseRow } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { accountsOf } from './accounts-of.ts';
import { isKnownPayer } from './known-accounts.ts';
import { MAX_FUNDS_LOOKS, STRANGERS_ROW_RATE } from './limits.ts';

const ALL = 'all';

/** Leases of one payer and one payee with units to settle. */
interface Pair {
  readonly payer: string;
  readonly leases: LeaseRow[];
  units: number;
}

export class StrangersShare {
  readonly #rows: KeyedRateLimiter;
  readonly #maxLooks: number;
  #looks = 0;

  /** `nowMs` is a clock that nobody sets. */
  constructor(nowMs: () => number = () => performance.now(), maxLooks = MAX_FUNDS_LOOKS) {
    this.#maxLooks = maxLooks;
    this.#rows = new KeyedRateLimiter(STRANGERS_ROW_RATE, nowMs);
  }

  /** Those of the leases that this batch may take up. @throws AceError as every call of the chain */
  async admit(
    { chain, store }: { readonly chain: MainChain; readonly store: ValidatorStore },
    price: PriceSnapshot,
    leases: readonly LeaseRow[],
  ): Promise<readonly LeaseRow[]> {
    const pairs = strangersPairs(store, leases);
    if (pairs.length === 0) return leases;
    const waiting = pairs.filter(() => this.#rows.take(ALL).retryAfterMs > 0);
    if (waiting.length === 0) return leases;
    // Who has funds for a unit pays it with this batch, and has shown that it pays.
    const funded = new Set<string>();
    for await (const { address, balances } of accountsOf(chain, this.#nextLooks(waiting))) {
      if (affordableUnits(balances, price, 1) > 0) funded.add(address);
    }
    const left = new Set(waiting.filter(({ payer }) => !funded.has(payer)).flatMap((pair) => pair.leases));
    return leases.filter((lease) => !left.has(lease));
  }

  /** In turns: however many wait, each is looked at. */
  #nextLooks(waiting: readonly Pair[]): string[] {
    const payers = [...new Set(waiting.map(({ payer }) => payer))];
    const from = this.#looks % payers.length;
    this.#looks = from + this.#maxLooks;
    return [...payers.slice(from), ...payers.slice(0, from)].slice(0, this.#maxLooks);
  }
}

/** Most units first: a unit here and there waits longest. */
function strangersPairs(store: ValidatorStore, leases: readonly LeaseRow[]): Pair[] {
  const known = new Map<string, boolean>();
  const pairs = new Map<string, Pair>();
  for (const lease of leases) {
    const { payer, payee, claimedUnits, sealedUnits } = lease;
    const units = claimedUnits - sealedUnits;
    // Viewing alone is no row.
    if (units === 0) continue;
    const isKnown = known.get(payer) ?? isKnownPayer(store, payer);
    known.set(payer, isKnown);
    if (isKnown) continue;
    const pair = pairs.get(payer + payee) ?? { payer, leases: [], units: 0 };
    pair.leases.push(lease);
    pair.units += units;
    pairs.set(payer + payee, pair);
  }
  return [...pairs.values()].sort((a, b) => b.units - a.units);
}
