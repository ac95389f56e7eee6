/** Compliance: what a settlement batch does. */
import { describe, expect, it } from 'vitest';
import { signOperation } from '../../main/wallet/account.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import {
  addressHomedAt,
  entry,
  nextBatch,
  settle,
  shardedSettings,
  sign,
  snapshot,
  testAddress,
  testGenesis,
  testSettings,
} from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { type ChainUnderTest, PEER, POOR, RICH, TRANSFER } from './chain-compliance-context.ts';

export function batchCompliance({ name, open }: ChainUnderTest): void {
  describe(`${name}: a batch`, () => {
    it('pays from funds and takes the fee out of it', async () => {
      const chain = await open();
      const result = await settle(chain, [entry(RICH.address, PEER.address, 1_024)]);
      expect(result.entries).toMatchObject([
        { paidUnits: 1_024, creditUnits: 0, refusedUnits: 0, repaidUnits: 0 },
      ]);
      expect((await chain.account(RICH.address)).services.XAT).toBe(parseAmount('9.99'));
      expect((await chain.account(PEER.address)).services.XAC).toBe(parseAmount('0.009'));
      expect((await chain.pools()).trafficFeePool.XAC).toBe(parseAmount('0.001'));
      expect((await chain.pools()).unlockedPool.XAT).toBe(parseAmount('0.01'));
    });

    it('gives credit up to the limit and refuses the rest', async () => {
      const chain = await open();
      const result = await settle(chain, [entry(POOR, PEER.address, 10_241)]);
      expect(result.entries).toMatchObject([
        { paidUnits: 0, creditUnits: 10_240, refusedUnits: 1, payment: null },
      ]);
      expect((await chain.account(POOR)).creditUsedUnits).toBe(10_240);
    });

    it('repays all loans of a payer before it consumes', async () => {
      const chain = await open(
        tempDir(),
        testSettings(),
        testGenesis([[RICH.address, 'XAT', '0.02', 'main']]),
      );
      const [b, c] = [testAddress(11), testAddress(12)];
      await settle(chain, [entry(POOR, c, 1_024)]);
      await chain.submit(
        await signOperation(RICH, chain.settings(), {
          ...TRANSFER,
          ...{ to: POOR, amount: parseAmount('0.01'), place: 'services' as const },
        }),
      );
      // Enough for one GB: the loan to c, though consumption from b comes first by address.
      const result = await settle(chain, [entry(POOR, b, 1_024), entry(POOR, c, 0, 1_024)]);
      expect(result.entries).toMatchObject([
        { payee: b, repaidUnits: 0, paidUnits: 0, creditUnits: 1_024 },
        { payee: c, repaidUnits: 1_024, payment: null },
      ]);
    });

    it('repays no more units than the funds reach', async () => {
      const chain = await open();
      await settle(chain, [entry(POOR, PEER.address, 1_024)]);
      const result = await settle(chain, [entry(POOR, PEER.address, 0, 1_024)]);
      expect(result.entries).toMatchObject([{ repaidUnits: 0, repayment: null }]);
      expect((await chain.account(POOR)).creditUsedUnits).toBe(1_024);
    });

    it('counts what an account earned earlier in the batch as its funds', async () => {
      const chain = await open();
      const [late, server] = [`0x${'f'.repeat(40)}`, testAddress(20)];
      const result = await settle(chain, [entry(RICH.address, late, 1_024), entry(late, server, 100)]);
      expect(result.entries[1]).toMatchObject({ payer: late, paidUnits: 100, creditUnits: 0 });
    });

    it('prices all its entries with the totals before it, then adds to them', async () => {
      const chain = await open();
      const before = await chain.market();
      const watched = { videoUnits: 1_000n, watchMs: 64_000n };
      const first = await settle(chain, [entry(RICH.address, PEER.address, 1_000)], { watched });
      const second = await settle(chain, [entry(RICH.address, PEER.address, 1)]);
      const after = await chain.market();
      expect(after.totals.videoUnits).toBe(before.totals.videoUnits + 1_000n);
      expect(after.totals.watchMs).toBe(before.totals.watchMs + 64_000n);
      expect(first.unitPriceXac).toEqual(ratio(100_000, 1_024));
      // Watched slower than 100 GB an hour.
      expect(second.unitPriceXac.num * 1_024n).toBeGreaterThan(100_000n * second.unitPriceXac.den);
    });

    it('adds no more to the totals than its shard consumed, and than that can play', async () => {
      const chain = await open();
      const before = await chain.market();
      const consumed = [entry(RICH.address, PEER.address, 10)];
      await settle(chain, consumed, { watched: { videoUnits: 100n, watchMs: 10n ** 12n } });
      const lied = await chain.market();
      expect(lied.totals.videoUnits - before.totals.videoUnits).toBe(10n);
      expect(lied.totals.watchMs - before.totals.watchMs).toBe(10n * 131_072n);
      await settle(chain, [], { watched: { videoUnits: 1n, watchMs: 1n } });
      expect((await chain.market()).totals).toEqual(lied.totals);
    });

    it('moves the price by half a percent at most, and by two in a day', async () => {
      const chain = await open();
      const before = (await chain.market()).totals;
      const watched = { videoUnits: 1_000n, watchMs: 1_000n * 131_072n };
      /** Hundredths of a percent above the first price. */
      const risen = async () => {
        const now = (await chain.market()).totals;
        return (
          Number((now.watchMs * before.videoUnits * 10_000n) / (before.watchMs * now.videoUnits)) - 10_000
        );
      };
      const rises = [];
      for (let i = 0; i < 8; i++) {
        await settle(chain, [entry(RICH.address, PEER.address, 1_000)], { watched });
        rises.push(await risen());
      }
      expect(rises).toEqual([50, 100, 151, 202, 204, 204, 204, 204]);
    });

    it('of no entries is a batch too', async () => {
      const chain = await open();
      expect((await settle(chain, [])).entries).toEqual([]);
      expect((await chain.lastBatch(0)).number).toBe(1);
    });

    it('applied again gives the stored answer and changes nothing', async () => {
      const chain = await open();
      const signed = sign(await nextBatch(chain, [entry(RICH.address, PEER.address, 1_024)]));
      const first = await chain.applyBatch(signed);
      await settle(chain, [entry(RICH.address, PEER.address, 5)]);
      const before = await snapshot(chain);
      expect(await chain.applyBatch(signed)).toEqual(first);
      expect(await chain.batchResult(0, 1)).toEqual(first);
      expect(await snapshot(chain)).toEqual(before);
    });

    it('of each shard continues its own hash chain', async () => {
      const chain = await open(tempDir(), shardedSettings());
      const one = await settle(chain, [entry(addressHomedAt(0), PEER.address, 1)]);
      const two = await settle(chain, [entry(addressHomedAt(1), PEER.address, 1)], { shard: 1 });
      expect(await chain.lastBatch(0)).toEqual({ number: 1, hash: one.hash });
      expect(await chain.lastBatch(1)).toEqual({ number: 1, hash: two.hash });
      expect((await chain.head()).height).toBe(2);
    });
  });
}
