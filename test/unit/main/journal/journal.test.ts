import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StatementBook } from '../../../../main/account/statement-book.ts';
import type { NewSettlement } from '../../../../main/db/node/settlements.ts';
import { NODE_MIGRATIONS, type NodeStore, openNodeStore } from '../../../../main/db/node/store.ts';
import { openDatabase } from '../../../../main/db/open.ts';
import { ContentLinks } from '../../../../main/journal/contents.ts';
import { JournalDownloads } from '../../../../main/journal/downloads.ts';
import { verifyJournal } from '../../../../main/journal/verify.ts';
import { balancesView, entriesView } from '../../../../main/journal/views.ts';
import { settle } from '../../../../main/validator/batching.ts';
import { statementRows } from '../../../../main/validator/statements.ts';
import { verifyDevice } from '../../../../main/wallet/device.ts';
import { parseRatio } from '../../../../shared/economy/ratio.ts';
import { paymentFrom } from '../../../../shared/settlement/batch-result.ts';
import {
  checkShardProof,
  encodeShardProof,
  encodeStatement,
} from '../../../../shared/settlement/statement.ts';
import { expectAceError, expectAceRejection } from '../../../helpers/ace-error.ts';
import { nastyNode } from '../../../helpers/exported.ts';
import { party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const [PAYER, PAYEE] = [party(1), party(2)];
const ACCOUNT = PAYEE.account.address;

/** A shard that settled three channels, and the store of the payee, which was told nothing yet. */
async function settled() {
  const shard = new TestShard(tempDir(), {}, [[PAYER.account.address, 'XAT', '5']]);
  onTestFinished(() => shard.close());
  for (const units of [40, 50, 60]) {
    const channel = await shard.lease(PAYER, PAYEE, 100);
    shard.claim(channel, units);
    await settle(shard.context);
  }
  const path = join(tempDir(), 'node.db');
  const store = openNodeStore(path);
  onTestFinished(() => store.close());
  const { networkId, validatorKeys } = shard.settings;
  const book = new StatementBook({
    store,
    networkId,
    validatorKeys,
    account: ACCOUNT,
    nowMs: () => shard.nowMs,
  });
  const rows = statementRows({ ...shard.context, networkId }, ACCOUNT, 0).map(
    ({ seq, price, repayment, payment, channels, ...row }): NewSettlement => ({
      ...(row as unknown as NewSettlement),
      shardSeq: seq,
      price: parseRatio(price),
      detail: {
        repayment: repayment && paymentFrom(repayment),
        payment: payment && paymentFrom(payment),
        channels,
      },
    }),
  );
  return { shard, store, path, book, rows };
}

describe('what an entry was for', () => {
  it('stays what was known when it was settled, whatever the channel carries later', async () => {
    const { store, book, rows } = await settled();
    const [row] = rows;
    const channelId = row?.detail?.channels[0]?.channelId as Uint8Array;
    const about = { transport: new Uint8Array(), mimeType: 'video/mp4', sizeBytes: 1, durationMs: 0 };
    const carries = (contentId: string, bytes: number) =>
      store.commit(() => {
        store.contents.insert({
          contentId,
          name: `${contentId}.mp4`,
          ...about,
          origin: 'fetched',
          addedAtMs: 1,
        });
        store.channelContents.add(channelId, contentId, bytes);
      });
    const named = () =>
      [...store.journal.entries({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER })].map((entry) =>
        new ContentLinks(store).of(entry).map(({ name }) => name),
      );
    carries('first', 10);
    book.book(rows.slice(0, 1));
    expect(named()).toEqual([['first.mp4']]);
    carries('later', 1_000);
    store.commit(() => store.contents.delete('first'));
    expect(named()).toEqual([['first.mp4']]);
    book.book(rows.slice(1, 2));
    // Nothing was known of the second: it is looked up, as before such things were kept.
    expect(named()).toEqual([['first.mp4'], []]);
  });
});

describe('a statement', () => {
  it('names the channels whose units it settled', async () => {
    const { rows } = await settled();
    expect(rows.map(({ detail }) => detail?.channels.map(({ units }) => units))).toEqual([[40], [50], [60]]);
  });

  it('from before details were told gets its detail and its journal entries later, and proves nothing', async () => {
    const { shard, store, path, book, rows } = await settled();
    const { networkId, validatorKeys } = shard.settings;
    const signed = (row: NewSettlement) => {
      const record = encodeStatement({ ...row, seq: row.shardSeq, networkId, account: ACCOUNT });
      return { record, signature: shard.context.key.sign(record) };
    };
    const old = rows.map((row) => ({ ...row, detail: null }));
    expect(book.book(old.map((row) => ({ ...row, signature: signed(row).signature }))).added.length).toBe(3);
    expect([...store.journal.counterparties()]).toEqual([]);
    expect([store.settlements.firstUndetailed(0), store.settlements.undetailedCount()]).toEqual([1, 3]);
    expect((await verifyJournal(path, ACCOUNT, null, null)).verified).toBe(false);

    // Told again, in whole: nothing is new, nothing contradicts.
    expect(book.book(rows)).toEqual({ added: [], diverged: null });
    expect(store.settlements.undetailedCount()).toBe(0);
    const { main, services } = await shard.chain.account(ACCOUNT);
    expect(balancesView(store).balances).toContainEqual({
      account: 'assets:services',
      commodity: 'XAC',
      amount: `0.${services.XAC.toString().padStart(7, '0')}`,
    });
    const known = { main, services, creditUsedUnits: 0, loans: [], asOfMs: 1 };
    expect(await verifyJournal(path, ACCOUNT, known, known)).toMatchObject({ verified: true, entries: 3 });

    const [before, after] = [old[0], rows[0]];
    if (!before || !after) throw new Error('no statements');
    const keys = validatorKeys.map((key) => Buffer.from(key, 'hex'));
    const check = (proof: Uint8Array) => checkShardProof(proof, networkId, keys, verifyDevice);
    expectAceError('ProofInvalid', () => check(encodeShardProof(signed(before), signed(after))));
    const other = { ...after, feeXac: after.feeXac + 1n };
    expect(check(encodeShardProof(signed(before), signed(other)))).toBe(0);
  });

  it('is missed by a verification in whatever column its entry was changed', async () => {
    const { path, book, rows } = await settled();
    book.book(rows);
    const verified = async (sql: string) => {
      const db = openDatabase({ path, role: 'node', migrations: NODE_MIGRATIONS });
      db.exec(`BEGIN; ${sql}; COMMIT`);
      db.close();
      return verifyJournal(path, ACCOUNT, null, null);
    };
    expect(await verified('SELECT 1')).toMatchObject({ verified: true, entries: 3, wrongEntries: 0 });
    const foreign = `0x${'1'.repeat(40)}`;
    for (const [change, back] of [
      ['accounts = accounts + 1', 'accounts = accounts - 1'],
      [`counterparty = '${foreign}'`, `counterparty = '${PAYER.account.address}'`],
      ['at_ms = at_ms + 1', 'at_ms = at_ms - 1'],
    ]) {
      const set = (assignment?: string) => `UPDATE journal_entries SET ${assignment} WHERE source_seq = 2`;
      expect(await verified(set(change))).toMatchObject({ verified: false, wrongEntries: 1 });
      expect((await verified(set(back))).verified).toBe(true);
    }
    const settlement = (assignment: string) => `UPDATE settlements SET ${assignment} WHERE seq = 2`;
    expect(await verified(settlement('gross_xac = gross_xac + 1'))).toMatchObject({
      verified: false,
      contradicting: ['settlement s0-2'],
    });
    expect((await verified(settlement('gross_xac = gross_xac - 1'))).verified).toBe(true);
    for (const [table, change] of [
      ['settlements', `detail = x'ff'`],
      ['journal_balances', `amount = 'x'`],
    ]) {
      await expectAceRejection('StoreFailed', verified(`UPDATE ${table} SET ${change}`));
    }
  });

  it('whose parts are not its sums is not booked at all', async () => {
    const { store, book, rows, shard } = await settled();
    const [row] = rows;
    if (!row) throw new Error('no statement');
    const wrong = { ...row, feeXac: row.feeXac + 1n };
    const record = encodeStatement({
      ...wrong,
      seq: 1,
      networkId: shard.settings.networkId,
      account: ACCOUNT,
    });
    const signature = shard.context.key.sign(record);
    expectAceError('MessageMalformed', () => book.book([{ ...wrong, signature }]));
    expect(store.settlements.count()).toBe(0);
  });
});

describe('the entries that made a number', () => {
  async function nasty(): Promise<NodeStore> {
    const dir = tempDir();
    await nastyNode(dir);
    const store = openNodeStore(join(dir, 'node.db'));
    onTestFinished(() => store.close());
    return store;
  }

  it('come newest first, page by page, each once', async () => {
    const store = await nasty();
    const all = entriesView(store, { limit: 500 });
    expect(all.next).toBeNull();
    expect(all.entries.map(({ atMs }) => atMs)).toEqual(
      all.entries.map(({ atMs }) => atMs).sort((a, b) => b - a),
    );
    const paged = [];
    let cursor: string | undefined;
    do {
      const page = entriesView(store, { limit: 4, cursor });
      paged.push(...page.entries);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(paged).toEqual(all.entries);
  });

  it('are those of an account and all below it, in one commodity, with one counterparty', async () => {
    const store = await nasty();
    const all = entriesView(store, { limit: 500 }).entries;
    const has = (account: RegExp, commodity: string) =>
      all.filter(({ postings }) =>
        postings.some((p) => account.test(p.account) && p.commodity === commodity),
      );
    const asked = entriesView(store, { account: 'expenses:traffic', commodity: 'XAC', limit: 500 }).entries;
    expect(asked).toEqual(has(/^expenses:traffic/, 'XAC'));
    expect(asked.length).toBeGreaterThan(2);
    const [loan] = has(/^liabilities:loans/, 'MiB');
    const counterparty = loan?.counterparty ?? '';
    const ofOne = entriesView(store, { account: 'liabilities:loans', counterparty, limit: 500 }).entries;
    expect(ofOne).toEqual(
      has(/^liabilities:loans/, 'MiB').filter((entry) => entry.counterparty === counterparty),
    );
    const sum = ofOne
      .flatMap(({ postings }) => postings.filter((p) => p.account.startsWith('liabilities:')))
      .reduce((total, { amount }) => total + Number(amount), 0);
    const kept = balancesView(store).balances.find((b) => b.account === `liabilities:loans:${counterparty}`);
    expect(sum).toBe(Number(kept?.amount ?? 0));
    expectAceError('InvalidInput', () => entriesView(store, { account: 'assets:gold', limit: 5 }));
  });

  it('are those of operations alone, and of a time', async () => {
    const store = await nasty();
    const all = entriesView(store, { limit: 500 }).entries;
    const operations = all.filter(({ height }) => height !== null);
    expect(operations.length).toBeGreaterThan(2);
    expect(operations.length).toBeLessThan(all.length);
    expect(entriesView(store, { source: 'operation', limit: 500 }).entries).toEqual(operations);
    const moments = [...new Set(all.map(({ atMs }) => atMs))].sort((a, b) => a - b);
    const [fromMs = 0, untilMs = 0] = [moments[1], moments.at(-1)];
    const within = all.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
    expect(within.length).toBeGreaterThan(0);
    expect(entriesView(store, { fromMs, untilMs, limit: 500 }).entries).toEqual(within);
    const paged = [];
    let cursor: string | undefined;
    do {
      const page = entriesView(store, { fromMs, untilMs, source: 'settlement', limit: 2, cursor });
      paged.push(...page.entries);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(paged).toEqual(within.filter(({ settlement }) => settlement !== null));
  });
});

it('an export is downloaded once, within a minute of being asked for', async () => {
  const dir = tempDir();
  await nastyNode(dir);
  const clock = { nowMs: Date.UTC(2026, 10, 21) };
  const log = { warn() {} };
  const downloads = new JournalDownloads({ path: join(dir, 'node.db'), nowMs: () => clock.nowMs, log });
  const server = createServer(
    (req, res) => void downloads.serve(req, res, new URL(req.url ?? '', 'http://x').searchParams, false),
  ).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const get = (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  const { path, fileName } = downloads.offer({ format: 'koinly', bom: false });
  expect(fileName).toBe('ace-journal-2026-11-21.koinly.csv');
  const first = await get(path);
  expect(first.status).toBe(200);
  expect(await first.text()).toMatch(/^Date,Sent Amount/);
  expect((await get(path)).status).toBe(401);
  const late = downloads.offer({ format: 'csv', bom: false });
  clock.nowMs += 60_001;
  expect((await get(late.path)).status).toBe(401);
  expect((await get('/export?format=csv')).status).toBe(401);
  expectAceError('InvalidInput', () => downloads.offer({ format: 'csv', from: '2026-13-01', bom: false }));
});
