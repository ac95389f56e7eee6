/**
 * This node's picture of its own account: balances, credit, loans, price, as its home shard last told, and the
 * settlement history of all shards, which is stored. Told anew whenever a shard says that something changed.
 */
import { EventEmitter } from 'node:events';
import * as dagCbor from '@ipld/dag-cbor';
import { unitPriceXac } from '../../shared/economy/price.ts';
import type { Ratio } from '../../shared/economy/ratio.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { ChannelProgress } from '../db/node/channel-books.ts';
import type { DivergedShardRow } from '../db/node/diverged-shards.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { methods, paymentFromPlain, plainMarket, type ShardResult } from '../p2p/protocols/shard/messages.ts';
import { checked } from '../p2p/typed-rpc.ts';
import type { Log } from '../process/log.ts';
import type { SigningNetwork } from '../wallet/typed-data.ts';
import { BillCheck } from './bill-check.ts';
import { pullProgress } from './channel-progress.ts';
import { type OperationBookContext, pullOperations } from './operation-book.ts';
import type { DistrustedShard, ShardTrust } from './shard-trust.ts';
import { StatementBook, type StatementBookContext } from './statement-book.ts';

export interface AccountPicture {
  readonly account: ShardResult<'account'>;
  readonly market: ShardResult<'market'>;
  /** XAC base units per traffic unit, exact. */
  readonly unitPriceXac: Ratio;
  readonly asOfMs: number;
}

export interface AccountSyncEvents {
  change: [];
  settlements: [rows: readonly SettlementRow[]];
  /** A shard's word on one channel. */
  channel: [progress: ChannelProgress];
}

/** Whose picture it is, and in which network. */
export type SyncedAccount = Pick<StatementBookContext, 'account' | 'networkId' | 'validatorKeys'> &
  SigningNetwork & {
    /** This device's certificate, canonical bytes: statements are told to the account's devices only. */
    readonly certificate: Uint8Array;
  };

/** The shards that know something of the account. */
export interface StatementLines {
  /** The account's own shard. */
  readonly home: ShardClient;
  /** The lines that are up, the home shard's among them. */
  connected(): (readonly [shard: number, line: ShardClient])[];
  /** Number of an account's home shard. */
  homeOf(account: string): number;
}

const PICTURE_KEY = 'picture';
/** The price moves with the whole network's traffic, which no event announces. */
const REFRESH_EVERY_MS = 15_000;
/** A shard that has not sent everything by then holds up no other: it goes on by itself. */
const STATEMENTS_WAIT_MS = 5_000;

export interface AccountSyncContext {
  readonly lines: StatementLines;
  readonly store: NodeStore;
  readonly account: SyncedAccount;
  readonly trust: ShardTrust;
  readonly nowMs: () => number;
  readonly log: Log;
}

export class AccountSync extends EventEmitter<AccountSyncEvents> {
  readonly #lines: StatementLines;
  readonly #store: NodeStore;
  readonly #address: string;
  readonly #certificate: Uint8Array;
  readonly #book: StatementBook;
  readonly #bills: BillCheck;
  readonly #operations: OperationBookContext;
  readonly #trust: ShardTrust;
  readonly #nowMs: () => number;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;
  /** Shards that are telling their statements. */
  readonly #pulls = new Map<number, Promise<void>>();
  #again = false;
  #stopped = false;
  picture: AccountPicture | null = null;

  constructor({ lines, store, account, trust, nowMs, log }: AccountSyncContext) {
    super();
    const { account: address, certificate, networkId, chainId, validatorKeys } = account;
    this.#lines = lines;
    this.#store = store;
    this.#address = address;
    this.#certificate = certificate;
    this.#trust = trust;
    this.#operations = { store, network: { networkId, chainId }, account: address };
    this.#book = new StatementBook({ store, networkId, validatorKeys, account: address, nowMs });
    this.#bills = new BillCheck({ store, book: this.#book, account: address, nowMs, log });
    this.#nowMs = nowMs;
    this.#log = log;
    this.picture = storedPicture(store);
    this.#timer = setInterval(() => this.changed(), REFRESH_EVERY_MS);
  }

