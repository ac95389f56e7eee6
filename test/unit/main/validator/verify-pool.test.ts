import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as dagCbor from '@ipld/dag-cbor';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serializer } from '../../../../main/util/serialize.ts';
import { MAX_WALK_UNITS } from '../../../../main/validator/claim-check.ts';
import { packJobs, packOutcomes, unpackJobs, unpackOutcomes } from '../../../../main/validator/claim-jobs.ts';
import { ClaimIntake, type ClaimVerifier, proofOf } from '../../../../main/validator/intake.ts';
import { VerifyPool, type VerifyPoolOptions } from '../../../../main/validator/verify-pool.ts';
import type { Claim } from '../../../../shared/channel/claim.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { type LeasedChannel, party, TestShard } from '../../../helpers/shard.ts';
import { waitFor } from '../../../helpers/wait.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

let dir: string;
let s: TestShard;
let channel: LeasedChannel;
let deaths: unknown[];
const pools: VerifyPool[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ace-test-'));
  s = new TestShard(dir);
  channel = await s.lease(party(1), party(2), 200);
  deaths = [];
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
  await s.close();
  rmSync(dir, { recursive: true, force: true });
});

function openPool(options: Partial<VerifyPoolOptions> = {}): VerifyPool {
  const pool = new VerifyPool({
    workers: 2,
    inlineJobs: 0,
    onDeath: (error) => deaths.push(error),
    ...options,
  });
  pools.push(pool);
  return pool;
}

const claimOf = (units: number, fields: Partial<Claim> = {}): Claim => ({
  channelId: channel.channelId,
  units,
  tick: channel.chain.tick(units),
  checkpoint: null,
  ...fields,
});
const verify = (pool: VerifyPool, claim: Claim) => pool.verify(proofOf(s.store, channel.channelId), claim);

describe('claims as bytes', () => {
  const withCheckpoint = () => claimOf(70, { checkpoint: s.checkpoint(channel, { units: 64 }) });

  it('come back as they were, with and without a checkpoint or its second signature', () => {
    const { checkpoint } = withCheckpoint();
    const basis = proofOf(s.store, channel.channelId);
    const jobs = [
      claimOf(3),
      withCheckpoint(),
      claimOf(70, { checkpoint: checkpoint && { ...checkpoint, payeeSignature: null } }),
    ].map((claim) => ({ basis, claim }));
    // One encoding for bytes of whatever class they are.
    expect(dagCbor.encode(unpackJobs(packJobs(jobs)))).toEqual(dagCbor.encode(jobs));
  });

  it('are refused where a field has a wrong length', () => {
    const basis = proofOf(s.store, channel.channelId);
    for (const claim of [
      claimOf(3, { tick: new Uint8Array(31) }),
      claimOf(3, { channelId: new Uint8Array(33) }),
    ]) {
      expect(() => packJobs([{ basis, claim }])).toThrow(
        expect.objectContaining({ code: 'MessageMalformed' }),
      );
    }
  });

  it('keep each outcome in its place', () => {
    const agreed = { number: 2, units: 64, videoBytes: 5, watchMs: 2 ** 40, final: true };
    const outcomes = [
      { proven: { units: 70, tick: Buffer.from(channel.chain.tick(70)), checkpointNumber: 2, agreed } },
      { refusal: new AceError('ClaimInvalid', 'no', { reaction: 'drop-peer' }) },
      // Signed by the payer alone, and without a checkpoint.
      { proven: { units: 3, tick: Buffer.from(channel.chain.tick(3)), checkpointNumber: 7, agreed: null } },
      {
        proven: { units: 4, tick: Buffer.from(channel.chain.tick(4)), checkpointNumber: null, agreed: null },
      },
    ];
    expect(unpackOutcomes({ id: 1, ...packOutcomes(outcomes) })).toEqual(outcomes);
  });
});

