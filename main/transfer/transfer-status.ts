/** What a transfer shows of itself: how far it is, and why it waits when it waits. */
import { AceError, type ErrorCode } from '../../shared/errors.ts';
import type { Log } from '../process/log.ts';
import type { Member, TransferProviders } from './providers.ts';

export type TransferState = 'connecting' | 'fetching' | 'paused' | 'done' | 'failed';

/** What we cannot pay for or store now is asked about again after this long. */
export const RETRY_MS = 2_000;
/** Troubles that last until the user does something, or the clock: no provider is kept meanwhile. */
const RESTING: ReadonlySet<ErrorCode> = new Set(['TrafficStopped', 'CacheFull']);
/** Troubles that another provider would not end. */
const PAUSING: ReadonlySet<ErrorCode> = new Set([
  'CreditExhausted',
  'AccessNeeded',
  'AccessExpired',
  'DeviceDisputed',
  'ClockWrong',
  'OwnClockWrong',
  'StoreFailed',
  'DataDirNotWritable',
  ...RESTING,
]);

export interface StatusContext {
  readonly log: Log;
  readonly onChange: () => void;
  /** A shard that leases nothing is no word of the provider's: it may still be generous. It is asked, once. */
  readonly askUnpaid: (member: Member) => void;
}

export class TransferStatus {
  state: TransferState = 'connecting';
  reason: AceError | null = null;
  readonly #context: StatusContext;
  readonly #looking = new Set<(reason: AceError) => void>();

  constructor(context: StatusContext) {
    this.#context = context;
  }

  /** Waits for what only the user, or the clock, will end. */
  get rests(): boolean {
    return this.reason !== null && RESTING.has(this.reason.code);
  }

  set(state: TransferState, reason: AceError | null): void {
    if (this.state === 'done' && state === 'fetching') return;
    const changed = this.state !== state || this.reason?.code !== reason?.code;
    this.state = state;
    this.reason = reason;
    if (changed) this.#context.onChange();
    if (reason) for (const look of [...this.#looking]) look(reason);
  }

  /** The next reason that is found, be it the old one again; `null` when `until` aborts before. */
  next(until: AbortSignal): Promise<AceError | null> {
    return new Promise((resolve) => {
      const end = (reason: AceError | null) => {
        this.#looking.delete(end);
        until.removeEventListener('abort', abort);
        resolve(reason);
      };
      const abort = () => end(null);
      if (until.aborted) return resolve(null);
      until.addEventListener('abort', abort, { once: true });
      this.#looking.add(end);
    });
  }

  /** Our own shard, credit or disk: the provider has no part in it. */
  unpayable(member: Member, error: unknown): void {
    const { log } = this.#context;
    const known =
      error instanceof AceError ? error : new AceError('Internal', 'Something went wrong', { cause: error });
    if (known.code === 'Internal') log.error({ err: error }, 'a transfer failed in an unforeseen way');
    const isReported = [this.reason?.code, member.unpayable?.error.code].includes(known.code);
    if (known.code === 'DeviceDisputed' && !isReported)
      log.error({ err: known, ...known.details }, 'the shard refuses this device new leases');
    member.unpayable = { error: known, untilMs: performance.now() + RETRY_MS };
  }

  /** No permit is to be had. */
  reportUnpermitted(trouble: AceError): void {
    this.set(PAUSING.has(trouble.code) ? 'paused' : 'connecting', trouble);
  }

  /** Nobody can be asked. */
  reportNobody(providers: TransferProviders): void {
    const unpayable = providers.live.find((member) => member.unpayable);
    if (!unpayable?.unpayable) {
      if (!providers.connecting) this.set('connecting', providers.trouble);
      return;
    }
    const { error } = unpayable.unpayable;
    if (!PAUSING.has(error.code)) this.set('connecting', error);
    else if (this.state !== 'paused' || this.reason?.code !== error.code) {
      if (error.code === 'CreditExhausted') this.#context.askUnpaid(unpayable);
      this.set('paused', error);
    }
  }
}
