/** The processes of the chain bench; see chain.ts. Each prints one JSON object. */
import '../../main/process/heap.ts';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { hashBatch } from '../../main/chain/batch-signature.ts';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { openChainStore } from '../../main/db/chain/store.ts';
import {
  type BatchEntry,
  decodeBatch,
  encodeBatch,
  FIRST_PREVIOUS_HASH,
} from '../../shared/settlement/batch.ts';
import { entry, nextBatch, sign, testAddress, testGenesis, testSettings } from '../helpers/chain.ts';

const [name, dir = '', ...args] = process.argv.slice(2) as [string, string, ...string[]];
const path = join(dir, 'chain.db');
/** 1,000 XAT each: about 100 GB of traffic. */
const XAT_EACH = 10_000_000_000n;

const open = () =>
  openEmbeddedChain({
    path,
    settings: testSettings(),
    genesis: testGenesis([], [['lockedPool', 'XAT', '90000000000']]),
    nowMs: () => Date.now(),
  });
const say = (value: object) => process.stdout.write(JSON.stringify(value));
const peakRssMib = () => Math.round(process.resourceUsage().maxRSS / 1_024);

const roles: Readonly<Record<string, () => Promise<void>>> = {
  /** A chain of so many accounts with funds. Written past the chain, which would take a genesis of that size. */
  async make() {
    const accounts = Number(args[0]);
    await open().close();
    const db = new Sqlite(path);
    const insert = db.prepare('INSERT INTO accounts VALUES (?, ?, 0, 0, 0, 0, 0)');
    db.transaction(() => {
      for (let i = 0; i < accounts; i++) insert.run(keyOf(addressOf(i)), XAT_EACH);
      const total = BigInt(accounts) * XAT_EACH;
      db.prepare("UPDATE supply SET genesis = genesis + ? WHERE token = 'XAT'").run(total);
    })();
    db.close();
    say({});
  },

  async open() {
    const startedAtMs = performance.now();
    const chain = open();
    await chain.account(addressOf(0));
    const openMs = Math.round(performance.now() - startedAtMs);
    say({ openMs, peakRssMib: peakRssMib() });
    await chain.close();
  },

  /** Signed batches as files, made apart, so that making them costs the process that applies them nothing. */
  async seal() {
    const [entries, rounds] = args.map(Number) as [number, number];
    const chain = open();
    let previousHash = FIRST_PREVIOUS_HASH;
    for (let round = 0; round < rounds; round++) {
      const batch = await nextBatch(chain, randomEntries(entries, round), {
        number: round + 1,
        previousHash,
      });
      const bytes = encodeBatch(batch);
      writeFileSync(join(dir, `${round}.batch`), bytes);
      writeFileSync(join(dir, `${round}.signature`), sign(batch).signature);
      previousHash = hashBatch(bytes);
    }
    await chain.close();
    say({});
  },

  async apply() {
    const [entries, rounds] = args.map(Number) as [number, number];
    const chain = open();
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const batch = decodeBatch(new Uint8Array(readFileSync(join(dir, `${round}.batch`))));
      const signature = new Uint8Array(readFileSync(join(dir, `${round}.signature`)));
      const startedAtMs = performance.now();
      await chain.applyBatch({ batch, signature });
      rates.push(Math.round((entries / (performance.now() - startedAtMs)) * 1_000));
    }
    await chain.close();
    say({ rates, peakRssMib: peakRssMib() });
  },

  /** The rows of the same entries, payer and payee, read and written in one durable transaction each. */
  async bare() {
    const [entries, rounds] = args.map(Number) as [number, number];
    // A copy, for the sums of what it leaves are wrong.
    const copy = join(dir, 'bare.db');
    copyFileSync(path, copy);
    const { db } = openChainStore(copy);
    const get = db.prepare('SELECT * FROM accounts WHERE address = ?').safeIntegers();
    const put = db.prepare('UPDATE accounts SET xat = xat - 1, xac = xac + 1 WHERE address = ?');
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const rows = randomEntries(entries, round);
      const startedAtMs = performance.now();
      db.transaction(() => {
        for (const { payer, payee } of rows) {
          for (const key of [keyOf(payer), keyOf(payee)]) {
            get.get(key);
            put.run(key);
          }
        }
      }).immediate();
      rates.push(Math.round((entries / (performance.now() - startedAtMs)) * 1_000));
    }
    db.close();
    say({ rates });
  },
};

const role = roles[name];
if (!role) throw new Error(`No role ${name}`);
await role();

function addressOf(i: number): string {
  return testAddress(i + 1);
}

function keyOf(address: string): Uint8Array {
  return Buffer.from(address.slice(2), 'hex');
}

/** Pairs spread over all accounts, a few payees for each payer; the same for the same round. */
function randomEntries(count: number, round: number): BatchEntry[] {
  const accounts = new Sqlite(path, { readonly: true });
  const total = accounts.prepare('SELECT count(*) FROM accounts').pluck().get() as number;
  accounts.close();
  const entries = new Map<string, BatchEntry>();
  let state = round + 1;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % total;
  };
  while (entries.size < count) {
    const payer = addressOf(next());
    for (let i = 0; i < 4 && entries.size < count; i++) {
      const payee = addressOf(next());
      if (payee !== payer) entries.set(payer + payee, entry(payer, payee, 1 + (next() % 500)));
    }
  }
  return [...entries.values()];
}
