/**
 * What a viewer's stream pays with: one channel after another, each used up before the next. Room is counted when a
 * piece is asked for, so nobody is ever asked for more than can be paid.
 *
 * A channel that the provider has never seen is paid on at once, without waiting for its answer: its books can only be
 * empty. One that is taken up again is compared first.
 */
import { setImmediate } from 'node:timers/promises';
import { sameBytes } from '../../shared/bytes.ts';
import { prepaidUnits } from '../../shared/channel/payer.ts';
import { AceError } from '../../shared/errors.ts';
import type { Counterparty } from '../channel/payee.ts';
import type { PayerChannel, PayerService, WatchTime } from '../channel/payer.ts';
import type { Log } from '../process/log.ts';
import type { Message } from './messages.ts';

type Opened = Extract<Message, { type: 'opened' }>;

/** The stream around it. */
export interface ChannelStream {
  readonly provider: Counterparty;
  readonly payer: PayerService;
  readonly watchTime: WatchTime;
  readonly handshakeMs: number;
  readonly log?: Log | undefined;
  /** Why the stream has ended; `null` while it has not. */
  failure(): unknown;
  /** Ends the stream; the answer is why it ended. */
  fail(error: unknown): unknown;
  send(message: Message): void;
  /** Resolves when nothing that was asked for is under way any more. */
  idle(): Promise<void>;
  /** Resolves when the stream has ended. */
  ended(): Promise<void>;
}

interface Unconfirmed {
  readonly channel: PayerChannel;
  resolve(): void;
  reject(error: unknown): void;
}

interface CheckpointName {
  readonly channelId: Uint8Array;
  readonly number: number;
}

export class ViewerChannel {
  readonly #stream: ChannelStream;
  #current: PayerChannel | null = null;
  /** Bytes asked for on the channel and not answered yet. */
  #askedBytes = 0;
  /** Bytes that the provider booked and we never got: they use up its side of the capacity. */
  #lostBytes = 0;
  /** The change to the next channel, while it lasts. */
  #opening: Promise<void> | null = null;
  /** A channel that the provider has not answered for. */
  #unconfirmed: Unconfirmed | null = null;
  /** The final checkpoint whose countersignature is waited for. */
  #final: (CheckpointName & { readonly answered: () => void }) | null = null;

  constructor(stream: ChannelStream) {
    this.#stream = stream;
  }

  /** `null` between devices of one account, and before the first. */
  get current(): PayerChannel | null {
    return this.#current;
  }

  get awaitsAnswer(): boolean {
    return this.#unconfirmed !== null;
  }

  /** Without room for it: it cannot be paid. */
  asked(bytes: number): void {
    this.#askedBytes += bytes;
  }

  answered(bytes: number): void {
    this.#askedBytes -= bytes;
  }

  /**
   * Resolves when there is room for `lengthBytes`, which is kept for the caller until it calls `answered`: others ask for
   * room, too. Opens the next channel, for up to `wantedUnits`, once what is under way has arrived.
   * @throws AceError `CreditExhausted`, `ChannelUnleased`, `ShardUnavailable`, …
   */
  async room(lengthBytes: number, wantedUnits: () => number): Promise<void> {
    for (;;) {
      const failure = this.#stream.failure();
      if (failure) throw failure;
      if (!this.#opening && this.#roomBytes() >= lengthBytes) {
        this.#askedBytes += lengthBytes;
        return;
      }
      await this.#open(wantedUnits);
    }
  }

