/** Whether a shard's file and the main chain tell of the same batches. */
import { sameBytes } from '../../shared/bytes.ts';
import { AceError } from '../../shared/errors.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';

/**
 * The shard's batches and the main chain's must be one history: a file restored from an older copy would settle nothing
 * any more, and lease what is not there. The shard's last batch may be one that the chain has not answered yet.
 * @throws AceError `DataDirMismatch`
 */
export async function checkSameHistory(
  chain: MainChain,
  store: ValidatorStore,
  shard: number,
): Promise<void> {
  const [onChain, own] = [await chain.lastBatch(shard), store.batches.last()];
  const ownNumber = own?.number ?? 0;
  const apart = (why: string) => new AceError('DataDirMismatch', why, { reaction: 'stop' });
  if (onChain.number > ownNumber) {
    throw apart(
      `The validator's database is older than the main chain (batch ${ownNumber}, the chain has ${onChain.number}): restore its newest copy`,
    );
  }
  if (onChain.number < ownNumber - 1 || (onChain.number < ownNumber && own?.result != null)) {
    throw apart(
      `The main chain is older than the validator's database (batch ${onChain.number}, the shard has ${ownNumber}): restore its newest copy`,
    );
  }
  const same = store.batches.get(onChain.number);
  if (onChain.number > 0 && !(same && sameBytes(same.hash, onChain.hash))) {
    throw apart(
      `Batch ${onChain.number} of the validator's database and of the main chain are different ones`,
    );
  }
}
