/**
 * What a provider's stream is paid on: one channel after another. What it answers was committed before.
 */

import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { Counterparty, PayeeChannel, PayeeService } from '../channel/payee.ts';
import { unexpected } from './fetching.ts';
import type { Message } from './messages.ts';

export interface ProviderChannelContext {
  readonly payee: PayeeService;
  send(message: Message): void;
  abort(error: Error): void;
  /** Something was paid on another stream: what waits for a payment looks again. */
  notify(): void;
  /** Something this node's owner may want to see has changed. */
  onChange(): void;
}

export class ProviderChannel {
  readonly #context: ProviderChannelContext;
  /** Between devices of one account nothing is charged, and there is none. */
  readonly free: boolean;
  #current: PayeeChannel | null = null;
  /** Paid units of the channel that `onChange` was called for. */
  #notifiedUnits = 0;

  constructor(context: ProviderChannelContext, free: boolean) {
    this.#context = context;
    this.free = free;
  }

  get current(): PayeeChannel | null {
    return this.#current;
  }

  /** The viewer pays on this channel from now on. @throws AceError why it is not taken; the viewer was sent a refusal */
  open(viewer: Counterparty, origin: string | null, message: Extract<Message, { type: 'open' }>): void {
    const { payee, send, abort, notify } = this.#context;
    this.#current?.commit();
    this.leave();
    try {
      this.#current = payee.open(viewer, message, origin);
    } catch (error) {
      if (error instanceof AceError) send({ type: 'refused', id: 0, code: error.code });
      throw error;
    }
    this.#current.onTaken = () => abort(new AceError('ChannelClosed', 'Another stream took the channel'));
    this.#current.onLookAgain = notify;
    const { paidUnits, servedBytes } = this.#current.books;
    this.#notifiedUnits = paidUnits;
    send({ type: 'opened', paidUnits, servedBytes });
  }

  /** @throws AceError `MessageUnexpected` before the first channel; as `PayeeChannel.tick` */
  tick(message: Extract<Message, { type: 'tick' }>): void {
    if (!this.#current) throw unexpected('viewer', message);
    this.#current.receiveTick(message.index, message.tick);
  }

  /** A checkpoint that is only late is passed over; a wrong one ends the stream. */
  async countersign(viewer: Counterparty, message: Extract<Message, { type: 'checkpoint' }>): Promise<void> {
    try {
      const answer = await this.#context.payee.countersign(viewer, message.record, message.signature);
      this.#context.send({ type: 'countersigned', ...answer });
    } catch (error) {
      if (!isAceError(error) || error.reaction !== 'ignore') throw error;
    }
    if (this.#current?.closed) this.leave();
  }

  /** Why so many bytes may not be sent now, or `null`. */
  obstacle(lengthBytes: number): string | null {
    if (this.free) return null;
    return this.#current ? this.#current.obstacle(lengthBytes) : 'ChannelUnleased';
  }

  /** Whether something was paid on the channel in use. */
  get hasPaid(): boolean {
    return (this.#current?.state.paidUnits ?? 0) > 0;
  }

  /** Whether something that was served is not paid. */
  get owed(): boolean {
    if (!this.#current) return false;
    const { paidUnits, servedBytes } = this.#current.books;
    return servedBytes > paidUnits * PIECE_BYTES;
  }

  /** Whether there are ticks that are not durable yet, or that another stream's commit made durable unnoticed. */
  get hasNews(): boolean {
    return (
      this.#current !== null && (this.#current.dirty || this.#current.books.paidUnits > this.#notifiedUnits)
    );
  }

  /** Makes ticks durable that are not committed along with a piece. `false` when there are none. */
  async commitTicks(): Promise<boolean> {
    const channel = this.#current;
    if (!channel || !this.hasNews) return false;
    await channel.commitSoon();
    this.#notifiedUnits = channel.books.paidUnits;
    this.#context.onChange();
    return true;
  }

  /** The stream has ended: what was taken is kept. @throws AceError `StoreFailed` */
  end(): void {
    try {
      this.#current?.commit();
    } finally {
      this.#current?.detach();
    }
  }

  leave(): void {
    this.#current?.detach();
    this.#current = null;
  }
}
