import { expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../../../main/process/log.ts';
import { ClockGuard, lastRecordMs, validatorClock } from '../../../../main/validator/clock-guard.ts';
import { CLOCK_STAND_MS, MAX_CLOCK_STEP_MS } from '../../../../main/validator/limits.ts';
import { submitOperation } from '../../../../main/validator/operations.ts';
import { amount } from '../../../../shared/economy/money.ts';
import { encodeSignedOperation } from '../../../../shared/economy/operation.ts';
import { expectAceError, expectAceRejection } from '../../../helpers/ace-error.ts';
import { party, START_MS, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

function useShard(): TestShard {
  const shard = new TestShard(tempDir());
  onTestFinished(() => shard.close());
  return shard;
}

it('says by how much the clock has jumped, and goes on when it is right or was so for long', () => {
  let [wallMs, uptimeMs] = [START_MS, 0];
  const guard = new ClockGuard(
    validatorClock({ wallMs: () => wallMs, uptimeMs: () => uptimeMs }),
    createLog(null),
  );
  guard.checkRight();
  wallMs += MAX_CLOCK_STEP_MS + 1_000;
  const { details } = expectAceError('ClockWrong', () => guard.checkRight());
  expect(details).toEqual({ stepSeconds: 121 });
  wallMs -= 1_000;
  expect(guard.isRight).toBe(true);
  wallMs -= 2 * MAX_CLOCK_STEP_MS;
  expect(guard.isRight).toBe(false);
  wallMs += CLOCK_STAND_MS;
  uptimeMs += CLOCK_STAND_MS;
  guard.checkRight();
});

it('a shard’s last record is its newest lease or batch', async () => {
  const shard = useShard();
  expect(lastRecordMs(shard.store)).toBe(0);
  await shard.lease(party(1), party(2), 4);
  shard.nowMs += 1_000;
  await shard.lease(party(1), party(3), 4);
  expect(lastRecordMs(shard.store)).toBe(START_MS + 1_000);
});

it('a swap that is late by the shard’s clock is refused, however early the chain’s time is', async () => {
  const shard = useShard();
  const bytes = encodeSignedOperation(
    {
      ...{ kind: 'swap', from: party(1).account.address, sell: 'XAT', buy: 'XAC', nonce: 0 },
      ...{ amount: amount(1n), minReceived: amount(0n), deadlineMs: START_MS + 60_000 },
    },
    new Uint8Array(65),
  );
  const nowMs = () => START_MS + 60_001;
  await expectAceRejection('DeadlinePassed', submitOperation({ ...shard.context, nowMs }, bytes));
});
