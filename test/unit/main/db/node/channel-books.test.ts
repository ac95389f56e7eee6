import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ChannelPlace } from '../../../../../main/db/node/channel-books.ts';
import { first } from '../../../../../main/db/node/migrations/0001-first.ts';
import { type NodeStore, openNodeStore } from '../../../../../main/db/node/store.ts';
import { openDatabase } from '../../../../../main/db/open.ts';
import { newPayerState } from '../../../../../shared/channel/payer.ts';
import { ratio } from '../../../../../shared/economy/ratio.ts';
import { testAddress } from '../../../../helpers/chain.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

const NOW_MS = 1_800_000_000_000;
const idOf = (n: number) => new Uint8Array(32).fill(n);

let path: string;
let store: NodeStore;

beforeEach(() => {
  path = join(tempDir(), 'node.db');
  store = openNodeStore(path);
});

/** A channel that account `payer` has paid so many units on. */
function earn(n: number, paidUnits: number, openedAtMs = NOW_MS, payer = 1): Uint8Array {
  const [channelId, bytes] = [idOf(n), new Uint8Array(64)];
  store.payeeChannels.insert({
    state: {
      channelId,
      capacityUnits: 100,
      expiresAtMs: NOW_MS + 1_000,
      paidUnits,
      tick: idOf(0),
      servedBytes: paidUnits * 1_048_576,
      checkpointNumber: 0,
      checkpointUnits: 0,
      status: 'open',
      pausedBy: null,
    },
    payer: testAddress(payer),
    payerDevice: idOf(1),
    terms: bytes,
    termsSignature: bytes,
    leaseSignature: bytes,
    openedAtMs,
  });
  return channelId;
}

function pay(n: number, leased: boolean): Uint8Array {
  const [channelId, bytes] = [idOf(n), new Uint8Array(64)];
  store.payerChannels.insert({
    state: {
      ...newPayerState(channelId, { capacityUnits: 100, expiresAtMs: NOW_MS + 1_000 }, NOW_MS),
      revealedUnits: 2,
      status: 'open',
    },
    payee: testAddress(2),
    payeeDevice: idOf(2),
    terms: bytes,
    termsSignature: bytes,
    pebbles: bytes,
    openedAtMs: NOW_MS,
  });
  if (leased) store.payerChannels.setLease(channelId, bytes);
  return channelId;
}

const unsettled = (roundMs: number, limit: number) =>
  store.channelBooks.unsettled(roundMs, limit).map(({ channelId }) => channelId);

const tell = (
  channelId: Uint8Array,
  claimedUnits: number,
  appliedUnits: number,
  released = false,
  atMs = 1,
) => store.channelBooks.bookProgress({ channelId, claimedUnits, appliedUnits, released }, atMs);
const numbers = (ids: readonly Uint8Array[]) => ids.map((id) => id[0]);
const book = (n: number) => store.channelBooks.page(null, 100).find(({ channelId }) => channelId[0] === n);

describe('pages', () => {
  it('have every channel once, also those that were opened in the same millisecond', () => {
    for (let n = 1; n <= 5; n++) earn(n, 0, NOW_MS + (n > 3 ? 1 : 0));
    pay(6, true);
    const seen: (number | undefined)[] = [];
    for (let after: ChannelPlace | null = null; ; ) {
      const page = store.channelBooks.page(after, 2);
      seen.push(...page.map(({ channelId }) => channelId[0]));
      if (page.length === 0) break;
      after = page.at(-1) ?? null;
    }
    expect(seen).toEqual([5, 4, 6, 3, 2, 1]);
    expect(store.channelBooks.count()).toBe(6);
  });
});

describe('what the shard says', () => {
  it('counts no further than the ticks that are held', () => {
    tell(earn(1, 3), 9, 8);
    expect(book(1)).toMatchObject({ shardUnits: 3, settledUnits: 3 });
  });

  it('goes back with a shard that was restored, except for what the main chain has answered for', () => {
    const id = earn(1, 9);
    tell(id, 5, 4, true);
    tell(id, 2, 1, false);
    expect(book(1)).toMatchObject({ shardUnits: 2, settledUnits: 4, released: false });
  });

  it('is of a payer’s channel as well', () => {
    tell(pay(1, true), 2, 1);
    expect(book(1)).toMatchObject({ direction: 'paying', shardUnits: 2, settledUnits: 1 });
  });
});

