/** The pages' real calling side with the test in the place of the node: it sees every call, answers, and feeds. */
import { onTestFinished } from 'vitest';
import type { ErrorCode } from '../../../../shared/errors.ts';
import { RpcLink } from '../../../../shared/rpc/link.ts';
import type {
  ClientFrame,
  Feed,
  FeedTopic,
  NodeSnapshot,
  Output,
  Procedure,
} from '../../../../shared/rpc/rpc.ts';
import type { WalletStateView } from '../../../../shared/rpc/wallet.ts';

/** Only what a test is about: the rest of a view is of no interest to the class. */
type Part<T> = T extends readonly (infer Item)[] ? readonly Part<Item>[] : T extends object ? Partial<T> : T;

export class TestNode {
  readonly calls: ClientFrame[] = [];
  readonly client = new RpcLink((frame) => this.calls.push(JSON.parse(frame)));

  constructor({ connected = true } = {}) {
    this.connect(connected);
  }

  connect(connected = true): void {
    this.client.setConnected(connected);
  }

  of(procedure: Procedure): ClientFrame[] {
    return this.calls.filter((call) => call.procedure === procedure);
  }

  /** What was given with the calls of a procedure, in order. */
  inputs(procedure: Procedure): unknown[] {
    return this.of(procedure).map(({ input }) => input);
  }

  /** @param index of the calls of this procedure; the last one when it is left out */
  answer<P extends Procedure>(procedure: P, output: Part<Output<P>>, index = -1): void {
    this.client.receive(JSON.stringify({ id: this.#id(procedure, index), output }));
  }

  refuse(
    procedure: Procedure,
    code: ErrorCode,
    details: Record<string, string | number> = {},
    index = -1,
  ): void {
    const error = { code, message: 'refused', details };
    this.client.receive(JSON.stringify({ id: this.#id(procedure, index), error }));
  }

  feed<T extends FeedTopic>(topic: T, data: Part<Feed[T]>): void {
    this.client.receive(JSON.stringify({ topic, data }));
  }

  #id(procedure: Procedure, index: number): number {
    const call = this.of(procedure).at(index);
    if (call === undefined) throw new Error(`${procedure} was not called`);
    return call.id;
  }
}

export const aWallet: WalletStateView = {
  status: 'unlocked',
  running: true,
  failure: null,
  address: null,
  protection: 'passphrase',
  remembered: false,
  deviceKept: null,
  systemStore: { usable: false, why: null },
  lockAfterMinutes: null,
  locksAtMs: null,
  phraseConfirmed: true,
  lastBackupAtMs: null,
};

export const aSnapshot = {
  startedAtMs: 1,
  transfers: [],
  traffic: { downBytesPerSecond: 0, upBytesPerSecond: 0 },
  credit: { usedUnits: 0 },
} as unknown as NodeSnapshot;

/** Starts what listens, and stops it when the test ends. */
export function startFor(start: () => () => void): void {
  onTestFinished(start());
}
