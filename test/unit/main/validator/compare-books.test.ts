import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sealBatch } from '../../../../main/chain/batch-signature.ts';
import { openEmbeddedChain } from '../../../../main/chain/embedded/embedded-chain.ts';
import { openValidatorStore } from '../../../../main/db/validator/store.ts';
import { bookDifference } from '../../../../main/validator/compare-books.ts';
import type { DeviceIdentity } from '../../../../main/wallet/device.ts';
import { encodeBatchResult } from '../../../../shared/settlement/batch-result.ts';
import {
  entry,
  nextBatch,
  testAddress,
  testGenesis,
  testSettings,
  VALIDATORS,
} from '../../../helpers/chain.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** A chain and its shard's book, and the steps in which both grow. */
function scene() {
  const chain = openEmbeddedChain({
    path: ':memory:',
    settings: testSettings(),
    genesis: testGenesis([[testAddress(1), 'XAT', '10']]),
    nowMs: () => 1,
  });
  const book = openValidatorStore(join(tempDir(), 'validator.db'));
  onTestFinished(async () => {
    book.close();
    await chain.close();
  });
  const seal = async () => {
    const last = book.batches.last();
    const batch = await nextBatch(chain, [entry(testAddress(1), testAddress(2), 1)], {
      number: (last?.number ?? 0) + 1,
      ...(last && { previousHash: new Uint8Array(last.hash) }),
    });
    const sealed = sealBatch(batch, VALIDATORS[0] as DeviceIdentity);
    book.batches.insert({ number: batch.number, createdAtMs: batch.createdAtMs, ...sealed });
    return {
      apply: async () => {
        const result = await chain.applyBatch({ batch, signature: sealed.signature });
        return { record: () => book.batches.setResult(batch.number, encodeBatchResult(result)) };
      },
    };
  };
  const settle = async () => (await (await seal()).apply()).record();
  const difference = (before = book.batches.last()) => bookDifference(chain, 0, before, book);
  return { book, seal, settle, difference };
}

describe('a shard’s book beside its chain', () => {
  it('agrees at every step of a settlement', async () => {
    const { seal, settle, difference } = scene();
    expect(await difference()).toBeNull();
    await settle();
    expect(await difference()).toBeNull();
    const sealed = await seal();
    expect(await difference()).toBeNull();
    const applied = await sealed.apply();
    expect(await difference()).toBeNull();
    applied.record();
    expect(await difference()).toBeNull();
  });

  it('may have gone on since the chain was read, and may have been behind it before', async () => {
    const { book, seal, settle, difference } = scene();
    await settle();
    const early = book.batches.last();
    await settle();
    expect(await difference(early)).toBeNull();
    expect(await difference(null)).toBeNull();
    // Sealed twice in the book while the chain that was read has neither.
    const late = book.batches.last();
    await seal();
    await seal();
    expect(await difference(late)).toBeNull();
  });

  it('differs when it had an answer to a batch that the chain does not have', async () => {
    const { book, seal, settle, difference } = scene();
    await settle();
    await seal();
    book.batches.setResult(2, new Uint8Array(1));
    expect(await difference()).toBe('shard 0 has settled 2 batches, the chain has only 1');
  });
});
