import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { proofOf } from '../../main/validator/intake.ts';
import { VerifyPool } from '../../main/validator/verify-pool.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const BUILT = join(import.meta.dirname, '../../out/main/verify-worker.js');

it('the worker of the built program stands beside its shells and verifies claims', async () => {
  expect(existsSync(BUILT)).toBe(true);
  const s = new TestShard(tempDir());
  onTestFinished(() => s.close());
  const deaths: unknown[] = [];
  const pool = new VerifyPool({
    entry: BUILT,
    inlineJobs: 0,
    workers: 1,
    onDeath: (error) => deaths.push(error),
  });
  onTestFinished(() => pool.stop());
  const channel = await s.lease(party(1), party(2), 100);
  const claim = {
    channelId: channel.channelId,
    units: 66,
    tick: channel.chain.tick(66),
    checkpoint: s.checkpoint(channel, { units: 64 }),
  };
  const proven = await pool.verify(proofOf(s.store, channel.channelId), claim);
  expect(proven).toMatchObject({ units: 66, agreed: { number: 1, units: 64 } });
  expect([pool.workers, deaths]).toEqual([1, []]);
});
