/**
 * Units that accounts have had and not paid, as far as they count against a bound: those of one group of addresses, and
 * all of them. What an account pays gives its room back at once; what it never pays gives it back when the window has
 * passed since it grew last. So no more than the bound is lost in any window, however many accounts there are.
 */

export interface OutstandingLimits {
  /** Of accounts whose addresses are close to each other. */
  readonly perGroupUnits: number;
  readonly inAllUnits: number;
  readonly windowMs: number;
}

interface Entry {
  readonly group: string;
  readonly units: number;
  readonly grewAtMs: number;
}

export class OutstandingUnits {
  #limits: OutstandingLimits;
  /** A clock that nobody sets. */
  readonly #clockMs: () => number;
  /** By account, the one that grew longest ago first. */
  readonly #entries = new Map<string, Entry>();
  readonly #ofGroup = new Map<string, number>();
  #inAllUnits = 0;

  constructor(limits: OutstandingLimits, clockMs: () => number) {
    this.#limits = limits;
    this.#clockMs = clockMs;
  }

  /** From now on; what is outstanding stays so. */
  setLimits(limits: OutstandingLimits): void {
    this.#limits = limits;
  }

  /** Whether the account may have so many outstanding. Fewer than it has are no question. */
  allows(account: string, group: string, units: number): boolean {
    this.#forget();
    const known = this.#entries.get(account);
    const more = units - (known?.units ?? 0);
    if (more <= 0) return true;
    const { perGroupUnits, inAllUnits } = this.#limits;
    const ofGroupUnits = this.#ofGroup.get(known?.group ?? group) ?? 0;
    return ofGroupUnits + more <= perGroupUnits && this.#inAllUnits + more <= inAllUnits;
  }

  /** The account has so many outstanding now. They count for the group where it had the first of them. */
  set(account: string, group: string, units: number): void {
    const known = this.#entries.get(account);
    if (units === (known?.units ?? 0)) return;
    if (known) this.#remove(account, known);
    if (units <= 0) return;
    const grewAtMs = known && units < known.units ? known.grewAtMs : this.#clockMs();
    this.#add(account, { group: known?.group ?? group, units, grewAtMs });
  }

  #add(account: string, entry: Entry): void {
    this.#entries.set(account, entry);
    this.#ofGroup.set(entry.group, (this.#ofGroup.get(entry.group) ?? 0) + entry.units);
    this.#inAllUnits += entry.units;
  }

  #remove(account: string, { group, units }: Entry): void {
    this.#entries.delete(account);
    const left = (this.#ofGroup.get(group) ?? 0) - units;
    if (left > 0) this.#ofGroup.set(group, left);
    else this.#ofGroup.delete(group);
    this.#inAllUnits -= units;
  }

  #forget(): void {
    const sinceMs = this.#clockMs() - this.#limits.windowMs;
    // There are no more of them than units in all.
    for (const [account, entry] of this.#entries) {
      if (entry.grewAtMs <= sinceMs) this.#remove(account, entry);
    }
  }
}
