/**
 * This node's picture of its own account: balances, credit, loans, price, as its shard last told, and the settlement
 * history, which is stored. Told anew whenever the shard says that something changed.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { isAceError } from '../../shared/errors.ts';
import { unitPriceXac } from '../../shared/price.ts';
import type { Ratio } from '../../shared/ratio.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../log.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { checked, methods, plainRatio, type ShardResult } from '../p2p/protocols/shard/messages.ts';

export interface AccountPicture {
  readonly account: ShardResult<'account'>;
  readonly market: ShardResult<'market'>;
  /** XAC base units per traffic unit, exact. */
  readonly unitPriceXac: Ratio;
  readonly asOfMs: number;
}

export interface AccountSyncEvents {
  onChange(): void;
  onSettlements(rows: readonly SettlementRow[]): void;
}

const PICTURE_KEY = 'picture';
/** The price moves with the whole network's traffic, which no event announces. */
const REFRESH_EVERY_MS = 15_000;

export class AccountSync {
  readonly #client: ShardClient;
  readonly #store: NodeStore;
  readonly #address: string;
  readonly #events: AccountSyncEvents;
  readonly #nowMs: () => number;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  picture: AccountPicture | null = null;

  constructor(
    client: ShardClient,
    store: NodeStore,
    address: string,
    events: AccountSyncEvents,
    nowMs: () => number,
    log: Log,
  ) {
    this.#client = client;
    this.#store = store;
    this.#address = address;
    this.#events = events;
    this.#nowMs = nowMs;
    this.#log = log;
    this.picture = storedPicture(store);
    this.#timer = setInterval(() => this.changed(), REFRESH_EVERY_MS);
  }

  /** Asks the shard anew; calls while it runs are joined into one more run. */
  changed(): void {
    if (this.#stopped || !this.#client.connected) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** The newest picture, asked for now. @throws AceError `ShardUnavailable`, `RequestTimeout` */
  async refresh(): Promise<AccountPicture> {
    const [account, market] = await Promise.all([
      this.#client.call('account', { address: this.#address }),
      this.#client.call('market', {}),
    ]);
    this.picture = pictureOf(account, market, this.#nowMs());
    const plain = plainPicture(this.picture);
    this.#store.commit(() => this.#store.meta.set(PICTURE_KEY, plain));
    await this.#pullStatements(account.lastSeq);
    this.#events.onChange();
    return this.picture;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.refresh();
      }
    } catch (error) {
      this.#log.warn(
        { err: error },
        'the shard did not tell the state of the account; it will be asked again',
      );
    } finally {
      this.#running = null;
    }
  }

  async #pullStatements(lastSeq: number): Promise<void> {
    let afterSeq = this.#store.settlements.lastSeq();
    while (afterSeq < lastSeq) {
      const { rows } = await this.#client.call('statement', { account: this.#address, afterSeq });
      const newest = rows.at(-1);
      if (!newest || newest.seq <= afterSeq) return;
      this.#store.commit(() => {
        for (const row of rows) this.#store.settlements.insert(row);
      });
      afterSeq = newest.seq;
      this.#events.onSettlements(rows);
    }
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
  const { videoUnits, watchMs, xacPerXat, xacPerXas, aceBytePriceUsd } = market;
  const plainMarket = {
    videoUnits,
    watchMs,
    xacPerXat: plainRatio(xacPerXat),
    xacPerXas: plainRatio(xacPerXas),
    aceBytePriceUsd: plainRatio(aceBytePriceUsd),
  };
  return Buffer.from(dagCbor.encode({ account, market: plainMarket, asOfMs })).toString('base64');
}

function storedPicture(store: NodeStore): AccountPicture | null {
  const text = store.meta.get(PICTURE_KEY);
  if (text === null) return null;
  const { account, market, asOfMs } = dagCbor.decode(Buffer.from(text, 'base64')) as Record<string, unknown>;
  try {
    return pictureOf(
      checked(methods.account.result, account),
      checked(methods.market.result, market),
      typeof asOfMs === 'number' ? asOfMs : 0,
    );
  } catch (error) {
    // Of an older version: the shard will tell it anew.
    if (isAceError(error, 'MessageMalformed')) return null;
    throw error;
  }
}
