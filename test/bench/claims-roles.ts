/** The processes of the claims bench; see claims.ts. Each prints one JSON object. */
import '../../main/process/heap.ts';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { serializer } from '../../main/util/serialize.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { ClaimIntake } from '../../main/validator/intake.ts';
import { VerifyPool } from '../../main/validator/verify-pool.ts';
import { deviceFromSeed, devicePublicKey, isSignedBy } from '../../main/wallet/device.ts';
import type { Claim } from '../../shared/channel/claim.ts';
import { channelIdOf, encodeCheckpoint, encodeTerms } from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { testAddress } from '../helpers/chain.ts';

interface Made {
  readonly claim: Claim;
  readonly payerDevice: Uint8Array;
  readonly payeeDevice: Uint8Array;
}

const BARE_THREADS = 2;
const PAYERS = 500;
const PAYEES = 50;
const CAPACITY_UNITS = 80;
const CHECKPOINT_UNITS = 64;
/** Claims that are asked for at once: as many peers with one open request each. */
const IN_FLIGHT = 2_048;
const WARM_UP = 1_024;
const SINGLES = 2_000;
const SLOT_BYTES = 512;

const say = (value: object) => process.stdout.write(JSON.stringify(value));

/** Time that passes, and time that the processor spends on all threads of this process. */
function stopwatch(): () => { ms: number; cpuMs: number } {
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { ms: performance.now() - startedAtMs, cpuMs: (user + system) / 1_000 };
  };
}

function files(dir: string) {
  return { db: join(dir, 'validator.db'), claims: join(dir, 'claims'), copy: join(dir, 'copy.db') };
}

function madeClaims(dir: string): Made[] {
  return deserialize(readFileSync(files(dir).claims)) as Made[];
}

function seedOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

const roles: Readonly<Record<string, (dir: string, ...args: string[]) => Promise<void>>> = {
  /** Leased channels, and a claim for each, signed; some more of them to warm up with. */
  async make(dir, channels) {
    const device = (who: string, n: number) => deviceFromSeed(seedOf(`${who} ${n}`));
    const payers = Array.from({ length: PAYERS }, (_, n) => device('payer', n));
    const payees = Array.from({ length: PAYEES }, (_, n) => device('payee', n));
    const store = openValidatorStore(files(dir).db);
    const made: Made[] = [];
    store.commit(() => {
      for (let i = 0; i < Number(channels) + WARM_UP; i++) {
        const payer = payers[i % PAYERS] as (typeof payers)[0];
        const payee = payees[i % PAYEES] as (typeof payees)[0];
        const chain = TickChain.fromSeed(seedOf(`channel ${i}`), CAPACITY_UNITS, sha256);
        const terms = {
          networkId: 'bench',
          shard: 0,
          payer: testAddress(1 + (i % PAYERS)),
          payee: testAddress(100_000 + (i % PAYEES)),
          payerDevice: payer.publicKey,
          payeeDevice: payee.publicKey,
          capacityUnits: CAPACITY_UNITS,
          anchor: chain.anchor,
          expiresAtMs: 1_800_000_000_000,
          nonce: seedOf(`nonce ${i}`).subarray(0, 16),
        };
        const channelId = channelIdOf(encodeTerms(terms), sha256);
        const signature = new Uint8Array(64);
        const leasedAtMs = terms.expiresAtMs - 3_600_000;
        store.leases.insert({ ...terms, channelId, terms: encodeTerms(terms), signature, leasedAtMs });
        const record = encodeCheckpoint({
          channelId,
          number: 1,
          units: CHECKPOINT_UNITS,
          bytes: CHECKPOINT_UNITS * 1_048_576,
          videoBytes: CHECKPOINT_UNITS * 1_048_576,
          watchMs: 60_000,
          final: false,
          tick: chain.tick(CHECKPOINT_UNITS),
        });
        const units = CHECKPOINT_UNITS + 1 + (i % 8);
        const [payerSignature, payeeSignature] = [payer.sign(record), payee.sign(record)];
        made.push({
          claim: {
            channelId,
            units,
            tick: chain.tick(units),
            checkpoint: { record, payerSignature, payeeSignature },
          },
          payerDevice: payer.publicKey,
          payeeDevice: payee.publicKey,
        });
      }
    });
    store.close();
    writeFileSync(files(dir).claims, serialize(made));
    say({});
  },

  /** The same signatures, nothing else, half of them on each thread. */
  async bare(dir) {
    const threads = Array.from(
      { length: BARE_THREADS },
      (_, n) => new Worker(import.meta.filename, { workerData: { dir, n }, execArgv: [] }),
    );
    const heard = () =>
      Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('message', resolve))));
    await heard();
    const sinceStart = stopwatch();
    for (const thread of threads) thread.postMessage('go');
    await heard();
    say(sinceStart());
    await Promise.all(threads.map((thread) => thread.terminate()));
  },

  async intake(dir) {
    const { take, count, end } = openIntake(dir);
    await Promise.all(Array.from({ length: WARM_UP }, (_, i) => take(i)));
    const sinceStart = stopwatch();
    let next = WARM_UP;
    const asking = async () => {
      while (next < count) await take(next++);
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, asking));
    say({
      ...sinceStart(),
      ...(await end()),
      peakRssMib: Math.round(process.resourceUsage().maxRSS / 1_024),
    });
  },

  /** One claim after another: what a shard with little to do answers in. */
  async single(dir) {
    const { take, count, end } = openIntake(dir);
    // Of few claims half are there to warm up with.
    const singles = Math.min(SINGLES, Math.floor(count / 2));
    for (let i = 0; i < singles; i++) await take(i);
    const startedAtMs = performance.now();
    for (let i = 0; i < singles; i++) await take(singles + i);
    say({ usPerClaim: Math.round(((performance.now() - startedAtMs) / singles) * 1_000) });
    await end();
  },
};

