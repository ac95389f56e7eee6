/**
 * Access to a content, bought, replayed and sold twice, as far as the chain knows of it: what was signed pays once, where and
 * what it names, in whole. The chain knows no prices: whoever is wrong about one pays all the same, and opens nothing
 * (`access-sold.test.ts`).
 */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { amount, parseAmount } from '../../shared/economy/money.ts';
import { type AccessOperation, checkOperation } from '../../shared/economy/operation.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { AceError } from '../../shared/errors.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { heldAndOwed, testAccount, testGenesis, testSettings } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const [BUYER, SELLER, THIEF] = [testAccount(1), testAccount(2), testAccount(3)];
const FEE = { contentAccessFee: ratio(3, 10) };
const SETTINGS = testSettings(FEE);

function useChain(settings = SETTINGS): MainChain {
  const genesis = testGenesis([[BUYER.address, 'XAC', '100']]);
  const path = join(tempDir(), 'chain.db');
  const chain = openEmbeddedChain({ path, settings, genesis, nowMs: () => 1_800_000_000_000 });
  onTestFinished(() => chain.close());
  return chain;
}

const purchase = (nonce = 0): AccessOperation => ({
  kind: 'access',
  lastsMs: 0,
  from: BUYER.address,
  nonce,
  to: SELLER.address,
  contentId: 'a film',
  priceXac: parseAmount('10'),
  premium: false,
});
const xac = async (chain: MainChain, { address }: { address: string }) =>
  (await chain.account(address)).services.XAC;

it('is paid once, however often and from wherever its purchase is handed in', async () => {
  const chain = useChain();
  const signed = await signOperation(BUYER, SETTINGS, purchase());
  const tries = await Promise.allSettled(Array.from({ length: 10 }, () => chain.submit(signed)));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await expectAceRejection('WrongNonce', chain.submit(signed));
  expect([await xac(chain, BUYER), await xac(chain, SELLER)]).toEqual([parseAmount('90'), parseAmount('7')]);
  expect((await chain.pools()).contentAccessFeePool.XAC).toBe(parseAmount('3'));
  const { held, owed } = await heldAndOwed(chain, 'XAC');
  expect(held).toBe(owed);
});

it.each([
  ['another seller', { to: THIEF.address }],
  ['another price', { priceXac: parseAmount('100') }],
  ['another content', { contentId: 'another film' }],
  ['another pool', { premium: true }],
  ['the next number', { nonce: 1 }],
] as const)('is not paid with %s than the buyer signed', async (_, change) => {
  const chain = useChain();
  const { signature } = await signOperation(BUYER, SETTINGS, purchase());
  await expectAceRejection(
    'InvalidSignature',
    chain.submit({ operation: { ...purchase(), ...change }, signature }),
  );
  expect(await xac(chain, BUYER)).toBe(parseAmount('100'));
});

it('is not paid on another network', async () => {
  const signed = await signOperation(BUYER, SETTINGS, purchase());
  for (const other of [{ networkId: 'another' }, { chainId: SETTINGS.chainId + 1 }]) {
    const chain = useChain(testSettings({ ...FEE, ...other }));
    await expectAceRejection('InvalidSignature', chain.submit(signed));
  }
});

it('is not paid again where it was bought for ever, though it is signed again: it was, before', async () => {
  const chain = useChain();
  const submit = async (nonce: number, change: Partial<AccessOperation> = {}) =>
    chain.submit(await signOperation(BUYER, SETTINGS, { ...purchase(nonce), ...change }));
  await submit(0);
  for (const change of [{}, { priceXac: parseAmount('9') }, { lastsMs: 60_000 }])
    await expectAceRejection('AccessBought', submit(1, change));
  expect(await xac(chain, BUYER)).toBe(parseAmount('90'));
  expect((await chain.account(BUYER.address)).nonce).toBe(1);
  // Who paid too little, or in the other pool, may pay what is asked.
  await submit(1, { priceXac: parseAmount('11') });
  await submit(2, { premium: true });
  expect(await xac(chain, BUYER)).toBe(parseAmount('69'));
});

