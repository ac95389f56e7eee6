/**
 * What a provider's stream is paid on: one channel after another, and what its viewer was told is durable. Whatever is
 * said here was committed before.
 */

import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { Counterparty, PayeeChannel, PayeeService } from '../channel/payee.ts';
import type { Message } from './messages.ts';
import { unexpected } from './unexpected.ts';

export interface StreamChannelContext {
  readonly payee: PayeeService;
  send(message: Message): void;
  abort(error: Error): void;
  /** Something was paid elsewhere: what waits for it looks again. */
  wake(): void;
  /** Something this node's owner may want to see has changed. */
  onChange(): void;
}

export class StreamChannel {
  readonly #context: StreamChannelContext;
  /** Between devices of one account nothing is charged, and there is none. */
  readonly free: boolean;
  #current: PayeeChannel | null = null;
  /** Units that the viewer was told are durable. */
  #ackedUnits = 0;

  constructor(context: StreamChannelContext, free: boolean) {
    this.#context = context;
    this.free = free;
  }

  get current(): PayeeChannel | null {
    return this.#current;
  }

  /** The viewer pays on this channel from now on. @throws AceError why it is not taken; the viewer was told */
  open(viewer: Counterparty, message: Extract<Message, { type: 'open' }>): void {
    const { payee, send, abort, wake } = this.#context;
    this.#current?.commit();
    this.leave();
    try {
      this.#current = payee.open(viewer, message);
    } catch (error) {
      if (error instanceof AceError) send({ type: 'refused', id: 0, code: error.code });
      throw error;
    }
    this.#current.onTaken = () => abort(new AceError('ChannelClosed', 'Another stream took the channel'));
    this.#current.onSiblingPaid = wake;
    const { paidUnits, servedBytes } = this.#current.books;
    this.#ackedUnits = paidUnits;
    send({ type: 'opened', paidUnits, servedBytes });
  }

  /** @throws AceError `MessageUnexpected` before the first channel; as `PayeeChannel.tick` */
  tick(message: Extract<Message, { type: 'tick' }>): void {
    if (!this.#current) throw unexpected(message);
    this.#current.receiveTick(message.index, message.tick);
  }

  /** A checkpoint that is only late is passed over; a wrong one ends the stream. */
  async countersign(viewer: Counterparty, message: Extract<Message, { type: 'checkpoint' }>): Promise<void> {
    try {
      const answer = await this.#context.payee.countersign(viewer, message.record, message.signature);
      this.#context.send({ type: 'countersigned', ...answer });
      // It says that its tick is durable, too.
      this.#ackedUnits = this.#current?.books.paidUnits ?? 0;
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

  /** Whether something that was served is not paid. */
  get owed(): boolean {
    if (!this.#current) return false;
    const { paidUnits, servedBytes } = this.#current.books;
    return servedBytes > paidUnits * PIECE_BYTES;
  }

  /** Whether there are ticks that the viewer was not told are durable. */
  get owesAck(): boolean {
    const channel = this.#current;
    return channel !== null && (channel.dirty || channel.books.paidUnits > this.#ackedUnits);
  }

  /** Makes ticks durable that no piece carries an acknowledgement for, and says so. `false` when there are none. */
  async acknowledge(isEnded: () => boolean): Promise<boolean> {
    const channel = this.#current;
    if (!channel || !this.owesAck) return false;
    await channel.commitSoon();
    if (isEnded() || channel !== this.#current || !this.owesAck) return true;
    this.#context.send({ type: 'ack', units: this.acked() });
    this.#context.onChange();
    return true;
  }

  /** Durable units, which the caller tells the viewer now. */
  acked(): number {
    this.#ackedUnits = this.#current?.books.paidUnits ?? 0;
    return this.#ackedUnits;
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
