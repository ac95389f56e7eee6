/**
 * Counts every byte of the piece exchange in one place: content, payment, and the rest of the protocol, apart. Content
 * is counted by what it is and with whom it is exchanged as well, until somebody takes these figures.
 */
export interface MeterTotals {
  /** Verified content bytes received. */
  readonly downBytes: number;
  /** Content bytes sent. */
  readonly upBytes: number;
  /** Bytes on the wire that exist because of payment, both directions. */
  readonly paymentBytes: number;
  /** All other bytes of the protocol beside the content, both directions. */
  readonly protocolBytes: number;
}

export interface Rates {
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
}

/** Content that was moved with one peer. */
export interface Flow {
  readonly contentId: string;
  readonly account: string;
  downBytes: number;
  upBytes: number;
}

const WINDOW_MS = 3_000;
const SLOT_MS = 250;

interface Slot {
  readonly startMs: number;
  downBytes: number;
  upBytes: number;
}

export class Meter {
  #totals = { downBytes: 0, upBytes: 0, paymentBytes: 0, protocolBytes: 0 };
  #slots: Slot[] = [];
  #flows = new Map<string, Flow>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @param of what and whose content it is; of overhead it is nobody's */
  add(bytes: Partial<MeterTotals>, of?: Pick<Flow, 'contentId' | 'account'>): void {
    this.#totals.downBytes += bytes.downBytes ?? 0;
    this.#totals.upBytes += bytes.upBytes ?? 0;
    this.#totals.paymentBytes += bytes.paymentBytes ?? 0;
    this.#totals.protocolBytes += bytes.protocolBytes ?? 0;
    if (!bytes.downBytes && !bytes.upBytes) return;
    const slot = this.#slot();
    slot.downBytes += bytes.downBytes ?? 0;
    slot.upBytes += bytes.upBytes ?? 0;
    if (of) this.#addFlow(bytes, of);
  }

  /** Content by peer since the last time, and since the beginning the first time. */
  takeFlows(): Flow[] {
    const flows = [...this.#flows.values()];
    this.#flows = new Map();
    return flows;
  }

  totals(): MeterTotals {
    return { ...this.#totals };
  }

  /** Content bytes per second over the last three seconds. */
  rates(): Rates {
    const sinceMs = this.#nowMs() - WINDOW_MS;
    this.#slots = this.#slots.filter((slot) => slot.startMs >= sinceMs);
    const sum = (pick: (slot: Slot) => number) => this.#slots.reduce((total, slot) => total + pick(slot), 0);
    return {
      downBytesPerSecond: Math.round((sum((slot) => slot.downBytes) * 1_000) / WINDOW_MS),
      upBytesPerSecond: Math.round((sum((slot) => slot.upBytes) * 1_000) / WINDOW_MS),
    };
  }

  #addFlow(
    { downBytes = 0, upBytes = 0 }: Partial<MeterTotals>,
    { contentId, account }: Pick<Flow, 'contentId' | 'account'>,
  ): void {
    const key = `${account} ${contentId}`;
    const flow = this.#flows.get(key);
    if (flow) {
      flow.downBytes += downBytes;
      flow.upBytes += upBytes;
    } else this.#flows.set(key, { contentId, account, downBytes, upBytes });
  }

  #slot(): Slot {
    const startMs = Math.floor(this.#nowMs() / SLOT_MS) * SLOT_MS;
    const last = this.#slots.at(-1);
    if (last?.startMs === startMs) return last;
    const slot = { startMs, downBytes: 0, upBytes: 0 };
    this.#slots.push(slot);
    return slot;
  }
}
