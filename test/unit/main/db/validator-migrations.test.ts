import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type Database, openDatabase } from '../../../../main/db/open.ts';
import { openValidatorStore, VALIDATOR_MIGRATIONS } from '../../../../main/db/validator/store.ts';
import { isKnownPayer } from '../../../../main/validator/known-accounts.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import type { EntryResult } from '../../../../shared/settlement/batch.ts';
import { encodeBatchResult } from '../../../../shared/settlement/batch-result.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

it('keeps the leases of the second schema, with what belongs to them, and lets two have one anchor', () => {
  const path = join(tempDir(), 'validator.db');
  const old = openDatabase({
    path,
    role: 'validator',
    migrations: VALIDATOR_MIGRATIONS.slice(0, 2),
    name: path,
  });
  const bytes = (value: number) => Buffer.alloc(32, value);
  const lease = {
    channelId: bytes(1),
    anchor: bytes(2),
    payer: '0xa',
    payee: '0xb',
    payerDevice: bytes(3),
    payeeDevice: bytes(4),
    terms: bytes(5),
    signature: bytes(6),
    capacityUnits: 9,
    leasedAtMs: 10,
    expiresAtMs: 20,
  };
  old
    .prepare(
      `INSERT INTO leases (channel_id, anchor, payer, payee, payer_device, payee_device, terms, signature,
         capacity_units, leased_at_ms, expires_at_ms, claimed_units, claimed_tick, sealed_units, applied_units)
       VALUES (@channelId, @anchor, @payer, @payee, @payerDevice, @payeeDevice, @terms, @signature, @capacityUnits,
         @leasedAtMs, @expiresAtMs, 7, @terms, 6, 5)`,
    )
    .run(lease);
  old
    .prepare(`INSERT INTO terms_signatures (channel_id, signature) VALUES (?, ?)`)
    .run(lease.channelId, bytes(8));
  old.close();

  const store = openValidatorStore(path);
  onTestFinished(() => store.close());
  expect(store.leases.get(lease.channelId)).toMatchObject({
    ...lease,
    claimedUnits: 7,
    claimedTick: lease.terms,
    sealedUnits: 6,
    appliedUnits: 5,
    released: 0,
  });
  expect(store.leases.reservedUnits('0xa')).toBe(4);
  expect(store.disputes.termsWithAnchor(lease.anchor, lease.payerDevice)?.signature).toEqual(bytes(8));
  store.leases.insert({ ...lease, channelId: bytes(9) });
  store.disputes.saveTermsSignature(bytes(9), bytes(8));
  expect(store.leases.openCount('0xa')).toBe(2);
});

/** One batch, with what the main chain answered for its entries. */
function addAnswered(db: Database, number: number, entries: readonly Partial<EntryResult>[]): void {
  const none = {
    repaidUnits: 0,
    paidUnits: 0,
    creditUnits: 0,
    refusedUnits: 0,
    repayment: null,
    payment: null,
  };
  const result = encodeBatchResult({
    ...{ shard: 0, number, hash: new Uint8Array(32), unitPriceXac: ratio(1) },
    entries: entries.map((entry) => ({ payer: '0xa', payee: '0xb', ...none, ...entry })),
  });
  db.prepare(
    `INSERT INTO batches (number, hash, bytes, signature, created_at_ms, result) VALUES (?, x'01', x'02', x'03', 1, ?)`,
  ).run(number, result);
}

it('knows of an account what it has paid, and counts nothing twice that older rules counted while it was owed', () => {
  const path = join(tempDir(), 'validator.db');
  const migrations = VALIDATOR_MIGRATIONS.slice(0, 6);
  const old = openDatabase({ path, role: 'validator', migrations, name: path });
  addAnswered(old, 1, [{ paidUnits: 20, creditUnits: 70 }]);
  addAnswered(old, 2, [{ repaidUnits: 40 }]);
  old.exec(`
    INSERT INTO watchers (account, watched_until_ms) VALUES ('0xa', 1), ('0xc', 1);
    INSERT INTO leases (channel_id, anchor, payer, payee, payer_device, payee_device, terms, signature, capacity_units,
      leased_at_ms, expires_at_ms, claimed_units, claimed_tick, sealed_units, applied_units)
    VALUES (x'01', x'02', '0xa', '0xb', x'03', x'04', x'05', x'06', 100, 1, 2, 90, x'07', 90, 90);
    INSERT INTO loans (debtor, creditor, units, units_left, batch_number, at_ms)
    VALUES ('0xa', '0xb', 50, 30, 1, 1), ('0xa', '0xb', 20, 0, 1, 1);
  `);
  old.close();
  const store = openValidatorStore(path);
  onTestFinished(() => store.close());
  expect(store.watchers.get('0xa')).toMatchObject({
    paidUnits: -30,
    everPaidUnits: 60,
    waitingUnits: 0,
    dayMs: 0,
  });
  expect(store.watchers.get('0xc')).toMatchObject({ paidUnits: 0, everPaidUnits: 0 });
});

// It counted as paid before, and made the account known.
it('takes what the main chain had refused by then for refused', () => {
  const path = join(tempDir(), 'validator.db');
  const migrations = VALIDATOR_MIGRATIONS.slice(0, 7);
  const old = openDatabase({ path, role: 'validator', migrations, name: path });
  old.exec(`
    INSERT INTO watchers (account, watched_until_ms) VALUES ('0xa', 1), ('0xc', 1);
    INSERT INTO leases (channel_id, anchor, payer, payee, payer_device, payee_device, terms, signature, capacity_units,
      leased_at_ms, expires_at_ms, claimed_units, claimed_tick, sealed_units, applied_units)
    VALUES (x'01', x'02', '0xa', '0xb', x'03', x'04', x'05', x'06', 100, 1, 2, 90, x'07', 90, 90),
      (x'08', x'09', '0xc', '0xb', x'03', x'04', x'05', x'06', 100, 1, 2, 30, x'07', 30, 20);
  `);
  addAnswered(old, 1, [
    { paidUnits: 2, refusedUnits: 88 },
    { payer: '0xc', paidUnits: 15 },
  ]);
  addAnswered(old, 2, [{ payer: '0xc', payee: '0xd', paidUnits: 5, repaidUnits: 0 }]);
  // It is under way: nothing is known of it.
  old.exec(
    `INSERT INTO batches (number, hash, bytes, signature, created_at_ms) VALUES (3, x'01', x'02', x'03', 1)`,
  );
  old.close();
  const store = openValidatorStore(path);
  onTestFinished(() => store.close());
  expect(['0xa', '0xc'].map((account) => store.watchers.everPaidUnits(account))).toEqual([2, 20]);
  expect(['0xa', '0xc'].map((account) => store.watchers.everRefusedUnits(account))).toEqual([88, 0]);
  expect(['0xa', '0xc'].map((account) => isKnownPayer(store, account))).toEqual([false, true]);
});