/** The shard's real intake on a file of its own. */
function openIntake(dir: string) {
  const { db, copy } = files(dir);
  copyFileSync(db, copy);
  const store = openValidatorStore(copy);
  let commits = 0;
  const counting = {
    ...store,
    commit: <T>(fn: () => T): T => {
      commits += 1;
      return store.commit(fn);
    },
  };
  const verifier = new VerifyPool({
    onDeath: (error) => {
      throw error;
    },
  });
  const intake = new ClaimIntake({
    store: counting,
    verifier,
    alone: serializer(),
    onBooked: () => undefined,
  });
  // Packed, as bytes that have come over the network are: objects of all of them would be work of the bench's own.
  const packed = packedClaims(madeClaims(dir));
  return {
    count: packed.length,
    take: async (index: number) => {
      const claim = claimOf(packed[index]);
      const { claimedUnits } = await intake.take(claim);
      if (claimedUnits !== claim.units) throw new Error(`${claimedUnits} units, claimed were ${claim.units}`);
    },
    end: async () => {
      const { workers } = verifier;
      await verifier.stop();
      store.close();
      for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true });
      return { workers, commits };
    },
  };
}

function packedClaims(made: readonly Made[]): Buffer[] {
  const all = Buffer.concat(made.map(({ claim }) => packOne(claim)));
  return made.map((_, i) => all.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES));
}

function packOne({ channelId, units, tick, checkpoint }: Claim): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES);
  if (!checkpoint?.payeeSignature) throw new Error('every claim of the bench is countersigned');
  slot.set(channelId, 0);
  slot.set(tick, 32);
  slot.set(checkpoint.payerSignature, 64);
  slot.set(checkpoint.payeeSignature, 128);
  slot.writeUInt32LE(units, 192);
  slot.writeUInt32LE(checkpoint.record.byteLength, 196);
  slot.set(checkpoint.record, 200);
  return slot;
}

function claimOf(slot: Buffer | undefined): Claim {
  if (!slot) throw new Error('there are no more claims');
  return {
    channelId: slot.subarray(0, 32),
    tick: slot.subarray(32, 64),
    units: slot.readUInt32LE(192),
    checkpoint: {
      payerSignature: slot.subarray(64, 128),
      payeeSignature: slot.subarray(128, 192),
      record: slot.subarray(200, 200 + slot.readUInt32LE(196)),
    },
  };
}

/** A thread of the bare run. */
function verifyHalf({ dir, n }: { dir: string; n: number }): void {
  const signed = madeClaims(dir)
    .filter((_, i) => i % BARE_THREADS === n)
    .flatMap(({ claim: { checkpoint }, payerDevice, payeeDevice }) => {
      if (!checkpoint?.payeeSignature) throw new Error('every claim of the bench is countersigned');
      const { record, payerSignature, payeeSignature } = checkpoint;
      return [
        { key: payerDevice, record, signature: payerSignature },
        { key: payeeDevice, record, signature: payeeSignature },
      ];
    });
  const keys = new Map(
    signed.map(({ key }) => [Buffer.from(key).toString('hex'), devicePublicKey(key)] as const),
  );
  const ready = signed.map(({ key, ...rest }) => ({
    ...rest,
    key: keys.get(Buffer.from(key).toString('hex')) as ReturnType<typeof devicePublicKey>,
  }));
  const verify = (some: typeof ready) => {
    for (const { key, record, signature } of some) {
      if (!isSignedBy(key, record, signature)) throw new Error('a signature of the bench is wrong');
    }
  };
  // Two signatures a claim, shared out among the threads.
  verify(ready.splice(0, (2 * WARM_UP) / BARE_THREADS));
  parentPort?.once('message', () => {
    verify(ready);
    parentPort?.postMessage('done');
  });
  parentPort?.postMessage('ready');
}

if (isMainThread) {
  const [name = '', dir = '', ...args] = process.argv.slice(2);
  await roles[name]?.(dir, ...args);
} else {
  verifyHalf(workerData as { dir: string; n: number });
}