describe('what is still to be asked', () => {
  it('leaves out what is settled to its end, what has paid nothing new, and what was never leased', () => {
    tell(earn(1, 3), 3, 3, true);
    tell(earn(2, 3), 3, 3);
    pay(3, false);
    earn(4, 3);
    pay(5, true);
    expect(numbers(unsettled(2, 10)).sort()).toEqual([4, 5]);
  });

  it('has what is closed or expired until the shard has released it', () => {
    const [closed, expired] = [earn(1, 3), earn(2, 0)];
    tell(closed, 3, 3);
    const row = store.payeeChannels.get(closed);
    if (row) store.payeeChannels.save({ ...row.state, status: 'closing' }, NOW_MS);
    expect(numbers(unsettled(2, 10))).toEqual([1]);
    expect(numbers(unsettled(NOW_MS + 1_001, 10)).sort()).toEqual([1, 2]);
    tell(closed, 3, 3, true);
    tell(expired, 0, 0, true);
    expect(unsettled(NOW_MS + 1_001, 10)).toEqual([]);
  });

  it('is asked once in a round, the longest untold first, whatever the clock said before', () => {
    for (let n = 1; n <= 3; n++) tell(earn(n, 3), 0, 0, false, 10 * n);
    expect(numbers(unsettled(5, 2))).toEqual([1, 2]);
    for (const n of [1, 2]) tell(idOf(n), 0, 0, false, 5);
    expect(numbers(unsettled(5, 2))).toEqual([3]);
  });
});

describe('totals', () => {
  it('are per account and direction, with what settlements have moved', () => {
    tell(earn(1, 3), 3, 2);
    earn(2, 4);
    earn(3, 1, NOW_MS, 2);
    pay(4, true);
    const settlement = {
      shard: 0,
      batchNumber: 1,
      batchHash: idOf(7),
      atMs: NOW_MS,
      paidUnits: 2,
      creditUnits: 0,
      refusedUnits: 0,
      repaidUnits: 0,
      xatBurned: 0n,
      xasPaid: 0n,
      feeXas: 0n,
      price: ratio(1),
      signature: null,
      detail: null,
    };
    const earned = { ...settlement, direction: 'earned', counterparty: testAddress(1), feeXac: 1n } as const;
    // More than a number holds exactly.
    store.settlements.insert({ ...earned, shardSeq: 1, grossXac: 2n ** 60n });
    store.settlements.insert({ ...earned, shardSeq: 2, grossXac: 1n });
    expect(store.channelBooks.totals()).toMatchObject([
      {
        direction: 'earning',
        channels: 2,
        paidUnits: 7,
        settledUnits: 2,
        grossXac: 2n ** 60n + 1n,
        feeXac: 2n,
      },
      { direction: 'paying', channels: 1, paidUnits: 2, settledUnits: 0, grossXac: 0n },
      { direction: 'earning', counterparty: testAddress(2), channels: 1, paidUnits: 1, grossXac: 0n },
    ]);
  });
});

describe('a file of the first schema', () => {
  it('keeps its channels, nothing of them settled as far as is known', () => {
    const oldPath = join(tempDir(), 'old.db');
    const old = openDatabase({ path: oldPath, role: 'node', migrations: [first] });
    old
      .prepare(
        `INSERT INTO payee_channels (channel_id, payer, payer_device, terms, terms_signature, lease_signature,
           capacity_units, expires_at_ms, paid_units, tick, served_bytes, served_at_ms, checkpoint_number,
           checkpoint_units, claimed_units, status, opened_at_ms)
         VALUES (?, ?, x'01', x'02', x'03', x'04', 9, 1, 5, x'05', 6, 1, 0, 0, 4, 'closed', 7)`,
      )
      .run(idOf(1), testAddress(1));
    old.close();
    store = openNodeStore(oldPath);
    expect(book(1)).toMatchObject({ paidUnits: 5, shardUnits: 0, settledUnits: 0, released: false });
    expect(numbers(unsettled(2, 10))).toEqual([1]);
  });
});