describe('a purchase that ends', () => {
  const DAY_MS = 86_400_000;
  const START_MS = 1_800_000_000_000;

  function useBuyer() {
    let nowMs = START_MS;
    const path = join(tempDir(), 'chain.db');
    const genesis = testGenesis([[BUYER.address, 'XAC', '1000']]);
    const chain = openEmbeddedChain({ path, settings: SETTINGS, genesis, nowMs: () => nowMs });
    onTestFinished(() => chain.close());
    let nonce = 0;
    const buyAt = async (atMs: number, priceXac: string, lastsMs = DAY_MS) => {
      nowMs = atMs;
      const operation = { ...purchase(nonce++), priceXac: parseAmount(priceXac), lastsMs };
      await chain.submit(await signOperation(BUYER, SETTINGS, operation));
      const bought = await chain.access(BUYER.address, 'a film', SELLER.address);
      if (!bought) throw new Error('it was bought');
      return bought;
    };
    return { buyAt };
  }

  it('goes on from the end of the one before, and says when the last one was made', async () => {
    const { buyAt } = useBuyer();
    await buyAt(START_MS, '10');
    const ahead = await buyAt(START_MS + 1_000, '10');
    expect(ahead.boughtAtMs).toBeGreaterThanOrEqual(START_MS + 1_000);
    expect(ahead.untilMs - START_MS).toBeGreaterThanOrEqual(2 * DAY_MS);
    // What is cheaper now goes on as well: each span has cost as much at least.
    const cheaper = await buyAt(START_MS + 2_000, '4');
    expect(cheaper).toMatchObject({ priceXac: parseAmount('4'), untilMs: ahead.untilMs + DAY_MS });
  });

  it('gives no time for what was paid less for, or that lasts otherwise', async () => {
    const { buyAt } = useBuyer();
    for (let i = 0; i < 20; i++) await buyAt(START_MS + i, '0.0000001');
    const dearer = await buyAt(START_MS + 1_000, '10');
    expect(dearer.untilMs).toBeLessThanOrEqual(START_MS + 1_000 + 2 * DAY_MS);
    expect(dearer.untilMs - dearer.boughtAtMs).toBe(DAY_MS);
    const other = await buyAt(START_MS + 2_000, '10', 1_000);
    expect(other.untilMs - other.boughtAtMs).toBe(1_000);
  });

  it('bought without end or sense stays within what a clock can say', async () => {
    const { buyAt } = useBuyer();
    const most = Number.MAX_SAFE_INTEGER;
    for (const atMs of [START_MS, START_MS + 1]) {
      expect((await buyAt(atMs, '0.0000001', most)).untilMs).toBe(most);
    }
  });
});

it.each<[string, Record<string, unknown>]>([
  ['a price of nothing', { priceXac: 0n }],
  ['a price below nothing', { priceXac: -1n }],
  ['a price of more than there is', { priceXac: 10n ** 19n }],
  ['a span below nothing', { lastsMs: -1 }],
  ['a part of a millisecond', { lastsMs: 0.5 }],
  ['a span that no clock counts', { lastsMs: 2 ** 53 }],
  ['itself as the seller', { to: BUYER.address }],
  ['a pool for a seller', { to: 'premiumFeePool' }],
  ['no content', { contentId: '' }],
  ['a content without end', { contentId: 'x'.repeat(201) }],
  ['a pool that is neither', { premium: 2 }],
])('is not signed, and not taken, with %s', async (_, change) => {
  const chain = useChain();
  const { signature } = await signOperation(BUYER, SETTINGS, purchase());
  const operation = { ...purchase(), ...change } as unknown as AccessOperation;
  expect(() => checkOperation(operation)).toThrow(AceError);
  await expect(chain.submit({ operation, signature })).rejects.toThrow(AceError);
  expect(await xac(chain, BUYER)).toBe(parseAmount('100'));
});

it('of dust pays the seller all of it, and one that nobody knows is paid like any other', async () => {
  const chain = useChain();
  await chain.submit(await signOperation(BUYER, SETTINGS, { ...purchase(), priceXac: amount(1n) }));
  expect(await xac(chain, SELLER)).toBe(1n);
  expect((await chain.pools()).contentAccessFeePool.XAC).toBe(0n);
  const { held, owed } = await heldAndOwed(chain, 'XAC');
  expect(held).toBe(owed);
});
