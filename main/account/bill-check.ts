/**
 * Holds what shards bill this account against what it has revealed: on each channel, the units of all its statements. A
 * shard that bills more has to show the tick of those units, which this device's hash chain gives and nothing else, or,
 * of a channel that is another device's, the terms that the device signed and a tick that leads back to their anchor.
 *
 * A tick that is right and was not booked means that these books are an old copy: the channel is left, and the shard is
 * right. A shard that shows none is trusted no more.
 */
import { sameBytes } from '../../shared/bytes.ts';
import { advance, allows } from '../../shared/channel/lifecycle.ts';
import { channelIdOf, decodeTerms } from '../../shared/channel/records.ts';
import { leadsTo, TickChain } from '../../shared/channel/tick-chain.ts';
import { type ErrorCode, isAceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import { encodeBillProof, MAX_BILL_STATEMENTS, unnamedUnits } from '../../shared/settlement/bill-proof.ts';
import type { OverbilledChannel } from '../db/node/billed-channels.ts';
import type { DivergedShardRow } from '../db/node/diverged-shards.ts';
import type { NewSettlement, SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { BILLS_ASKED } from '../p2p/protocols/shard/constants.ts';
import type { ShardResult } from '../p2p/protocols/shard/messages.ts';
import type { Log } from '../process/log.ts';
import { sha256 } from '../util/sha256.ts';
import { devicePublicKey, isSignedBy } from '../wallet/device.ts';
import type { StatementBook } from './statement-book.ts';

type Bill = ShardResult<'bill'>['bills'][number];

/** A shard that answers everything else and not this for so long shows no tick. */
const UNSHOWN_MS = 10 * 60_000;
/** What an honest shard answers now and then. */
const AWAY: ReadonlySet<ErrorCode> = new Set([
  'ShardUnavailable',
  'RequestTimeout',
  'PeerClosed',
  'PeerUnreachable',
  'TooManyRequests',
]);

export interface BillCheckContext {
  readonly store: NodeStore;
  readonly book: Pick<StatementBook, 'signed'>;
  /** This node's account, lower case. */
  readonly account: string;
  readonly nowMs: () => number;
  readonly log: Log;
}

export class BillCheck {
  readonly #context: BillCheckContext;
  /** Since when the shard has not answered what it bills for; `null` when it has. */
  #unansweredSinceMs: number | null = null;

  constructor(context: BillCheckContext) {
    this.#context = context;
  }

  /** What new statements of a shard prove against it by themselves: units that they bill without naming a channel. */
  contradiction(shard: number, rows: readonly SettlementRow[]): DivergedShardRow | null {
    const row = rows.find((one) => unnamedUnits(one) > 0);
    return row ? this.#proof(shard, null, [row]) : null;
  }

  /**
   * Has the home shard show ticks for what it bills beyond what was revealed. The answer is the proof against it when it
   * shows none. @throws AceError `ShardUnavailable`, `RequestTimeout`, … when it does not answer: it is asked again, for
   * `UNSHOWN_MS`
   */
  async check(shard: number, line: Pick<ShardClient, 'call'>): Promise<DivergedShardRow | null> {
    const { store } = this.#context;
    const overbilled = store.billedChannels.overbilled();
    for (let from = 0; from < overbilled.length; from += BILLS_ASKED) {
      const asked = overbilled.slice(from, from + BILLS_ASKED);
      const shown = await this.#ask(line, asked);
      for (const channel of asked) {
        const bill = shown.get(toHex(channel.channelId));
        if (!bill || !this.#isRight(channel, bill))
          return this.#proof(shard, channel, this.#statements(channel));
        this.#bookProven(channel, bill);
      }
    }
    return null;
  }

  async #ask(
    line: Pick<ShardClient, 'call'>,
    channels: readonly OverbilledChannel[],
  ): Promise<ReadonlyMap<string, Bill>> {
    const { nowMs } = this.#context;
    try {
      const { bills } = await line.call('bill', { channelIds: channels.map(({ channelId }) => channelId) });
      this.#unansweredSinceMs = null;
      return new Map(bills.map((bill) => [toHex(bill.channelId), bill]));
    } catch (error) {
      if (!isAceError(error) || error.code === 'StoreFailed') throw error;
      this.#unansweredSinceMs ??= nowMs();
      if (AWAY.has(error.code) && nowMs() - this.#unansweredSinceMs < UNSHOWN_MS) throw error;
      return new Map();
    }
  }

  #isRight({ channelId, billedUnits }: OverbilledChannel, bill: Bill): boolean {
    if (bill.units < billedUnits) return false;
    const own = this.#context.store.payerChannels.get(channelId);
    if (own) {
      const { capacityUnits } = own.state;
      if (bill.units > capacityUnits) return false;
      const chain = TickChain.fromPebbles(own.pebbles, capacityUnits, sha256);
      return sameBytes(chain.tick(bill.units), bill.tick);
    }
    if (!sameBytes(channelIdOf(bill.terms, sha256), channelId)) return false;
    try {
      const terms = decodeTerms(bill.terms);
      return (
        terms.payer === this.#context.account &&
        bill.units <= terms.capacityUnits &&
        isSignedBy(devicePublicKey(terms.payerDevice), bill.terms, bill.termsSignature) &&
        leadsTo(bill.tick, bill.units, terms.anchor, sha256)
      );
    } catch (error) {
      if (isAceError(error)) return false;
      throw error;
    }
  }

  /** The tick is this account's own. */
  #bookProven({ channelId, billedUnits, revealedUnits }: OverbilledChannel, { units }: Bill): void {
    const { store, nowMs, log } = this.#context;
    const own = store.payerChannels.get(channelId);
    store.commit(() => {
      store.billedChannels.prove(channelId, units);
      if (own && allows(own.state.status, 'disputed'))
        store.payerChannels.save(advance(own.state, 'disputed'), nowMs());
    });
    if (!own) return;
    log.error(
      { channel: toHex(channelId), billedUnits, revealedUnits },
      'a channel was paid further than these books know, by its own ticks: they are an old copy, or somebody has read them',
    );
  }

  #statements({ channelId }: OverbilledChannel): NewSettlement[] {
    const rows: NewSettlement[] = [];
    for (const row of this.#context.store.settlements.all()) {
      if (row.direction !== 'paid') continue;
      if (row.detail?.channels.some((one) => sameBytes(one.channelId, channelId))) rows.push(row);
      if (rows.length > MAX_BILL_STATEMENTS) rows.shift();
    }
    return rows;
  }

  #proof(shard: number, channel: OverbilledChannel | null, rows: readonly NewSettlement[]): DivergedShardRow {
    const { store, book, nowMs } = this.#context;
    const proof = encodeBillProof({
      channelId: channel?.channelId ?? null,
      revealedUnits: channel?.revealedUnits ?? null,
      terms: (channel && store.payerChannels.get(channel.channelId)?.terms) ?? null,
      statements: rows.flatMap((row) => book.signed(row) ?? []),
    });
    return { shard, kind: 'overbilled', proof, atMs: nowMs() };
  }
}
