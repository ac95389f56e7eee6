/**
 * Which accounts changed, in order, since the process started: so that a shard with ten thousand debtors asks only for
 * those that may have funds now. In memory; a shard that asks with a place that is not known any more has to look at all.
 */
import { randomUUID } from 'node:crypto';
import type { AccountChanges } from '../port.ts';

/** The older half is forgotten when there are so many. */
const MAX_CHANGES = 400_000;

export class ChangeLog {
  readonly #epoch = randomUUID();
  readonly #addresses: string[] = [];
  /** Number of changes that were forgotten. */
  #forgotten = 0;

  note(addresses: Iterable<string>): void {
    for (const address of addresses) this.#addresses.push(address);
    const excess = this.#addresses.length - MAX_CHANGES;
    if (excess <= 0) return;
    const forget = excess + MAX_CHANGES / 2;
    this.#addresses.splice(0, forget);
    this.#forgotten += forget;
  }

  since(cursor: string | null): AccountChanges {
    const next = `${this.#epoch}:${this.#forgotten + this.#addresses.length}`;
    const [epoch, count] = cursor?.split(':') ?? [];
    const from = Number(count) - this.#forgotten;
    const isKnown = epoch === this.#epoch && from >= 0;
    return { cursor: next, addresses: isKnown ? [...new Set(this.#addresses.slice(from))] : null };
  }
}
