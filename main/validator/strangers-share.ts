/**
 * What accounts get of settlements that have not paid for them: each pair of payer and payee in a batch is a row of 1 kB for ever,
 * in three databases, and units on credit cost nothing. For each unit that its funds pay an account has a row, and one for each that it
 * has paid beyond what it owes; for what is beyond, all share a number of rows, those with most units first. What finds no room
 * stays reserved, and waits.
 */
import { affordableUnits, type PriceSnapshot } from '../../shared/economy/credit.ts';
import type { MainChain } from '../chain/port.ts';
import type { LeaseRow } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { accountsOf } from './accounts-of.ts';
import { unitsOfTrust } from './known-accounts.ts';
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
  /** The payer whose funds were looked at last. */
  #lastLook = '';

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
    const ofPayer = Map.groupBy(waiting, ({ payer }) => payer);
    const left = new Set(waiting);
    // Who has funds for so many units pays them with this batch, one for each row.
    for await (const { address, services } of accountsOf(chain, this.#nextLooks([...ofPayer.keys()]))) {
      const own = ofPayer.get(address) ?? [];
      for (const pair of own.slice(0, affordableUnits(services, price, own.length))) left.delete(pair);
    }
    const leftLeases = new Set([...left].flatMap((pair) => pair.leases));
    return leases.filter((lease) => !leftLeases.has(lease));
  }

  /** In turns, by address: however many wait, and however their number changes, each is looked at. */
  #nextLooks(payers: readonly string[]): string[] {
    const sorted = payers.toSorted();
    const from = sorted.findIndex((payer) => payer > this.#lastLook);
    const next = from < 0 ? sorted : [...sorted.slice(from), ...sorted.slice(0, from)];
    const looks = next.slice(0, this.#maxLooks);
    this.#lastLook = looks.at(-1) ?? '';
    return looks;
  }
}

/** Those beyond what their payers have paid for. Most units first: a unit here and there waits longest. */
function strangersPairs(store: ValidatorStore, leases: readonly LeaseRow[]): Pair[] {
  const ofPayer = Map.groupBy(pairsOf(leases), ({ payer }) => payer);
  const beyond = [...ofPayer].flatMap(([payer, pairs]) => pairs.slice(unitsOfTrust(store, payer)));
  return beyond.sort(byUnits);
}

/** Most units first. */
function pairsOf(leases: readonly LeaseRow[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const lease of leases) {
    const { payer, payee, claimedUnits, sealedUnits } = lease;
    const units = claimedUnits - sealedUnits;
    // Viewing alone is no row.
    if (units === 0) continue;
    const pair = pairs.get(payer + payee) ?? { payer, leases: [], units: 0 };
    pair.leases.push(lease);
    pair.units += units;
    pairs.set(payer + payee, pair);
  }
  return [...pairs.values()].sort(byUnits);
}

function byUnits(a: Pair, b: Pair): number {
  return b.units - a.units;
}