  /** Keeps room for so much, as `room` does, if there is some now. */
  tryRoom(lengthBytes: number): boolean {
    if (this.#opening || this.#roomBytes() < lengthBytes) return false;
    this.#askedBytes += lengthBytes;
    return true;
  }

  /** Sees to it that there is a channel with some room, and keeps none of it. @throws as `room` */
  async prepare(wantedUnits: () => number): Promise<void> {
    if (this.#roomBytes() > 0 && !this.#opening) return;
    await this.#open(wantedUnits);
  }

  /**
   * Pays a unit before it comes, unless one is paid ahead already; `false` when none may be lost to the provider.
   * @throws AceError `StoreFailed`
   */
  prepay(): boolean {
    const channel = this.#current;
    if (!channel) return false;
    if (prepaidUnits(channel.state) > 0) return true;
    const payment = channel.prepay();
    if (payment) this.#stream.send({ type: 'tick', ...payment });
    return payment !== null;
  }

  /** Resolves when no channel is being opened, however that went. */
  async settled(): Promise<void> {
    await this.#opening?.catch(() => undefined); // its caller got the error
  }

  /** Says the final checkpoint and waits, a moment, for its countersignature. */
  async finish(): Promise<void> {
    const final = this.#sendFinal();
    if (!final) return;
    const answered = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#stream.handshakeMs);
      this.#final = {
        ...final,
        answered: () => {
          clearTimeout(timer);
          resolve();
        },
      };
    });
    // Without an answer the channel stays `closing`: it is sent again at the next connection.
    await Promise.race([answered, this.#stream.ended()]);
    this.#final?.answered();
    this.#final = null;
  }

  /** Ends the channel in use; `null` when there is nothing to send. */
  #sendFinal(): CheckpointName | null {
    const channel = this.#current;
    this.#current = null;
    const final = channel?.checkpoint(true, this.#stream.watchTime);
    channel?.release();
    if (!channel || !final) return null;
    this.#stream.send({ type: 'checkpoint', ...final });
    return { channelId: channel.state.channelId, number: channel.state.checkpointNumber };
  }

  sendDueCheckpoint(): void {
    const checkpoint = this.#current?.checkpoint(false, this.#stream.watchTime);
    if (checkpoint) this.#stream.send({ type: 'checkpoint', ...checkpoint });
  }

  onCountersigned({ channelId, number }: CheckpointName): void {
    const final = this.#final;
    if (final?.number === number && sameBytes(final.channelId, channelId)) final.answered();
  }

  /** The provider's books. `false` when nobody waits for them. */
  onOpened(books: Opened): boolean {
    const waiting = this.#unconfirmed;
    if (!waiting) return false;
    this.#unconfirmed = null;
    try {
      this.#compareBooks(waiting.channel, books);
      waiting.resolve();
    } catch (error) {
      waiting.reject(this.#stream.fail(error));
    }
    return true;
  }

  /** The provider does not take the channel. `false` when it was not asked to. */
  onRefused(code: string): boolean {
    const waiting = this.#unconfirmed;
    if (!waiting) return false;
    this.#unconfirmed = null;
    this.#leave();
    // In words of our own: the provider does not speak for our shard or our disk.
    const error = new AceError('ChannelMismatch', `The provider does not accept the channel: ${code}`);
    waiting.reject(error);
    // What was asked for along with it is not paid for by anything.
    if (this.#askedBytes > 0) this.#stream.fail(error);
    return true;
  }

  /** The provider has ended the channel in use: another one has to be opened. One that does so again and again is left. */
  onEnded(): void {
    const { payer, provider } = this.#stream;
    if (!this.#current || this.#current.disputed) return;
    if (payer.abandonChannels(provider, this.#current.state.channelId)) return;
    this.#stream.fail(
      new AceError('ChannelMismatch', 'The provider ends its channels again and again', {
        reaction: 'drop-peer',
      }),
    );
  }

  /** The stream has ended with `error`. A piece that is being booked may still pay, until `release`. */
  failed(error: unknown): void {
    this.#unconfirmed?.reject(error);
    this.#unconfirmed = null;
  }

  release(): void {
    this.#current?.release();
  }

  #roomBytes(): number {
    return this.#current ? this.#current.askableBytes - this.#lostBytes - this.#askedBytes : 0;
  }

  #open(wantedUnits: () => number): Promise<void> {
    this.#opening ??= this.#openNext(wantedUnits()).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #openNext(wantedUnits: number): Promise<void> {
    this.#checkStream();
    const { payer, provider } = this.#stream;
    // The shard is asked while what was asked for still arrives.
    const leasing = payer.channelTo(provider, wantedUnits);
    leasing.catch(() => undefined); // waited for below
    try {
      await this.#drained();
      // Its answer is booked when it comes: nobody waits for it.
      this.#sendFinal();
    } catch (error) {
      // The next stream may have the channel.
      leasing.then((channel) => channel.release()).catch(() => undefined); // the caller gets why the stream ended
      throw error;
    }
    const channel = await leasing;
    try {
      this.#checkStream();
    } catch (error) {
      channel.release();
      throw error;
    }
    this.#current = channel;
    this.#lostBytes = 0;
    const opened = new Promise<void>((resolve, reject) => {
      this.#unconfirmed = { channel, resolve, reject };
    });
    opened.catch(() => undefined); // a new channel's answer is waited for by nobody
    this.#stream.send({ type: 'open', ...channel.terms });
    if (!channel.isNew) await opened;
    this.#checkStream();
  }

  /** Resolves when all that was asked for is here and paid. @throws why the stream has ended */
  async #drained(): Promise<void> {
    await this.#stream.idle();
    this.#checkStream();
    // A request that was given room leaves in the next turn of the event loop.
    while (this.#askedBytes > 0) {
      await setImmediate();
      await this.#stream.idle();
      this.#checkStream();
    }
  }

  #checkStream(): void {
    const failure = this.#stream.failure();
    if (failure) throw failure;
  }

  /** Brings the provider's books and ours together after a reconnection. */
  #compareBooks(channel: PayerChannel, books: Opened): void {
    const { payer, provider, log } = this.#stream;
    const outcome = payer.reconcile(provider, channel, books);
    if (outcome === 'left') {
      this.#leave();
      log?.warn(
        { payee: provider.account, ...books, knownUnits: channel.state.revealedUnits },
        'the books of a channel are apart, as after restoring a copy; the old channels are left',
      );
      return;
    }
    if (outcome.payment) this.#stream.send({ type: 'tick', ...outcome.payment });
    this.#lostBytes = outcome.lostBytes;
  }

  #leave(): void {
    this.#current?.release();
    this.#current = null;
  }
}
