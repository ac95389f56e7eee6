/**
 * Which devices the account has unlinked, as its shard answers. Devices of one account serve each other for nothing: one that
 * was taken away must not go on having that.
 */
import { toHex } from '../../shared/hex.ts';
import type { Log } from '../process/log.ts';

interface NamedDevice {
  /** Hex. */
  readonly device: string;
  readonly linked: boolean;
}

/** An answer is good for so long: an unlink holds for the account's own devices after that at the latest. */
const ASK_EVERY_MS = 10_000;

export class OwnDevices {
  readonly #ask: () => Promise<readonly NamedDevice[]>;
  readonly #log: Log;
  #unlinked: ReadonlySet<string> = new Set();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;

  constructor(ask: () => Promise<readonly NamedDevice[]>, log: Log) {
    this.#ask = ask;
    this.#log = log;
  }

  /** While the shard is away, its last answer holds: the user's devices go on together. */
  async isUnlinked(device: Uint8Array): Promise<boolean> {
    if (performance.now() - this.#askedAtMs > ASK_EVERY_MS) {
      this.#asking ??= this.#refresh();
      await this.#asking;
    }
    return this.#unlinked.has(toHex(device));
  }

  async #refresh(): Promise<void> {
    try {
      const named = await this.#ask();
      this.#unlinked = new Set(named.filter(({ linked }) => !linked).map(({ device }) => device));
      this.#askedAtMs = performance.now();
    } catch (error) {
      this.#log.debug({ err: error }, 'the shard does not answer now which devices are unlinked');
    } finally {
      this.#asking = null;
    }
  }
}
