import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sealBatch } from '../../../../main/chain/batch-signature.ts';
import { isSignedBy } from '../../../../main/wallet/device.ts';
import { type Batch, encodeBatch, FIRST_PREVIOUS_HASH } from '../../../../shared/settlement/batch.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { NOTHING_WATCHED, VALIDATORS } from '../../../helpers/chain.ts';

const [validator, other] = VALIDATORS as [(typeof VALIDATORS)[0], (typeof VALIDATORS)[0]];
const batch: Batch = {
  networkId: 'test',
  shard: 0,
  number: 1,
  previousHash: FIRST_PREVIOUS_HASH,
  createdAtMs: 1,
  watched: NOTHING_WATCHED,
  entries: [],
};

describe('sealing a batch', () => {
  it('hashes and signs its canonical bytes', () => {
    const { bytes, hash, signature } = sealBatch(batch, validator);
    expect(bytes).toEqual(encodeBatch(batch));
    expect(Buffer.from(hash)).toEqual(createHash('sha256').update(bytes).digest());
    expect(signature).toHaveLength(64);
    const signedBy = VALIDATORS.map(({ privateKey }) => isSignedBy(privateKey, bytes, signature));
    expect(signedBy).toEqual([true, false, false]);
    expect(sealBatch(batch, other).signature).not.toEqual(signature);
  });

  it('refuses a batch that no chain would take', () => {
    expectAceError('BatchMalformed', () => sealBatch({ ...batch, number: 0 }, validator));
  });
});
