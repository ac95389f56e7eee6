/** What every implementation of `MainChain` must do. A factory opens a chain; the same directory again is a restart. */
import { describe, expect, it } from 'vitest';
import { signOperation } from '../../main/wallet/account.ts';
import {
  amount,
  MAX_AMOUNT,
  parseAmount,
  TOKENS,
  type TokenAmount,
  ZERO,
} from '../../shared/economy/money.ts';
import type { Genesis } from '../../shared/economy/settings.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { entry, heldAndOwed, settle, snapshot, testGenesis, testSettings } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { batchCompliance } from './chain-compliance-batch.ts';
import {
  type ChainFactory,
  type ChainUnderTest,
  chainUnderTest,
  GENESIS,
  PEER,
  POOR,
  RICH,
  TRANSFER,
} from './chain-compliance-context.ts';
import { exchangeCompliance } from './chain-compliance-exchange.ts';
import { operationCompliance } from './chain-compliance-operations.ts';
import { batchRefusalCompliance } from './chain-compliance-refusal.ts';
import { transferCompliance } from './chain-compliance-transfer.ts';

export function chainCompliance(name: string, create: ChainFactory): void {
  const chain = chainUnderTest(name, create);
  transferCompliance(chain);
  chainComplianceButTransfers(chain);
}

export function chainComplianceButTransfers(chain: ChainUnderTest): void {
  stateCompliance(chain);
  batchCompliance(chain);
  batchRefusalCompliance(chain);
  operationCompliance(chain);
  exchangeCompliance(chain);
}

