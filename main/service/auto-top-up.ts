/**
 * Moves XAT from what is kept to what is spent, as the user's rule has it (docs/economy.md#automatic-top-up). A page
 * or the command line asks for a passphrase: this signs while the wallet is open, and waits otherwise.
 *
 * A deposit is committed here before it is sent, and counts from then on. One whose answer was lost is not repeated: what is
 * signed after it has the same number as long as the chain has not booked it, and of two such the chain books one.
 */
import { type AutoTopUpPast, decideAutoTopUp } from '../../shared/economy/auto-top-up.ts';
import { amount, formatAmount } from '../../shared/economy/money.ts';
import { isAceError } from '../../shared/errors.ts';
import { autoTopUpRule } from '../../shared/limits.ts';
import type { AutoTopUpView } from '../../shared/rpc/rpc.ts';
import type { AccountPicture } from '../account/account-sync.ts';
import type { RunningPeer } from '../peer/peer.ts';
import type { Log } from '../process/log.ts';
import { dayOf, monthDays, startOfDay } from '../util/local-day.ts';
import { ANSWER_LOST, type OperationService } from './operations.ts';

type Peer = Pick<RunningPeer, 'account' | 'clock' | 'events' | 'limits' | 'store' | 'sync'>;
type State = AutoTopUpView['state'];

export interface AutoTopUpContext {
  readonly peer: Peer;
  readonly operations: Pick<OperationService, 'depositUnasked'>;
  /** The clock on the wall: days and months are its. */
  readonly nowMs: () => number;
  readonly log: Log;
}

const LOOK_EVERY_MS = 2_000;
/** A shard that did not take one is asked again after this. */
const RETRY_MS = 15_000;
/** Of these the user is told once, in the log, each time one begins. */
const LOUD: Partial<Record<State, string>> = {
  'day-used':
    'the automatic top-up has moved all that its rule allows a day: nothing more is moved before tomorrow',
  'month-used':
    'the automatic top-up has moved all that its rule allows a month: nothing more is moved before the next one',
  'main-empty': 'an automatic top-up is due, and what is kept does not reach for it',
  locked: 'an automatic top-up is due: it is made once the wallet is unlocked',
};

export class AutoTopUp {
  readonly #context: AutoTopUpContext;
  readonly #timer: NodeJS.Timeout;
  #state: State = 'off';
  #running: Promise<void> | null = null;
  #failed = false;
  #retryAtMs = 0;
  #closed = false;

  constructor(context: AutoTopUpContext) {
    this.#context = context;
    context.peer.sync.on('change', this.look);
    this.#timer = setInterval(this.look, LOOK_EVERY_MS);
  }

  view(): AutoTopUpView {
    const { store } = this.#context.peer;
    const { dayXat, monthXat } = this.#past();
    const last = store.autoTopUps.last();
    return {
      state: this.#state,
      dayXat: formatAmount(dayXat),
      monthXat: formatAmount(monthXat),
      last: last && { atMs: last.atMs, amountXat: formatAmount(last.amountXat) },
    };
  }

  /** Whether one is due by what is known; then it is made, unless one is being made. */
  readonly look = (): void => {
    if (this.#closed || this.#running !== null) return;
    const { picture } = this.#context.peer.sync;
    const state = this.#stateNow(picture);
    const isDue = state === null;
    if (isDue && performance.now() >= this.#retryAtMs) {
      this.#running = this.#deposit().finally(() => {
        this.#running = null;
      });
    }
    this.#show(state ?? (this.#failed ? 'waiting' : 'watching'));
  };

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#context.peer.sync.off('change', this.look);
    await this.#running;
  }

  /** `null`: one is due, and can be made. */
  #stateNow(picture: AccountPicture | null): State | null {
    const { limits, account, clock } = this.#context.peer;
    const rule = autoTopUpRule(limits.limits);
    if (rule === null) return 'off';
    if (picture === null) return 'watching';
    const { main, services, nonce } = picture.account;
    const funds = { XAC: amount(services.XAC), XAT: amount(services.XAT) };
    // What was signed with the account's next number is not booked: it would be signed anew.
    const past = this.#past(nonce);
    const decision = decideAutoTopUp(rule, funds, main.XAT, picture.market.xacPerXat, past);
    if (decision === 'enough') return 'watching';
    if (decision !== 'deposit') return decision;
    // A wrong clock has wrong days. What it shows now counts: nobody may have looked since it was set.
    if (!clock.isRight) return 'clock';
    return account.canSign() ? null : 'locked';
  }

  #past(apartFrom?: number): AutoTopUpPast {
    const { peer, nowMs } = this.#context;
    const now = nowMs();
    const since = (day: string) => peer.store.autoTopUps.sumSince(startOfDay(day), apartFrom);
    return { dayXat: since(dayOf(now)), monthXat: since(monthDays(now).first) };
  }

  async #deposit(): Promise<void> {
    const { peer, operations, nowMs, log } = this.#context;
    const { store, limits } = peer;
    let signed: { readonly nonce: number; readonly isNew: boolean } | null = null;
    try {
      const done = await operations.depositUnasked({
        amountXat: (picture) => {
          store.commit(() => store.autoTopUps.bookTold());
          const rule = autoTopUpRule(limits.limits);
          const isDue = !this.#closed && this.#stateNow(picture) === null;
          return isDue && rule ? rule.depositXat : null;
        },
        onSigned: ({ nonce, hash, amountXat }) => {
          const before = store.autoTopUps.get(nonce);
          signed = { nonce, isNew: before === null || before.state === 'refused' };
          const row = { nonce, atMs: nowMs(), amountXat, hash, state: 'sent' } as const;
          store.commit(() => store.autoTopUps.put(row));
        },
      });
      this.#failed = false;
      if (done === null || signed === null) return;
      const { nonce } = signed as { nonce: number };
      store.commit(() => store.autoTopUps.setState(nonce, 'booked'));
      log.info({ height: done.height, nonce }, 'an automatic top-up was made');
      peer.events.changed();
    } catch (error) {
      this.#undo(signed, error);
    }
  }

  /** A deposit that was refused has not moved anything; one of before with its number may have. */
  #undo(signed: { readonly nonce: number; readonly isNew: boolean } | null, error: unknown): void {
    const { peer, log } = this.#context;
    const isLost = !isAceError(error) || ANSWER_LOST.includes(error.code);
    this.#failed = true;
    this.#retryAtMs = performance.now() + RETRY_MS;
    log.warn({ err: error }, 'an automatic top-up was not made; it is looked at again');
    if (signed === null || isLost || !signed.isNew) return;
    try {
      peer.store.commit(() => peer.store.autoTopUps.setState(signed.nonce, 'refused'));
    } catch (cause) {
      log.error({ err: cause }, 'an automatic top-up that was refused counts as made');
    }
  }

  #show(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    const words = LOUD[state];
    if (words !== undefined) this.#context.log.warn(words);
    this.#context.peer.events.changed();
  }
}
