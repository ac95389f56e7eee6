/**
 * A payer, a payee and a shard over real files, with a wire between the two that loses, repeats and reorders what it is
 * told to. What the wire has truly carried is counted apart from all books, in `Truth`.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Claims } from '../../main/channel/claims.ts';
import { type PayeeChannel, PayeeService } from '../../main/channel/payee.ts';
import { type PayerChannel, PayerService } from '../../main/channel/payer.ts';
import type { SentCheckpoint } from '../../main/channel/payer-channel.ts';
import { type NodeStore, openNodeStore } from '../../main/db/node/store.ts';
import { createLog } from '../../main/process/log.ts';
import { grantLease } from '../../main/validator/leasing.ts';
import { restoreLease } from '../../main/validator/restore-lease.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import type { PayeeFigures } from '../../shared/channel/books.ts';
import type { Claim, SignedLease } from '../../shared/channel/claim.ts';
import { decodeCheckpoint } from '../../shared/channel/records.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { testSettings } from './chain.ts';
import { Truth } from './channel-truth.ts';
import { party, START_MS, TestShard } from './shard.ts';

export const CAPACITY_UNITS = 12;
export const WINDOW_CAP_UNITS = 8;
export const PAYER = party(1);
export const PAYEE = party(2);
const payerParty = { account: PAYER.account.address, device: PAYER.device.publicKey };
const payeeParty = { account: PAYEE.account.address, device: PAYEE.device.publicKey };
const certificate = encodeCertificate(
  await issueCertificate(PAYER.account, testSettings(), PAYER.device.publicKey, START_MS),
);
const NOTHING_WATCHED = { unreportedMs: 0, report: () => 0 };
const log = createLog(null);

type ToPayee =
  | { readonly type: 'open'; readonly signed: SignedLease }
  | { readonly type: 'request'; readonly id: number; readonly key: string; readonly bytes: number }
  | { readonly type: 'tick'; readonly index: number; readonly tick: Uint8Array }
  | ({ readonly type: 'checkpoint' } & SentCheckpoint);

type ToPayer =
  | { readonly type: 'opened'; readonly books: PayeeFigures }
  | { readonly type: 'piece'; readonly id: number; readonly bytes: number }
  | { readonly type: 'refused'; readonly id: number; readonly code: string }
  | {
      readonly type: 'countersigned';
      readonly channelId: Uint8Array;
      readonly number: number;
      readonly signature: Uint8Array;
    };

export type Side = 'payer' | 'payee';

export class ChannelWorld {
  readonly truth = new Truth();
  shard: TestShard;
  readonly toPayee: ToPayee[] = [];
  readonly toPayer: ToPayer[] = [];
  /** Ticks and checkpoints that were ever said, and claims that were ever handed in. */
  readonly said: ToPayee[] = [];
  readonly claimed: Claim[] = [];
  readonly stores: Record<Side, NodeStore>;
  payer!: PayerService;
  payee!: PayeeService;
  /** The shard grants the next lease, and the payer does not hear of it. */
  losesNextLease = false;
  /** The session at each end. */
  paying: PayerChannel | null = null;
  served: PayeeChannel | null = null;
  #opened = false;
  #lostBytes = 0;
  readonly #asked = new Map<number, number>();
  readonly #queue: Extract<ToPayee, { type: 'request' }>[] = [];
  #claims!: Record<Side, Claims>;
  #nextId = 1;
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
    this.shard = new TestShard(dir);
    for (const side of ['payer', 'payee']) mkdirSync(join(dir, side));
    this.stores = { payer: this.#openStore('payer'), payee: this.#openStore('payee') };
    this.#start('payer');
    this.#start('payee');
  }

  // —— the payer's end of a session

  /** Takes up a channel, or opens one; nothing when there is one, or none can be had. */
  async connect(): Promise<void> {
    if (this.paying) return;
    for (const final of this.payer.unansweredCheckpoints(payeeParty.device)) {
      this.#say({ type: 'checkpoint', ...final });
    }
    this.paying = await this.payer.channelTo(payeeParty, CAPACITY_UNITS);
    this.#opened = false;
    this.#lostBytes = 0;
    this.#say({ type: 'open', signed: this.paying.terms });
  }

  request(key: string, bytes: number): void {
    if (!this.paying || !this.#opened) return;
    const askedBytes = [...this.#asked.values()].reduce((sum, asked) => sum + asked, 0);
    if (this.paying.roomBytes - this.#lostBytes - askedBytes < bytes) {
      if (askedBytes === 0) this.finish();
      return;
    }
    const id = this.#nextId++;
    this.#asked.set(id, bytes);
    this.#say({ type: 'request', id, key, bytes });
  }

  checkpoint(): void {
    const checkpoint = this.#opened ? this.paying?.checkpoint(false, NOTHING_WATCHED) : null;
    if (checkpoint) this.#say({ type: 'checkpoint', ...checkpoint });
  }

  /** The final checkpoint. Nothing is asked for at this time. */
  finish(): void {
    if (!this.paying || !this.#opened || this.#asked.size > 0) return;
    const final = this.paying.checkpoint(true, NOTHING_WATCHED);
    this.#leave();
    if (final) this.#say({ type: 'checkpoint', ...final });
  }

  deliverToPayer(): void {
    const message = this.toPayer.shift();
    if (message) this.#guarded(() => this.#onPayer(message));
  }

  #onPayer(message: ToPayer): void {
    const { paying } = this;
    switch (message.type) {
      case 'opened': {
        if (!paying || this.#opened) throw unexpected(message.type);
        const outcome = this.payer.reconcile(payeeParty, paying, message.books);
        if (outcome === 'left') {
          this.#leave();
          return;
        }
        this.#opened = true;
        this.#lostBytes = outcome.lostBytes;
        if (outcome.payment) this.#say({ type: 'tick', ...outcome.payment });
        return;
      }
      case 'piece': {
        const bytes = this.#asked.get(message.id);
        if (!paying || bytes === undefined || bytes > paying.roomBytes) throw unexpected(message.type);
        this.#asked.delete(message.id);
        const payment = paying.pay(bytes, false, () => undefined);
        this.truth.of(paying.state.channelId).verifiedBytes += bytes;
        if (payment) this.#say({ type: 'tick', ...payment });
        return;
      }
      case 'refused':
        this.#asked.delete(message.id);
        if (message.code === 'ChannelClosed' && paying) {
          this.payer.abandonChannels(payeeParty, paying.state.channelId);
        }
        this.breakUp();
        return;
      case 'countersigned':
        this.payer.countersigned(payeeParty.device, message.channelId, message.number, message.signature);
    }
  }

  #leave(): void {
    this.paying?.release();
    this.paying = null;
    this.#opened = false;
    this.#asked.clear();
  }

  #say(message: ToPayee): void {
    this.toPayee.push(message);
    if (message.type !== 'tick' && message.type !== 'checkpoint') return;
    this.said.push(message);
    if (message.type === 'checkpoint') this.#revealed(decodeCheckpoint(message.record));
    else if (this.paying) {
      this.#revealed({ channelId: this.paying.state.channelId, units: message.index });
    }
  }

  #revealed({ channelId, units }: { readonly channelId: Uint8Array; readonly units: number }): void {
    const truth = this.truth.of(channelId);
    truth.deepestTick = Math.max(truth.deepestTick, units);
  }

  // —— the payee's end

  async deliverToPayee(): Promise<void> {
    const message = this.toPayee.shift();
    if (!message) return;
    try {
      await this.#onPayee(message);
    } catch (error) {
      this.#onRefusal(error, message.type === 'checkpoint');
    }
  }

  async #onPayee(message: ToPayee): Promise<void> {
    switch (message.type) {
      case 'open':
        if (this.#queue.length > 0) throw unexpected(message.type);
        this.served?.commit();
        this.served?.detach();
        this.served = null;
        this.served = this.payee.open(payerParty, message.signed);
        this.toPayer.push({ type: 'opened', books: this.served.books });
        return;
      case 'request':
        if (!this.served || this.#queue.some(({ id }) => id === message.id)) throw unexpected(message.type);
        this.#queue.push(message);
        return;
      case 'tick':
        if (!this.served) throw unexpected(message.type);
        this.served.receiveTick(message.index, message.tick);
        return;
      case 'checkpoint':
        this.toPayer.push({
          type: 'countersigned',
          ...(await this.payee.countersign(payerParty, message.record, message.signature)),
        });
        if (this.served?.closed) {
          this.served.detach();
          this.served = null;
          this.#queue.length = 0;
        }
    }
  }

  /** Answers the first request that waits. One that has to wait for a payment goes on waiting. */
  serve(): void {
    this.#guarded(() => {
      const request = this.#queue[0];
      if (!request || !this.served) return;
      const { id, key, bytes } = request;
      const resend = this.served.isOwed(key);
      const newBytes = resend ? 0 : bytes;
      const obstacle = this.served.obstacle(newBytes);
      if (obstacle === 'PaymentOverdue') {
        this.served.overdue();
        return;
      }
      this.#queue.shift();
      if (obstacle) {
        this.toPayer.push({ type: 'refused', id, code: obstacle });
        return;
      }
      const { books } = this.served;
      this.served.serve(newBytes, [{ key, bytes, resend }]);
      this.served.commit();
      this.truth.of(this.served.channelId).sentBytes += this.served.books.servedBytes - books.servedBytes;
      this.toPayer.push({ type: 'piece', id, bytes });
    });
  }

  // —— between them

  /** The connection breaks: what is on its way is lost. */
  breakUp(): void {
    this.toPayee.length = 0;
    this.toPayer.length = 0;
    this.#leave();
    this.#queue.length = 0;
    if (this.served && !this.served.paused) this.served.commit();
    this.served?.detach();
    this.served = null;
  }

  /** Delivers and serves until nothing is on its way, or the payee waits for a payment that does not come. */
  async pump(): Promise<void> {
    for (let i = 0; i < 200; i++) {
      if (this.toPayee.length > 0) await this.deliverToPayee();
      else if (this.toPayer.length > 0) this.deliverToPayer();
      else if (this.#queue.length > 0) this.serve();
      else break;
    }
    // An idle payee makes the ticks durable that no piece is committed with.
    this.served?.commit();
  }

  /** An error ends the connection, unless the message may be one to ignore. One of our own rules ends the test. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#onRefusal(error, false);
    }
  }

  #onRefusal(error: unknown, mayIgnore: boolean): void {
    if (!isAceError(error) || error.reaction === 'stop') throw error;
    if (!mayIgnore || error.reaction !== 'ignore') this.breakUp();
  }

  // —— the shard

  /** One side hands in all it has. */
  async claim(side: Side): Promise<void> {
    await this.#claims[side].now();
  }

  #take(claim: Claim, lease?: SignedLease) {
    this.claimed.push(claim);
    if (lease) restoreLease(this.shard.context, lease);
    return this.shard.takeClaim(claim);
  }

  /** Each side hears what the shard has. */
  tell(): void {
    for (const { channelId } of this.truth.channels.values()) {
      const lease = this.shard.store.leases.get(channelId);
      if (!lease) continue;
      const { claimedUnits, appliedUnits, released } = lease;
      const word = { claimedUnits, appliedUnits, released: released === 1 };
      this.payer.receiveProgress(channelId, word);
      this.payee.receiveProgress(channelId, word);
    }
  }

  async restartShard(meanwhile: () => void = () => undefined): Promise<void> {
    const { nowMs } = this.shard;
    await this.shard.close();
    meanwhile();
    this.shard = new TestShard(this.dir);
    this.shard.nowMs = nowMs;
  }

  // —— restarts

  /** Killed: what was not committed is gone; so is the connection. */
  restart(side: Side): void {
    this.#stop(side);
    this.#resume(side);
  }

  /** Stopped for a moment, and copied. */
  copy(side: Side): void {
    this.#stop(side);
    cpSync(join(this.dir, side), join(this.dir, `${side}-copy`), { recursive: true });
    this.#resume(side);
  }

  /** Goes on from the copy, if there is one. */
  restore(side: Side): void {
    this.#stop(side);
    try {
      cpSync(join(this.dir, `${side}-copy`), join(this.dir, 'swap'), { recursive: true });
      rmSync(join(this.dir, side), { recursive: true });
      cpSync(join(this.dir, 'swap'), join(this.dir, side), { recursive: true });
      this.truth.rollbacks[side] += 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    this.#resume(side);
  }

  async close(): Promise<void> {
    for (const store of Object.values(this.stores)) store.close();
    await this.shard.close();
  }

  #stop(side: Side): void {
    // The other side only sees the connection break.
    if (side === 'payee') this.served = null;
    this.breakUp();
    this.stores[side].close();
  }

  #resume(side: Side): void {
    this.stores[side] = this.#openStore(side);
    this.#start(side);
  }

  #openStore(side: Side): NodeStore {
    return openNodeStore(join(this.dir, side, 'node.db'));
  }

  #start(side: Side): void {
    const { settings } = this.shard;
    const nowMs = () => this.shard.nowMs;
    if (side === 'payer') {
      this.payer = new PayerService({
        store: this.stores.payer,
        settings,
        account: payerParty.account,
        device: PAYER.device,
        nowMs,
        leases: {
          shard: 0,
          leasableUnits: async () => CAPACITY_UNITS,
          lease: async (terms, termsSignature) => {
            const signature = await grantLease(this.shard.context, { terms, termsSignature, certificate });
            if (!this.losesNextLease) return signature;
            this.losesNextLease = false;
            throw new AceError('RequestTimeout', 'The answer of the shard got lost');
          },
        },
      });
    } else {
      this.payee = new PayeeService({
        store: this.stores.payee,
        settings,
        account: payeeParty.account,
        device: PAYEE.device,
        windowCapUnits: WINDOW_CAP_UNITS,
        isRefused: () => false,
        nowMs,
      });
    }
    const idle = { expire: () => undefined, receiveProgress: () => false, claimRefused: () => undefined };
    const claims = new Claims(
      this.stores[side],
      { claim: async (claim, _, lease) => this.#take(claim, lease) },
      log,
      {
        payee: side === 'payee' ? this.payee : idle,
        payer: side === 'payer' ? this.payer : idle,
      },
    );
    this.#claims = { ...this.#claims, [side]: claims };
  }
}

function unexpected(what: string): AceError {
  return new AceError('MessageUnexpected', `${what} out of turn`, { reaction: 'drop-peer' });
}
