/** Compliance: batches that are refused, each by its name, and change nothing. */
import { describe, it } from 'vitest';
import {
  type Batch,
  type BatchEntry,
  MAX_BATCH_ENTRIES,
  MAX_WATCHED,
} from '../../shared/settlement/batch.ts';
import {
  addressHomedAt,
  entry,
  nextBatch,
  settle,
  shardedSettings,
  sign,
  testAddress,
  VALIDATORS,
} from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { type ChainUnderTest, expectUnchanged, PEER, POOR, RICH } from './chain-compliance-context.ts';

export function batchRefusalCompliance({ name, open }: ChainUnderTest): void {
  describe(`${name}: a batch`, () => {
    const one = [entry(RICH.address, PEER.address, 1)];
    const bad = (change: Partial<BatchEntry>): Partial<Batch> => ({
      entries: [{ ...entry(RICH.address, PEER.address, 1), ...change }],
    });
    const many = Array.from({ length: MAX_BATCH_ENTRIES + 1 }, (_, i) =>
      entry(testAddress(1), testAddress(i + 2), 1),
    );
    const malformed: readonly (readonly [string, Partial<Batch>])[] = [
      [
        'whose entries are out of order',
        { entries: [entry(POOR, testAddress(2), 1), entry(POOR, testAddress(1), 1)] },
      ],
      ['with a pair twice', { entries: [entry(POOR, testAddress(1), 1), entry(POOR, testAddress(1), 2)] }],
      ['that pays itself', bad({ payee: RICH.address })],
      ['with an entry of nothing', bad({ consumeUnits: 0 })],
      ['with negative units', bad({ consumeUnits: -1 })],
      ['with part of a unit', bad({ repayUnits: 0.5 })],
      ['with an address in upper case', bad({ payee: `0x${'A'.repeat(40)}` })],
      ['with too many entries', { entries: many }],
      ['with negative totals', { watched: { videoUnits: -1n, watchMs: 0n } }],
      ['with totals beyond the limit', { watched: { videoUnits: 0n, watchMs: MAX_WATCHED + 1n } }],
      ['with number 0', { number: 0 }],
      ['with a short previous hash', { previousHash: new Uint8Array(31) }],
    ];
    for (const [what, change] of malformed) {
      it(`is refused ${what}`, async () => {
        const chain = await open();
        const batch = await nextBatch(chain, one, change);
        const signature = new Uint8Array(64);
        await expectUnchanged(chain, 'BatchMalformed', () => chain.applyBatch({ batch, signature }));
      });
    }

    it('is refused for another network', async () => {
      const chain = await open();
      const signed = sign(await nextBatch(chain, one, { networkId: 'other' }));
      await expectUnchanged(chain, 'WrongNetwork', () => chain.applyBatch(signed));
    });

    it('is refused for a shard the network does not have', async () => {
      const chain = await open();
      const signed = sign(await nextBatch(chain, one, { shard: 2 }), VALIDATORS[0]);
      await expectUnchanged(chain, 'BatchWrongShard', () => chain.applyBatch(signed));
    });

    it("is refused when another shard's validator signed it", async () => {
      const chain = await open();
      const signed = sign(await nextBatch(chain, one), VALIDATORS[1]);
      await expectUnchanged(chain, 'BatchWrongSigner', () => chain.applyBatch(signed));
    });

    it('is refused whole when one of its payers is at home on another shard', async () => {
      const chain = await open(tempDir(), shardedSettings());
      const [own, foreign] = [addressHomedAt(1), addressHomedAt(2)];
      const entries = [entry(own, PEER.address, 1), entry(foreign, PEER.address, 1)];
      const signed = sign(await nextBatch(chain, entries, { shard: 1 }));
      await expectUnchanged(chain, 'BatchWrongShard', () => chain.applyBatch(signed));
      // A payee may be at home anywhere.
      await settle(chain, [entry(own, foreign, 1)], { shard: 1 });
    });

    it('is refused when it was changed after signing', async () => {
      const chain = await open();
      const { batch, signature } = sign(await nextBatch(chain, one));
      const changed = { ...batch, createdAtMs: batch.createdAtMs + 1 };
      await expectUnchanged(chain, 'BatchWrongSigner', () => chain.applyBatch({ batch: changed, signature }));
    });

    it('is refused with a cut signature', async () => {
      const chain = await open();
      const { batch, signature } = sign(await nextBatch(chain, one));
      const cut = signature.slice(0, 63);
      await expectUnchanged(chain, 'BatchWrongSigner', () => chain.applyBatch({ batch, signature: cut }));
    });

    it('is refused when a batch before it is missing', async () => {
      const chain = await open();
      const signed = sign(await nextBatch(chain, one, { number: 2 }));
      await expectUnchanged(chain, 'BatchOutOfOrder', () => chain.applyBatch(signed));
    });

    it('is refused when it does not name the batch before it', async () => {
      const chain = await open();
      await settle(chain, one);
      const signed = sign(await nextBatch(chain, one, { previousHash: new Uint8Array(32) }));
      await expectUnchanged(chain, 'BatchWrongPreviousHash', () => chain.applyBatch(signed));
    });

    it('is refused when the number is taken by another batch', async () => {
      const chain = await open();
      await settle(chain, one);
      const other = await nextBatch(chain, [entry(RICH.address, PEER.address, 2)], {
        number: 1,
        previousHash: new Uint8Array(32),
      });
      await expectUnchanged(chain, 'BatchConflict', () => chain.applyBatch(sign(other)));
    });

    it('is refused whole when one entry repays more than is owed', async () => {
      const chain = await open();
      await settle(chain, [entry(POOR, PEER.address, 10)]);
      const entries = [entry(RICH.address, PEER.address, 5), entry(POOR, PEER.address, 0, 11)];
      const signed = sign(await nextBatch(chain, entries));
      await expectUnchanged(chain, 'InvariantViolated', () => chain.applyBatch(signed));
    });

    it('is refused whole when two entries together repay more than is owed', async () => {
      const chain = await open();
      await settle(chain, [entry(POOR, PEER.address, 10)]);
      const used = (await chain.account(POOR)).creditUsedUnits;
      const entries = [entry(POOR, testAddress(1), 0, used), entry(POOR, testAddress(2), 0, 1)];
      const signed = sign(await nextBatch(chain, entries));
      await expectUnchanged(chain, 'InvariantViolated', () => chain.applyBatch(signed));
    });
  });
}
