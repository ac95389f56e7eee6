/**
 * Access to a content, bought, replayed and sold twice, as far as the chain knows of it: what was signed pays once, where and
 * what it names, in whole. The chain knows no prices: whoever is wrong about one pays all the same, and opens nothing
 * (`access-sold.test.ts`).
 */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import type { AccessOperation } from '../../shared/economy/operation.ts';
import { ratio } from '../../shared/economy/ratio.ts';
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

it('is paid again when it is signed again: nodes do not sign what is bought already', async () => {
  const chain = useChain();
  for (const nonce of [0, 1]) await chain.submit(await signOperation(BUYER, SETTINGS, purchase(nonce)));
  expect(await xac(chain, BUYER)).toBe(parseAmount('80'));
});
