/**
 * Hands proofs of cheating to the shard: each is checked, stored, and told until the shard has answered, over restarts.
 */

import { checkProof, type EquivocationProof, encodeProof } from '../../shared/channel/equivocation.ts';
import { type ErrorCode, isAceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../process/log.ts';
import { sha256 } from '../util/sha256.ts';
import { verifyDevice } from '../wallet/device.ts';

export interface ReportTaker {
  /** `shard` is the home of the account. @throws AceError `ShardUnavailable`, or why the proof is refused */
  report(proof: Uint8Array, shard: number): Promise<unknown>;
}

const RETRY_MS = 10_000;
/** Answers that will not change by asking again. */
const REFUSALS: readonly ErrorCode[] = [
  'ChannelUnleased',
  'InvalidSignature',
  'MessageMalformed',
  'MessageTooLarge',
  'ProofInvalid',
  'WrongNetwork',
];

export class Reports {
  readonly #store: NodeStore;
  readonly #networkId: string;
  readonly #taker: ReportTaker;
  readonly #log: Log;
  readonly #retryMs: number;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(store: NodeStore, networkId: string, taker: ReportTaker, log: Log, retryMs = RETRY_MS) {
    this.#store = store;
    this.#networkId = networkId;
    this.#taker = taker;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  /**
   * Takes up a proof, once for each device.
   * @throws AceError `ProofInvalid`, `InvalidSignature`, … when it is none; `StoreFailed`
   */
  add(proof: EquivocationProof): void {
    const bytes = encodeProof(proof);
    const { device, account, shard, kind } = checkProof(bytes, this.#networkId, sha256, verifyDevice);
    const isNew = this.#store.commit(() =>
      this.#store.equivocations.insert({ device, account, shard, proof: bytes }),
    );
    if (!isNew) return;
    this.#log.warn(
      { account, device: toHex(device), kind },
      'a device contradicted itself under its signature; the shard is told',
    );
    this.soon();
  }

  /** The shard may answer now. */
  soon(): void {
    if (this.#stopped || this.#running) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      if (this.#stopped || this.#store.equivocations.waiting().length === 0) return;
      this.#timer ??= setTimeout(() => this.soon(), this.#retryMs);
    });
    // What fails is in the log, and tried again.
    this.#running.catch((error: unknown) => this.#log.error({ err: error }, 'reports could not be read'));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const away = new Set<number>();
    for (const { device, account, shard, proof } of this.#store.equivocations.waiting()) {
      if (this.#stopped) return;
      if (away.has(shard)) continue;
      try {
        await this.#taker.report(proof, shard);
        this.#store.commit(() => this.#store.equivocations.setState(device, 'taken'));
      } catch (error) {
        if (!isAceError(error) || !REFUSALS.includes(error.code)) {
          if (!isAceError(error, 'ShardUnavailable'))
            this.#log.warn({ err: error, account }, 'a proof of cheating could not be handed in; it will be');
          away.add(shard);
          continue;
        }
        this.#store.commit(() => this.#store.equivocations.setState(device, 'refused'));
        this.#log.warn({ err: error, account }, 'the shard refused a proof of cheating');
      }
    }
  }
}