/** Reading, conservation, restart. */
function stateCompliance({ name, open, create }: ChainUnderTest): void {
  describe(`${name}: reading`, () => {
    it('gives an account nobody has paid nothing in either place', async () => {
      const chain = await open();
      expect(await chain.account(POOR)).toEqual({
        address: POOR,
        main: { XAT: 0n, XAC: 0n, XAS: 0n, XAB: 0n },
        services: { XAC: 0n, XAT: 0n, XAS: 0n },
        nonce: 0,
        creditUsedUnits: 0,
      });
      expect(await chain.accounts()).toHaveLength(1);
    });

    it('starts with genesis at height 0', async () => {
      const chain = await open();
      expect((await chain.head()).height).toBe(0);
      expect((await chain.supply()).XAT.genesis).toBe(parseAmount('1000020'));
      expect((await chain.pools()).lockedPool.XAT).toBe(parseAmount('1000000'));
      expect(await chain.lastBatch(0)).toEqual({ number: 0, hash: new Uint8Array(32) });
      expect(await chain.batchResult(0, 1)).toBeNull();
    });
  });

  describe(`${name}: conservation`, () => {
    it('unlocks no more XAT than lockedPool holds', async () => {
      const genesis = testGenesis([[RICH.address, 'XAT', '10']], [['lockedPool', 'XAT', '0.004']]);
      const chain = await open(tempDir(), testSettings(), genesis);
      await settle(chain, [entry(RICH.address, PEER.address, 1_024)]);
      const pools = await chain.pools();
      expect(pools.lockedPool.XAT).toBe(0n);
      expect(pools.unlockedPool.XAT).toBe(parseAmount('0.004'));
    });

    it('pays with XAC, then XAT, then XAS, and burns XAT only', async () => {
      const genesis = testGenesis([
        [RICH.address, 'XAC', '0.001'],
        [RICH.address, 'XAT', '0.002'],
        [RICH.address, 'XAS', '10'],
      ]);
      const chain = await open(tempDir(), testSettings(), genesis);
      const { entries } = await settle(chain, [entry(RICH.address, PEER.address, 1_024)]);
      expect(entries[0]?.payment).toMatchObject({
        xacFromPayer: parseAmount('0.001'),
        xatBurned: parseAmount('0.002'),
        xasFromPayer: parseAmount('0.007'),
        feeXac: parseAmount('0.0003'),
        feeXas: parseAmount('0.0007'),
      });
      const payee = (await chain.account(PEER.address)).services;
      expect(payee).toMatchObject({ XAC: parseAmount('0.0027'), XAT: 0n, XAS: parseAmount('0.0063') });
      const { trafficFeePool } = await chain.pools();
      expect(trafficFeePool).toMatchObject({ XAC: parseAmount('0.0003'), XAS: parseAmount('0.0007') });
      const payer = (await chain.account(RICH.address)).services;
      expect(payer).toMatchObject({ XAC: 0n, XAT: 0n, XAS: parseAmount('9.993') });
      for (const token of TOKENS) {
        const { held, owed } = await heldAndOwed(chain, token);
        expect(held).toBe(owed);
      }
    });
  });

  describe(`${name}: time`, () => {
    it('of the chain never stands still or goes back, whatever the clock does', async () => {
      const clock = { nowMs: 1_700_000_000_000 };
      const settings = testSettings({ pinnedXacPerXat: null, rateWindowMs: 10_000 });
      const genesis = testGenesis(
        [
          [RICH.address, 'XAT', '10'],
          [RICH.address, 'XAT', '10', 'main'],
        ],
        [
          ['exchangeXat', 'XAT', '1000'],
          ['exchangeXat', 'XAC', '1000'],
        ],
      );
      const chain = await open(tempDir(), settings, genesis, () => clock.nowMs);
      const swap = async (amount: string) => {
        const { nonce } = await chain.account(RICH.address);
        const swapped = {
          sell: 'XAT',
          buy: 'XAC',
          minReceived: ZERO,
          deadlineMs: Number.MAX_SAFE_INTEGER,
        } as const;
        const operation = {
          kind: 'swap',
          from: RICH.address,
          nonce,
          amount: parseAmount(amount),
          ...swapped,
        } as const;
        return chain.submit(await signOperation(RICH, settings, operation));
      };
      await swap('1');
      clock.nowMs -= 3_600_000;
      await swap('1');
      expect((await chain.head()).height).toBe(2);
      // The window has passed: only the last price counts, though the clock was wrong in between.
      clock.nowMs += 3_600_000 + 60_000;
      const { XAC, XAT } = (await chain.pools()).exchangeXat;
      const { num, den } = (await chain.market()).rates.xacPerXat;
      expect(Number(num) / Number(den)).toBeCloseTo(Number(XAC) / Number(XAT), 9);
    });
  });

  describe(`${name}: a restart`, () => {
    it('finds everything as it was', async () => {
      const dir = tempDir();
      const chain = await create(dir, testSettings(), GENESIS);
      await chain.submit(await signOperation(RICH, chain.settings(), TRANSFER));
      const result = await settle(chain, [entry(RICH.address, PEER.address, 100_000)]);
      const before = await snapshot(chain);
      await chain.close();
      const again = await open(dir);
      expect(await snapshot(again)).toEqual(before);
      expect(await again.batchResult(0, 1)).toEqual(result);
    });

    it.each([
      ['settings', testSettings({ trafficCreditLimitUnits: 1 }), GENESIS],
      ['genesis', testSettings(), testGenesis([[RICH.address, 'XAT', '11']])],
    ])('is refused with other %s', async (_, settings, genesis) => {
      const dir = tempDir();
      const chain = await create(dir, testSettings(), GENESIS);
      await chain.close();
      await expectAceRejection('DataDirMismatch', (async () => create(dir, settings, genesis))());
      await open(dir);
    });

    it('is refused on a genesis of more than can exist', async () => {
      const genesis: Genesis = {
        accounts: [
          { address: POOR, place: 'main', token: 'XAB', amount: MAX_AMOUNT as TokenAmount },
          { address: PEER.address, place: 'main', token: 'XAB', amount: amount(1n) },
        ],
        pools: [],
      };
      await expectAceRejection('InvalidInput', (async () => create(tempDir(), testSettings(), genesis))());
    });
  });
}
