/**
 * The journal of every account after any long history of a whole economy: entries balance, and add up to what the main
 * chain says the account has and what the second level says it owes.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openNodeStore } from '../../main/db/node/store.ts';
import { entriesOfSettlement, entryOfOperation } from '../../main/journal/records.ts';
import { heldOf, PLACES } from '../../shared/economy/holdings.ts';
import { TOKENS, type Token } from '../../shared/economy/money.ts';
import { COMMODITIES } from '../../shared/journal/chart.ts';
import {
  amountIn,
  decodeEntry,
  type EntryKey,
  encodeEntry,
  type JournalEntry,
  ledgerAccount,
  SOURCES,
} from '../../shared/journal/entry.ts';
import { ALWAYS } from '../../shared/journal/export.ts';
import { figuresOf } from '../../shared/journal/figures.ts';
import { movementsOf } from '../../shared/journal/movements.ts';
import { type AppliedBatch, bookRecords, recordsOf } from '../helpers/journal.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { triesInTiers } from '../helpers/tiers.ts';
import { Economy } from './history.ts';
import { ACCOUNTS, history, world } from './history-world.ts';

const RUNS = triesInTiers(3, 8);
const STEPS = 80;
/** Whose records are booked in files as well. */
const BOOKED_ACCOUNTS = 2;
const kinds = new Map<string, number>();

/** The order of the journal, as `Array.sort` wants it. */
function compareKeys(a: EntryKey, b: EntryKey): number {
  return (
    a.atMs - b.atMs ||
    SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source) ||
    a.shard - b.shard ||
    a.seq - b.seq ||
    a.part - b.part
  );
}

describe('the journal of any history', () => {
  it('balances, and adds up to what chain and shard say', async () => {
    await fc.assert(
      fc.asyncProperty(world, history(STEPS), fc.nat(1_000), async (start, steps, seed) => {
        const dir = tempDir();
        const economy = new Economy(join(dir, 'chain.db'), start);
        const batches: AppliedBatch[] = [];
        for (const step of steps) {
          const batch = (await economy.take(step))?.batch;
          if (batch) batches.push({ result: batch.result, atMs: 1_700_000_000_000 + batches.length });
        }
        for (const [i, { address }] of ACCOUNTS.entries()) {
          const records = await recordsOf(economy.chain, economy.settings, address, batches);
          const entries = [
            ...records.operations.map((row) => entryOfOperation(address, row)),
            ...records.settlements.flatMap(entriesOfSettlement),
          ].sort(compareKeys);
          await check(economy, address, entries);

          if (i >= BOOKED_ACCOUNTS) continue;
          // However the records arrive, the journal's file has the same bytes.
          const [one, other] = [0, 1].map((n) => openNodeStore(join(dir, `${address}-${n}.db`)));
          if (!one || !other) throw new Error('no stores');
          bookRecords(one, address, records);
          for (const at of shuffled(records.settlements.length, seed)) {
            bookRecords(other, address, {
              operations: [],
              settlements: records.settlements.slice(at, at + 1),
            });
          }
          for (const at of shuffled(records.operations.length, seed)) {
            bookRecords(other, address, {
              operations: records.operations.slice(at, at + 1),
              settlements: [],
            });
          }
          const bodies = [...one.journal.bodies(ALWAYS)].map((body) => Buffer.from(body).toString('hex'));
          expect([...other.journal.bodies(ALWAYS)].map((body) => Buffer.from(body).toString('hex'))).toEqual(
            bodies,
          );
          expect(bodies).toEqual(entries.map((entry) => Buffer.from(encodeEntry(entry)).toString('hex')));
          expect(other.journal.balances()).toEqual(one.journal.balances());
          one.close();
          other.close();
        }
        await economy.close();
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it.each([
    'settlement',
    'repayment',
    'opening',
    'transfer',
    'mint',
    'swap',
    'access',
    'reward',
    'link',
    'feed',
  ])('has entries of %s', { tags: 'long' }, (kind) => expect(kinds.get(kind) ?? 0).toBeGreaterThan(0));
});

async function check(economy: Economy, address: string, entries: readonly JournalEntry[]): Promise<void> {
  const sums = new Map<string, bigint>();
  const moved: Record<Token, bigint> = { XAT: 0n, XAC: 0n, XAS: 0n, XAB: 0n };
  for (const entry of entries) {
    kinds.set(entry.kind, (kinds.get(entry.kind) ?? 0) + 1);
    for (const commodity of COMMODITIES) {
      const here = entry.postings.filter((posting) => posting.commodity === commodity);
      expect(here.reduce((sum, { amount }) => sum + amount, 0n)).toBe(0n);
    }
    for (const { account, commodity, amount } of entry.postings) {
      expect(amount).not.toBe(0n);
      const key = `${ledgerAccount(entry, account)} ${commodity}`;
      sums.set(key, (sums.get(key) ?? 0n) + amount);
    }
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
    // What programs for taxes are told is the change of the wallet.
    const told: Record<Token, bigint> = { XAT: 0n, XAC: 0n, XAS: 0n, XAB: 0n };
    for (const { sent, received, fee } of movementsOf(entry)) {
      if (sent) told[sent.token] -= sent.amount;
      if (received) told[received.token] += received.amount;
      if (fee) told[fee.token] -= fee.amount;
    }
    const { wallet, paid } = figuresOf(entry);
    expect(told).toEqual(wallet);
    for (const token of TOKENS) {
      const places = amountIn(entry, 'assets:main', token) + amountIn(entry, 'assets:services', token);
      expect(wallet[token]).toBe(places);
      moved[token] += told[token];
    }
    for (const { gross, fee, net } of Object.values(paid)) expect(gross).toBe(fee + net);
  }
  const account = await economy.chain.account(address);
  for (const place of PLACES) {
    const held: Partial<Record<Token, bigint>> = account[place];
    for (const token of TOKENS) {
      expect(sums.get(`assets:${place} ${token}`) ?? 0n).toBe(held[token] ?? 0n);
    }
  }
  for (const token of TOKENS) expect(moved[token]).toBe(heldOf(account, token));
  let owed = 0n;
  for (const { address: other } of ACCOUNTS) {
    const owedUnits = -(sums.get(`liabilities:loans:${other} MiB`) ?? 0n);
    expect(owedUnits).toBe(BigInt(economy.loans.get(address + other) ?? 0));
    expect(sums.get(`assets:loans:${other} MiB`) ?? 0n).toBe(BigInt(economy.loans.get(other + address) ?? 0));
    owed += owedUnits;
  }
  expect(owed).toBe(BigInt(account.creditUsedUnits));
}

/** 0 … count − 1 in an order that the seed decides. */
function shuffled(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => (((a + 1) * 7919 * (seed + 1)) % 1009) - (((b + 1) * 7919 * (seed + 1)) % 1009) || a - b,
  );
}
