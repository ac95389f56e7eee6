/** Attacks that the chain withstood. */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { verifyChain } from '../../main/chain/embedded/verify.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { planRepayments } from '../../shared/economy/credit.ts';
import { parseAmount, TOKENS } from '../../shared/economy/money.ts';
import type { Operation } from '../../shared/economy/operation.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import {
  entry,
  heldAndOwed,
  nextBatch,
  settle,
  sign,
  testAccount,
  testGenesis,
  testSettings,
} from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const [A, B] = [testAccount(1), testAccount(2)];
const settings = testSettings();
const genesis = testGenesis([
  [A.address, 'XAT', '100', 'main'],
  [A.address, 'XAT', '100'],
]);
function world() {
  const dir = tempDir();
  const chain = openEmbeddedChain({
    path: join(dir, 'c.db'),
    settings,
    genesis,
    nowMs: () => 1_800_000_000_000,
  });
  onTestFinished(() => chain.close());
  return { dir, chain };
}
const T = (over: object = {}): Operation =>
  ({
    kind: 'transfer',
    place: 'services',
    from: A.address,
    to: B.address,
    token: 'XAT',
    amount: parseAmount('1'),
    nonce: 0,
    ...over,
  }) as Operation;

it('100 racing copies and nonces apply once each, in order', async () => {
  const { chain } = world();
  const ops = await Promise.all([0, 0, 1, 1, 2, 5].map((nonce) => signOperation(A, settings, T({ nonce }))));
  const done = await Promise.allSettled(
    Array.from({ length: 16 }, () => ops)
      .flat()
      .map((op) => chain.submit(op)),
  );
  expect(done.filter((d) => d.status === 'fulfilled').length).toBe((await chain.account(A.address)).nonce);
  expect((await chain.account(B.address)).services.XAT).toBe(
    parseAmount(String((await chain.account(A.address)).nonce)),
  );
});

it('racing batches apply once', async () => {
  const { chain } = world();
  const one = sign(await nextBatch(chain, [entry(A.address, B.address, 5)]));
  const other = sign(await nextBatch(chain, [entry(A.address, B.address, 6)]));
  const done = await Promise.allSettled([one, other, one, other].map((b) => chain.applyBatch(b)));
  expect(done.map((d) => d.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
});

it('other network, chain id, kind, case, s and account are refused', async () => {
  const { chain } = world();
  const s = await signOperation(A, settings, T());
  const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const flip = `${s.signature.slice(0, 66)}${(n - BigInt(`0x${s.signature.slice(66, 130)}`)).toString(16).padStart(64, '0')}${s.signature.endsWith('1b') ? '1c' : '1b'}`;
  const bad = [
    await signOperation(A, { ...settings, networkId: 'other' }, T()),
    await signOperation(A, { ...settings, chainId: 1 }, T()),
    { ...s, operation: T({ from: B.address, to: A.address }) },
    { ...s, operation: T({ from: A.address.toUpperCase().replace('0X', '0x') }) },
    { ...s, operation: T({ amount: 1n }) },
    {
      ...s,
      operation: {
        kind: 'access',
        lastsMs: 0,
        from: A.address,
        to: B.address,
        contentId: 'x',
        priceXac: 1n,
        premium: false,
        nonce: 0,
      } as never,
    },
    { ...s, signature: flip as never },
    { ...s, signature: `${s.signature}00` as never },
    await signOperation(A, settings, T({ to: A.address })),
    await signOperation(A, settings, T({ amount: 0n })),
    { ...s, operation: T({ to: 'lockedPool' }) },
    { ...s, operation: T({ nonce: -1 }) },
  ];
  for (const op of bad) await expect(chain.submit(op)).rejects.toThrow();
  expect((await chain.head()).height).toBe(0);
});

it('huge units of a batch: 2^53 − 1 consumed is refused unit by unit, repaid is refused whole', async () => {
  const { chain } = world();
  const big = Number.MAX_SAFE_INTEGER;
  const { entries } = await settle(chain, [entry(A.address, B.address, big)]);
  expect(
    (entries[0]?.paidUnits ?? 0) + (entries[0]?.creditUnits ?? 0) + (entries[0]?.refusedUnits ?? 0),
  ).toBe(big);
  await expect(settle(chain, [entry(A.address, B.address, 0, 10_241)])).rejects.toThrow();
  await expect(
    settle(chain, [entry(A.address, B.address, 0, big), entry(A.address, testAccount(3).address, 0, big)]),
  ).rejects.toThrow();
  for (const token of TOKENS) {
    const { held, owed } = await heldAndOwed(chain, token);
    expect(held).toBe(owed);
  }
});

it('tampered rows are found', async () => {
  for (const sql of [
    "UPDATE batches SET result = x'00'",
    'UPDATE batches SET signature = zeroblob(64)',
    'UPDATE accounts SET nonce = nonce + 1',
    'UPDATE accounts SET xat = xat + 1',
    "INSERT INTO devices VALUES ('0x1', 'aa', 1)",
    "UPDATE feed SET ace_byte_price_usd = '2/1'",
    'UPDATE totals SET watch_ms = watch_ms + 1',
    'DROP TRIGGER log_is_not_cut; DELETE FROM log WHERE height = 2',
    'DROP TRIGGER log_is_not_changed; UPDATE log SET appended_at_ms = appended_at_ms + 1 WHERE height = 2',
    "DROP TRIGGER log_is_not_changed; UPDATE log SET kind = 'mint' WHERE kind = 'transfer'",
  ]) {
    const { dir, chain } = world();
    await chain.submit(await signOperation(A, settings, T()));
    await settle(chain, [entry(A.address, B.address, 5)]);
    const db = new Sqlite(join(dir, 'c.db'));
    db.exec(sql);
    db.close();
    await expect(
      verifyChain({ path: join(dir, 'c.db'), scratchPath: join(tempDir(), 's.db') }),
      sql,
    ).rejects.toThrow();
  }
});

it('repayment with tiny funds comes to an end', () => {
  const price = { rates: { xacPerXat: ratio(1, 1_000_000), xacPerXas: ratio(0) }, unitPriceXac: ratio(7, 3) };
  const loans = [
    { creditor: 'a', units: 5 },
    { creditor: 'b', units: 5 },
  ];
  for (let xac = 0n; xac < 40n; xac++) {
    const plan = planRepayments(loans, { XAC: xac, XAT: 999_999n, XAS: 9n } as never, price, ratio(1, 10));
    expect(plan.every(({ units }) => units > 0)).toBe(true);
  }
});
