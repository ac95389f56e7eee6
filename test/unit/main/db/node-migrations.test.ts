import { join } from 'node:path';
import { expect, it } from 'vitest';
import { first } from '../../../../main/db/node/migrations/0001-first.ts';
import { NODE_MIGRATIONS, openNodeStore } from '../../../../main/db/node/store.ts';
import { type Database, openDatabase } from '../../../../main/db/open.ts';
import { encodeCheckpoint } from '../../../../shared/channel/records.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const NOW_MS = 1_800_000_000_000;
const bytes = (n: number, length = 32) => new Uint8Array(length).fill(n);

function checkpoint(channel: number, final: boolean): Uint8Array {
  return encodeCheckpoint({
    channelId: bytes(channel),
    number: 1,
    units: 300,
    bytes: 300 * 1_048_576,
    videoBytes: 0,
    watchMs: 70_000,
    final,
    // A tick of the bytes that mean true and false.
    tick: bytes(final ? 0xf4 : 0xf5),
  });
}

function insert(db: Database, table: string, row: Record<string, unknown>): void {
  const columns = Object.keys(row);
  db.prepare(
    `INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map((name) => `@${name}`).join()})`,
  ).run(row);
}

const COMMON = {
  terms: bytes(1),
  terms_signature: bytes(2, 64),
  capacity_units: 400,
  expires_at_ms: NOW_MS,
  checkpoint_number: 1,
  checkpoint_units: 300,
};

function payerRow(channel: number, status: string, final: boolean | null, leased = true) {
  return {
    ...COMMON,
    channel_id: bytes(channel),
    payee: '0xpayee',
    payee_device: bytes(3),
    lease_signature: leased ? bytes(4, 64) : null,
    pebbles: bytes(5, 256),
    revealed_units: 300,
    verified_bytes: 300 * 1_048_576,
    video_bytes: 7,
    lost_bytes: 8,
    lost_at_ms: 9,
    watch_ms: 70_000,
    checkpoint_at_ms: NOW_MS - 5,
    checkpoint: final === null ? null : checkpoint(channel, final),
    payer_signature: final === null ? null : bytes(6, 64),
    payee_signature: final === null ? null : bytes(7, 64),
    status,
    opened_at_ms: NOW_MS + channel,
  };
}

function payeeRow(channel: number, status: string, final: boolean | null, finalClaimed: number) {
  return {
    ...COMMON,
    channel_id: bytes(channel),
    payer: '0xpayer',
    payer_device: bytes(3),
    lease_signature: bytes(4, 64),
    paid_units: 300,
    tick: bytes(8),
    served_bytes: 301 * 1_048_576,
    served_at_ms: NOW_MS - 1,
    claimed_units: 300,
    final_claimed: finalClaimed,
    checkpoint: final === null ? null : checkpoint(channel, final),
    payer_signature: final === null ? null : bytes(6, 64),
    payee_signature: final === null ? null : bytes(7, 64),
    status,
    opened_at_ms: NOW_MS + channel,
  };
}

it('channels of the first schema keep every figure, in the state that they were in', () => {
  const path = join(tempDir(), 'node.db');
  const old = openDatabase({ path, role: 'node', migrations: [first] });
  insert(old, 'payer_channels', payerRow(1, 'open', null, false));
  insert(old, 'payer_channels', payerRow(2, 'open', false));
  insert(old, 'payer_channels', payerRow(3, 'closing', true));
  insert(old, 'payer_channels', payerRow(4, 'closed', true));
  insert(old, 'payer_channels', payerRow(5, 'closed', false));
  insert(old, 'payer_channels', payerRow(6, 'closed', null));
  insert(old, 'payee_channels', payeeRow(1, 'open', null, 0));
  insert(old, 'payee_channels', payeeRow(2, 'closed', true, 0));
  insert(old, 'payee_channels', payeeRow(3, 'closed', true, 1));
  insert(old, 'payee_channels', payeeRow(4, 'closed', false, 0));
  insert(old, 'payee_channels', payeeRow(5, 'closed', null, 0));
  const before = ['payer_channels', 'payee_channels'].map((table) =>
    old.prepare<[], { status: string; final_claimed?: number }>(`SELECT * FROM ${table}`).all(),
  );
  old.close();

  openNodeStore(path).close();
  const db = openDatabase({ path, role: 'node', migrations: NODE_MIGRATIONS, snapshot: true });
  const now = ['payer_channels', 'payee_books'].map((table) =>
    db.prepare<[], { status: string }>(`SELECT * FROM ${table}`).all(),
  );
  db.close();
  expect(now.map((rows) => rows.map(({ status }) => status))).toEqual([
    ['opening', 'open', 'closing', 'closing', 'disputed', 'disputed'],
    ['open', 'closing', 'claimed', 'disputed', 'disputed'],
  ]);
  const figures = before.map((rows) => rows.map(({ status: _, final_claimed: __, ...row }) => row));
  expect(now.map((rows) => rows.map(({ status: _, ...row }) => row))).toMatchObject(
    figures.map((rows) => rows.map((row) => ({ ...row, paused_by: null }))),
  );
});

it('channels of the fifth schema keep every figure, and what can still be claimed is found', () => {
  const path = join(tempDir(), 'node.db');
  const old = openDatabase({ path, role: 'node', migrations: NODE_MIGRATIONS.slice(0, 5) });
  const row = (channel: number, status: string, claimedUnits: number) => {
    const { final_claimed: _, ...rest } = payeeRow(channel, status, true, 0);
    const told = { shard_units: 290, settled_units: 280, released: channel % 2, told_at_ms: NOW_MS - 2 };
    const pausedBy = status === 'paused' ? 'payment-overdue' : null;
    insert(old, 'payee_channels', { ...rest, ...told, claimed_units: claimedUnits, paused_by: pausedBy });
  };
  row(9, 'paused', 200);
  row(2, 'open', 300);
  row(5, 'closing', 300);
  row(1, 'claimed', 200);
  row(3, 'expired', 200);
  // A row in between is gone: the numbers of rows have a gap.
  old.prepare('DELETE FROM payee_channels WHERE channel_id = ?').run(bytes(2));
  const before = old.prepare<[], object>('SELECT * FROM payee_channels ORDER BY channel_id').all();
  old.close();

  const store = openNodeStore(path);
  expect(store.payeeChannels.toClaim().map(({ state }) => state.channelId[0])).toEqual([3, 5, 9]);
  expect(store.payeeChannels.expired(NOW_MS)).toEqual([Buffer.from(bytes(9))]);
  store.close();
  const db = openDatabase({ path, role: 'node', migrations: NODE_MIGRATIONS, snapshot: true });
  const now = db.prepare<[], { id: number }>('SELECT * FROM payee_books ORDER BY channel_id').all();
  db.close();
  expect(now.map(({ id: _, ...rest }) => rest)).toEqual(before);
});
