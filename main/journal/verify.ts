/**
 * Whether the journal is true: every entry is made again from its record and compared byte by byte, then all are added up
 * and held against what the node knows of the account, and what its shard answers.
 */
import { setImmediate } from 'node:timers/promises';
import { SERVICES_TOKENS, type ServicesToken } from '../../shared/economy/holdings.ts';
import { TOKENS, type Token } from '../../shared/economy/money.ts';
import { isAceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import { type Commodity, TRAFFIC } from '../../shared/journal/chart.ts';
import { decodeEntry, type JournalEntry, ledgerAccount } from '../../shared/journal/entry.ts';
import { ALWAYS } from '../../shared/journal/export.ts';
import type { JournalComparison, JournalVerification } from '../../shared/rpc/journal.ts';
import { unnamedUnits } from '../../shared/settlement/bill-proof.ts';
import { type NodeStore, openNodeStore } from '../db/node/store.ts';
import { type JournalRecord, journalRecords } from './records.ts';
import { decimal } from './text.ts';

/** What is known of an account besides its journal. */
export interface KnownAccount {
  readonly main: Readonly<Record<Token, bigint>>;
  readonly services: Readonly<Record<ServicesToken, bigint>>;
  readonly creditUsedUnits: number;
  /** Oldest first; all of them are `creditUsedUnits`, where they are few enough to be listed. */
  readonly loans: readonly { readonly creditor: string; readonly units: number }[];
  readonly asOfMs: number;
}

/** Entries worked on before the event loop goes on, so that the node keeps working. */
const ENTRIES_AT_ONCE = 500;
/** Records that are named one by one. */
const MOST_NAMED = 20;

/**
 * Reads an unchanging picture of the node's file, while others write to it. `node` and `shard` are `null` where they
 * are not known.
 * @throws AceError `StoreFailed`, …
 */
export async function verifyJournal(
  path: string,
  account: string,
  node: KnownAccount | null,
  shard: KnownAccount | null,
): Promise<JournalVerification> {
  const store = openNodeStore(path, { snapshot: true });
  try {
    const { entries, wrongEntries, contradicting } = await compareEntries(store, account);
    const sums = await addUp(store);
    const comparisons = compareAccounts(sums, node, shard);
    const withoutDetail = store.settlements.undetailedCount();
    const sumsAgree = sameSums(store, sums);
    const overbilled = store.billedChannels.overbilled().map(({ channelId }) => toHex(channelId));
    const unnamed = await countUnnamed(store);
    const allSame = comparisons.every(({ same }) => same);
    return {
      verified:
        wrongEntries + contradicting.length + withoutDetail + overbilled.length + unnamed === 0 &&
        sumsAgree &&
        allSame,
      entries,
      wrongEntries,
      contradicting,
      sumsAgree,
      overbilled: overbilled.slice(0, MOST_NAMED),
      unnamed,
      withoutDetail,
      comparisons,
      nodeAsOfMs: node?.asOfMs ?? null,
      shardAsked: shard !== null,
    };
  } finally {
    store.close();
  }
}

/** Settlements that bill units of no channel. */
async function countUnnamed(store: NodeStore): Promise<number> {
  let unnamed = 0;
  let done = 0;
  for (const row of store.settlements.all()) {
    if (unnamedUnits(row) > 0) unnamed += 1;
    if (++done % ENTRIES_AT_ONCE === 0) await setImmediate();
  }
  return unnamed;
}

async function compareEntries(store: NodeStore, account: string) {
  let made = 0;
  let right = 0;
  const contradicting: string[] = [];
  for (const record of journalRecords(store, account)) {
    const own = entriesOf(record);
    if (own === null && contradicting.length < MOST_NAMED) contradicting.push(record.name);
    for (const entry of own ?? []) {
      if (store.journal.holds(entry)) right += 1;
      made += 1;
      if (made % ENTRIES_AT_ONCE === 0) await setImmediate();
    }
  }
  const entries = store.journal.count(ALWAYS);
  return { entries, wrongEntries: made - right + Math.max(0, entries - made), contradicting };
}

/** `null` of a record that contradicts itself: it was right when it was booked, so somebody has changed it. */
function entriesOf(record: JournalRecord): JournalEntry[] | null {
  try {
    return record.entries();
  } catch (error) {
    if (isAceError(error, 'MessageMalformed')) return null;
    throw error;
  }
}

/** Ledger account and commodity to amount. */
type Sums = Map<string, bigint>;

async function addUp(store: NodeStore): Promise<Sums> {
  const sums: Sums = new Map();
  let done = 0;
  for (const body of store.journal.bodies(ALWAYS)) {
    const entry = decodeEntry(body);
    for (const { account, commodity, amount } of entry.postings) {
      const key = `${ledgerAccount(entry, account)} ${commodity}`;
      sums.set(key, (sums.get(key) ?? 0n) + amount);
    }
    if (++done % ENTRIES_AT_ONCE === 0) await setImmediate();
  }
  return sums;
}

/** Whether the sums that the journal keeps are those of its entries. */
function sameSums(store: NodeStore, sums: Sums): boolean {
  const kept = store.journal.balances();
  const own = [...sums.values()].filter((amount) => amount !== 0n).length;
  return (
    kept.length === own &&
    kept.every(({ account, commodity, amount }) => sums.get(`${account} ${commodity}`) === amount)
  );
}

function compareAccounts(
  sums: Sums,
  node: KnownAccount | null,
  shard: KnownAccount | null,
): JournalComparison[] {
  const of = (account: string, commodity: Commodity) => sums.get(`${account} ${commodity}`) ?? 0n;
  const compare = (
    account: string,
    commodity: Commodity,
    journal: bigint,
    known: (account: KnownAccount) => bigint | null,
  ): JournalComparison => {
    const [nodes, shards] = [node && known(node), shard && known(shard)];
    const shown = (amount: bigint | null) => (amount === null ? null : decimal(amount, commodity));
    return {
      account,
      commodity,
      journal: decimal(journal, commodity),
      node: shown(nodes),
      shard: shown(shards),
      same: [nodes, shards].every((amount) => amount === null || amount === journal),
    };
  };
  const below = (parent: string) =>
    [...sums].flatMap(([key, amount]) => {
      const [account = '', commodity] = key.split(' ');
      return account.startsWith(`${parent}:`) && commodity === TRAFFIC && amount !== 0n
        ? [{ account, amount }]
        : [];
    });
  const total = (loans: readonly { amount: bigint }[]) => loans.reduce((sum, { amount }) => sum + amount, 0n);
  const owes = below('liabilities:loans');
  const creditors = new Set([
    ...owes.map(({ account }) => account.slice('liabilities:loans:'.length)),
    ...[node, shard].flatMap((known) => known?.loans.map(({ creditor }) => creditor) ?? []),
  ]);
  return [
    ...TOKENS.map((token) =>
      compare('assets:main', token, of('assets:main', token), ({ main }) => main[token]),
    ),
    ...SERVICES_TOKENS.map((token) =>
      compare('assets:services', token, of('assets:services', token), ({ services }) => services[token]),
    ),
    compare('liabilities:loans', TRAFFIC, total(owes), ({ creditUsedUnits }) => -BigInt(creditUsedUnits)),
    ...[...creditors].sort().map((creditor) => {
      const account = `liabilities:loans:${creditor}`;
      return compare(account, TRAFFIC, of(account, TRAFFIC), (known) => owedTo(known, creditor));
    }),
    // What others owe is known to them alone.
    compare('assets:loans', TRAFFIC, total(below('assets:loans')), () => null),
  ];
}

/** `null` where not all loans are listed. */
function owedTo({ loans, creditUsedUnits }: KnownAccount, creditor: string): bigint | null {
  if (loans.reduce((sum, { units }) => sum + units, 0) !== creditUsedUnits) return null;
  return -BigInt(
    loans.filter((loan) => loan.creditor === creditor).reduce((sum, { units }) => sum + units, 0),
  );
}