describe('the pool', () => {
  it('says on its threads, too, from which units a claim that is too far ahead may go on', async () => {
    const pool = openPool();
    const ahead = await verify(pool, claimOf(MAX_WALK_UNITS + 1)).catch((error: unknown) => error);
    expect(ahead).toMatchObject({ code: 'ClaimInvalid', details: { provenUnits: 0 } });
  });

  it('verifies a crowd on its threads, and refuses what is wrong by its name', async () => {
    const pool = openPool();
    const checkpoint = s.checkpoint(channel, { units: 64 });
    const forged = { ...checkpoint, payeeSignature: new Uint8Array(64) };
    const answers = await Promise.allSettled([
      ...Array.from({ length: 150 }, (_, i) => verify(pool, claimOf(64 + (i % 9), { checkpoint }))),
      verify(pool, claimOf(5, { tick: new Uint8Array(32) })),
      verify(pool, claimOf(64, { checkpoint: forged })),
    ]);
    expect(pool.workers).toBe(2);
    answers.slice(0, 150).forEach((answer, i) => {
      expect(answer).toMatchObject({
        status: 'fulfilled',
        value: { units: 64 + (i % 9), agreed: { number: 1 } },
      });
    });
    expect(answers.slice(150)).toMatchObject([
      { reason: { code: 'ClaimInvalid', reaction: 'drop-peer' } },
      { reason: { code: 'InvalidSignature', reaction: 'drop-peer' } },
    ]);
  });

  it('starts no thread for a few claims', async () => {
    const pool = openPool({ inlineJobs: 4 });
    await Promise.all([1, 2, 3, 4].map((units) => verify(pool, claimOf(units))));
    expect(pool.workers).toBe(0);
    await Promise.all([1, 2, 3, 4, 5].map((units) => verify(pool, claimOf(units))));
    expect(pool.workers).toBeGreaterThan(0);
  });

  it('refuses one more than may wait, and takes it later', async () => {
    const pool = openPool({ maxJobs: 10 });
    const taken = Array.from({ length: 10 }, () => verify(pool, claimOf(1)));
    const error = await expectAceRejection('TooManyRequests', verify(pool, claimOf(1)));
    expect(error.details.retryAfterMs).toBeGreaterThan(0);
    await Promise.all(taken);
    await verify(pool, claimOf(1));
  });

  it('does the jobs of a dead thread again, on a new one', async () => {
    // The first thread dies of its first message, once; the others are the real ones.
    const entry = join(ROOT, 'test/helpers/dying-worker.ts');
    process.env.ACE_TEST_DIES_ONCE = join(dir, 'died');
    const pool = openPool({ entry, workers: 1 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => verify(pool, claimOf(7))));
    expect(answers.every(({ units }) => units === 7)).toBe(true);
    expect(deaths).toMatchObject([{ code: 'Internal' }]);
    expect(pool.workers).toBe(1);
  });

  it('verifies inline where no thread can run', async () => {
    const pool = openPool({ entry: join(dir, 'missing.js') });
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(pool, claimOf(7))));
    expect(answers.every(({ units }) => units === 7)).toBe(true);
    expect(deaths.length).toBeGreaterThan(0);
    for (let i = 0; i < 4; i++) await Promise.all([verify(pool, claimOf(7)), verify(pool, claimOf(8))]);
    const deathsBefore = deaths.length;
    await verify(pool, claimOf(9));
    expect(deaths.length).toBe(deathsBefore);
  });

  it('ends its threads when it stops, and refuses what waits', async () => {
    const pool = openPool();
    const waiting = Promise.allSettled(Array.from({ length: 500 }, () => verify(pool, claimOf(1))));
    await new Promise(setImmediate);
    await pool.stop();
    expect(
      (await waiting).some((one) => one.status === 'rejected' && one.reason.code === 'ShardUnavailable'),
    ).toBe(true);
    expect(pool.workers).toBe(0);
    await expectAceRejection('ShardUnavailable', verify(pool, claimOf(1)));
  });

  it('runs a script that reaches neither the database nor Electron', () => {
    const seen = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(
        /^import (?!type\b)[^;]*?'([^']+)';/gms,
      )) {
        expect(specifier).not.toMatch(/better-sqlite3|electron|\/db\//);
        if (specifier.startsWith('.')) visit(join(file, '..', specifier));
      }
    };
    visit(join(ROOT, 'main/validator/verify-worker.ts'));
    expect(seen.size).toBeGreaterThan(5);
  });
});

describe('the intake', () => {
  const openIntake = () => {
    let commits = 0;
    let booked = 0;
    let verified = 0;
    const store = {
      ...s.store,
      commit: <T>(fn: () => T): T => {
        commits += 1;
        return s.store.commit(fn);
      },
    };
    const alone = serializer();
    const onBooked = (count: number) => {
      booked += count;
    };
    const pool = openPool();
    const verifier: ClaimVerifier = {
      async verify(proof, claim) {
        const proven = await pool.verify(proof, claim);
        verified += 1;
        return proven;
      },
    };
    const intake = new ClaimIntake({ store, verifier, alone, onBooked });
    return {
      ...{ intake, store, alone },
      ...{ commits: () => commits, booked: () => booked, verified: () => verified },
    };
  };

  it('books many claims of one channel in few transactions, and each is answered with what is on file', async () => {
    const { intake, commits, booked } = openIntake();
    const order = Array.from({ length: 60 }, (_, i) => ((i * 7) % 60) + 1);
    const answers = await Promise.all(order.map((units) => intake.take(claimOf(units))));
    answers.forEach(({ claimedUnits }, i) => {
      expect(claimedUnits).toBeGreaterThanOrEqual(order[i] as number);
    });
    expect(s.store.leases.get(channel.channelId)).toMatchObject({
      claimedUnits: 60,
      claimedTick: Buffer.from(channel.chain.tick(60)),
    });
    expect(commits()).toBeLessThan(20);
    expect(booked()).toBeGreaterThan(0);
  });

  it('refuses a claim whose lease was released while it was verified, and books the others of its group', async () => {
    const { intake, alone, verified } = openIntake();
    const other = await s.lease(party(1), party(3), 50);
    const checkpoint = s.checkpoint(channel, { units: 2, final: true });
    let release: () => void = () => undefined;
    const held = alone(() => new Promise<void>((resolve) => (release = resolve)));
    const late = intake.take(claimOf(3));
    const fine = intake.take({ ...claimOf(1), channelId: other.channelId, tick: other.chain.tick(1) });
    late.catch(() => undefined);
    await waitFor('both are verified against an open lease', () => verified() === 2);
    s.claim(channel, 2, { checkpoint });
    release();
    await held;
    const error = await expectAceRejection('ClaimInvalid', late);
    expect(error.message).toContain('released');
    expect(await fine).toEqual({ claimedUnits: 1, released: false });
    expect(s.store.leases.get(channel.channelId)?.claimedUnits).toBe(2);
  });

  it('answers nobody before the commit, and everybody with its error', async () => {
    const { intake, store } = openIntake();
    const failing = new AceError('StoreFailed', 'The disk is full', { reaction: 'pause-channel' });
    store.commit = () => {
      throw failing;
    };
    const answers = await Promise.allSettled([intake.take(claimOf(1)), intake.take(claimOf(2))]);
    expect(answers).toMatchObject([{ reason: { code: 'StoreFailed' } }, { reason: { code: 'StoreFailed' } }]);
    expect(s.store.leases.get(channel.channelId)?.claimedUnits).toBe(0);
  });
});
