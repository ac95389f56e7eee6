import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { MAX_AMOUNT } from '../../shared/economy/money.ts';
import type { Genesis, NetworkSettings } from '../../shared/economy/settings.ts';
import { expectAceError, expectAceRejection } from '../helpers/ace-error.ts';
import {
  entry,
  nextBatch,
  settle,
  sign,
  snapshot,
  testAddress,
  testGenesis,
  testSettings,
} from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { chainCompliance } from './chain-compliance.ts';

const [PAYER, PAYEE] = [testAddress(1), testAddress(2)];
const GENESIS = testGenesis([[PAYER, 'XAT', '10']]);

function open(
  dir: string,
  settings: NetworkSettings = testSettings(),
  genesis: Genesis = GENESIS,
  nowMs = () => 1_700_000_000_000,
) {
  return openEmbeddedChain({ path: join(dir, 'chain.db'), settings, genesis, nowMs });
}

/** Changes the closed file behind the chain's back. */
function tamper(dir: string, sql: string): void {
  const db = new Sqlite(join(dir, 'chain.db'));
  db.exec(sql);
  db.close();
}

chainCompliance('embedded chain', open);

describe('embedded chain', () => {
  it('refuses a file whose sums are wrong', async () => {
    const dir = tempDir();
    await open(dir).close();
    tamper(dir, 'UPDATE accounts SET xat = xat + 1');
    const error = expectAceError('ChainDiverged', () => open(dir));
    expect(error.message).toBe(
      `${join(dir, 'chain.db')} is damaged, its figures cannot be right: run ace-node chain verify`,
    );
  });

  it.each([
    'UPDATE totals SET video_units = 0',
    'UPDATE supply SET genesis = -1',
    "UPDATE feed SET ace_byte_price_usd = 'much'",
  ])('refuses a file that nothing could be settled by, and names it: %s', async (sql) => {
    const dir = tempDir();
    await open(dir).close();
    tamper(dir, `PRAGMA ignore_check_constraints = 1; ${sql}`);
    const error = expectAceError('ChainDiverged', () => open(dir));
    expect(error.message).toContain(join(dir, 'chain.db'));
  });

  it('refuses a validator key that is no key', () => {
    expectAceError('InvalidInput', () => open(tempDir(), testSettings({ validatorKeys: ['abcd'] })));
  });

  it('keeps a log in which every record names the one below it', async () => {
    const dir = tempDir();
    const chain = open(dir);
    await settle(chain, [entry(PAYER, PAYEE, 1)]);
    await settle(chain, [entry(PAYER, PAYEE, 1)]);
    await chain.close();
    const db = new Sqlite(join(dir, 'chain.db'), { readonly: true });
    const log = db.prepare('SELECT height, kind, previous_hash, hash FROM log ORDER BY height').all() as {
      height: number;
      kind: string;
      previous_hash: Buffer;
      hash: Buffer;
    }[];
    db.close();
    expect(log.map(({ height, kind }) => [height, kind])).toEqual([
      [0, 'genesis'],
      [1, 'batch'],
      [2, 'batch'],
    ]);
    expect(log[1]?.previous_hash).toEqual(log[0]?.hash);
    expect(log[2]?.previous_hash).toEqual(log[1]?.hash);
  });

  it.each(["UPDATE log SET kind = 'x'", 'DELETE FROM log'])('lets nobody do: %s', async (sql) => {
    const dir = tempDir();
    await open(dir).close();
    expect(() => tamper(dir, sql)).toThrow('append-only');
  });

  it('changes nothing and stays usable when the store fails in the middle of a batch', async () => {
    const dir = tempDir();
    const first = open(dir);
    await settle(first, [entry(PAYER, PAYEE, 1)]);
    await first.close();
    // Fails on the last write of a batch, its log record.
    tamper(dir, "CREATE TRIGGER fail BEFORE INSERT ON log BEGIN SELECT raise(ABORT, 'no'); END");
    const chain = open(dir);
    const before = await snapshot(chain);
    const signed = sign(await nextBatch(chain, [entry(PAYER, PAYEE, 100)]));
    await expectAceRejection('InvariantViolated', chain.applyBatch(signed));
    expect(await snapshot(chain)).toEqual(before);
    await chain.close();
    tamper(dir, 'DROP TRIGGER fail');
    const again = open(dir);
    expect((await again.applyBatch(signed)).entries[0]?.paidUnits).toBe(100);
    await again.close();
  });

  it('pays no more than the XAC that can exist; the rest is refused', async () => {
    const settings = testSettings({
      pinnedXacPerXat: { num: 1_000_000n, den: 1n },
      trafficCreditLimitUnits: 0,
    });
    const payers = [1, 2, 3].map((n) => testAddress(n));
    const genesis = testGenesis(payers.map((payer) => [payer, 'XAT', '1000000'] as const));
    const dir = tempDir();
    const chain = open(dir, settings, genesis);
    const units = Number.MAX_SAFE_INTEGER;
    const { entries } = await settle(
      chain,
      payers.map((payer) => entry(payer, testAddress(9), units)),
    );
    expect(entries.every(({ paidUnits, refusedUnits }) => paidUnits + refusedUnits === units)).toBe(true);
    const { emitted } = (await chain.supply()).XAC;
    expect(emitted).toBeLessThanOrEqual(MAX_AMOUNT);
    // Less than one more unit (97,656,250 XAC base units) has room.
    expect(emitted).toBeGreaterThan(MAX_AMOUNT - 97_656_251n);
    await chain.close();
  });
});