  /** Shards whose word does not count here any more. */
  distrusted(): DistrustedShard[] {
    return this.#trust.distrusted();
  }

  /** Asks the shard anew; calls while it runs are joined into one more run. */
  changed(): void {
    if (this.#stopped || this.#lines.connected().length === 0) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** The newest picture, asked for now. @throws AceError `ShardUnavailable`, `RequestTimeout` */
  async refresh(): Promise<AccountPicture> {
    // What payers' shards say is what this account earns, also while its own shard is away.
    const [asked] = await Promise.allSettled([this.ask()]);
    await Promise.all([this.#pullAll(), this.#pullOperations()]);
    await pullProgress(this.#trusted(), this.#store, this.#nowMs, this.#log, (progress) =>
      this.emit('channel', progress),
    );
    this.emit('change');
    if (asked.status === 'rejected') throw asked.reason;
    return asked.value;
  }

  /**
   * A line is up. A home shard that is not trusted tells no picture: the last one stands, and the node runs on.
   * @throws AceError `ShardUnavailable`, `RequestTimeout`
   */
  async met(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      if (!isAceError(error, 'ShardDiverged')) throw error;
    }
  }

  /** The lines that are up, to shards that are believed. */
  #trusted() {
    return this.#lines.connected().filter(([shard]) => this.#trust.has(shard));
  }

  /** The picture that the home shard gives now; its statements and operations are not asked for. @throws AceError as {@link refresh} */
  async ask(): Promise<AccountPicture> {
    this.#trust.check(this.#lines.homeOf(this.#address));
    const [account, market] = await Promise.all([
      this.#lines.home.call('account', { address: this.#address }),
      this.#lines.home.call('market', {}),
    ]);
    const picture = pictureOf(account, market, this.#nowMs());
    this.picture = picture;
    const plain = plainPicture(picture);
    this.#store.commit(() => this.#store.meta.set(PICTURE_KEY, plain));
    return picture;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
    await Promise.allSettled(this.#pulls.values());
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.refresh();
      }
    } catch (error) {
      // In the log once, when the trust was lost.
      if (isAceError(error, 'ShardDiverged')) return;
      this.#log.warn(
        { err: error },
        'the shard did not tell the state of the account; it will be asked again',
      );
    } finally {
      this.#running = null;
    }
  }

  /** What this account paid is told by its home shard, what it earned by the payers' ones. */
  async #pullAll(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STATEMENTS_WAIT_MS);
    try {
      await Promise.all(
        this.#trusted().map(([shard, line]) => Promise.race([this.#pull(shard, line), late.promise])),
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** Told by the home shard alone. @throws what is no fault of the shard's */
  async #pullOperations(): Promise<void> {
    const home = this.#trusted().find(([shard]) => shard === this.#lines.homeOf(this.#address));
    if (!home) return;
    try {
      await pullOperations(this.#operations, home[1]);
    } catch (error) {
      this.#log.warn({ err: error }, 'the home shard did not tell its operations; it will be asked again');
      if (!isAceError(error) || error.code === 'StoreFailed') throw error;
    }
  }

  /** One at a time of each shard. @throws what is no fault of the shard's */
  #pull(shard: number, line: ShardClient): Promise<void> {
    const known = this.#pulls.get(shard);
    if (known) return known;
    const pull = this.#pullStatements(shard, line)
      .catch((error: unknown) => {
        this.#log.warn({ err: error, shard }, 'a shard did not tell its statements; it will be asked again');
        if (!isAceError(error) || error.code === 'StoreFailed') throw error;
      })
      .finally(() => this.#pulls.delete(shard));
    this.#pulls.set(shard, pull);
    return pull;
  }

  async #pullStatements(shard: number, line: ShardClient): Promise<void> {
    const { settlements } = this.#store;
    const bookedSeq = settlements.lastSeq(shard);
    // The last one is asked for again: a shard that tells another history now tells another one here. So are those that
    // it told before it told details.
    const firstAsked = settlements.firstUndetailed(shard) ?? bookedSeq;
    let afterSeq = Math.max(0, firstAsked - 1);
    for (let lastSeq = Number.MAX_SAFE_INTEGER; afterSeq < lastSeq && !this.#stopped; ) {
      const certificate = this.#certificate;
      const answer = await line.call('statement', { account: this.#address, afterSeq, certificate });
      lastSeq = answer.lastSeq;
      if (lastSeq < bookedSeq) {
        throw new AceError(
          'MessageUnexpected',
          `Shard ${shard} told ${bookedSeq} statements before, and knows of ${lastSeq}: it lost some`,
        );
      }
      if (answer.rows.some((row) => row.shard !== shard)) {
        throw new AceError('MessageMalformed', `Shard ${shard} told statements of another shard`);
      }
      // In another order, one of two that contradict each other could be booked before what it is held against.
      if (answer.rows.some(({ seq }, i) => seq <= (answer.rows[i - 1]?.seq ?? afterSeq))) {
        throw new AceError('MessageMalformed', `Shard ${shard} told statements out of order`);
      }
      const newest = answer.rows.at(-1);
      if (!newest) break;
      const rows = answer.rows.flatMap(({ seq, repayment, payment, channels, ...row }) => {
        // A shard's word counts for payers that are at home there.
        const payer = row.direction === 'paid' ? this.#address : row.counterparty;
        if (this.#lines.homeOf(payer) !== shard) return [];
        const detail = {
          repayment: repayment && paymentFromPlain(repayment),
          payment: payment && paymentFromPlain(payment),
          channels,
        };
        return { ...row, shardSeq: seq, detail };
      });
      const { added, diverged } = this.#book.book(rows);
      const cheated = diverged ?? this.#bills.contradiction(shard, added);
      if (added.length > 0) this.emit('settlements', added);
      if (cheated) {
        this.#distrust(cheated);
        return;
      }
      afterSeq = newest.seq;
    }
    if (shard !== this.#lines.homeOf(this.#address)) return;
    const overbilled = await this.#bills.check(shard, line);
    if (overbilled) this.#distrust(overbilled);
  }

  #distrust(row: DivergedShardRow): void {
    this.#trust.lose(row);
    this.emit('change');
  }
}

function pictureOf(
  account: ShardResult<'account'>,
  market: ShardResult<'market'>,
  asOfMs: number,
): AccountPicture {
  const rates = { xacPerXat: market.xacPerXat, xacPerXas: market.xacPerXas };
  return { account, market, unitPriceXac: unitPriceXac(market, rates), asOfMs };
}

/** As text, for the time that the shard is away. */
function plainPicture({ account, market, asOfMs }: AccountPicture): string {
  const { aceBytePriceUsd } = market;
  const plain = { account, market: plainMarket({ totals: market, rates: market, aceBytePriceUsd }), asOfMs };
  return Buffer.from(dagCbor.encode(plain)).toString('base64');
}

/** As the home shard last told it; `null` when it never did. */
export function storedPicture(store: NodeStore): AccountPicture | null {
  const text = store.meta.get(PICTURE_KEY);
  if (text === null) return null;
  try {
    const plain = dagCbor.decode(Buffer.from(text, 'base64'));
    const { account, market, asOfMs } = plain as Record<string, unknown>;
    return pictureOf(
      checked(methods.account.result, account),
      checked(methods.market.result, market),
      typeof asOfMs === 'number' ? asOfMs : 0,
    );
  } catch {
    return null; // of an older version, or damaged: the shard will tell it anew
  }
}
