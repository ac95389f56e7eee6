/** The processes of `export.ts`: one makes a node's file, one reads its rows bare, one exports them. */
import '../../main/process/heap.ts';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openNodeStore } from '../../main/db/node/store.ts';
import { JournalExport } from '../../main/journal/export/export.ts';
import { bookSettlement } from '../../main/journal/records.ts';
import { amount, ZERO } from '../../shared/economy/money.ts';
import { planPayment } from '../../shared/economy/payment.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { ALWAYS, parseExportFormat } from '../../shared/journal/export.ts';
import { sumsOf } from '../../shared/settlement/statement.ts';

const [, , role = '', dir = '', argument = ''] = process.argv;
const path = join(dir, 'node.db');
const ACCOUNT = `0x${'ab'.repeat(20)}`;
const START_MS = Date.UTC(2025, 0, 1);
const COUNTERPARTIES = 5_000;
const GROUP = 10_000;
const RATES = { xacPerXat: ratio(1), xacPerXas: ratio(1) };
const FEE = ratio(1, 10);

function digest(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

/** Settlements of both directions, each on a channel of its own that carried one of a few contents. */
function make(count: number): void {
  const store = openNodeStore(path);
  store.commit(() => {
    store.meta.set('account', ACCOUNT);
    store.meta.set('network', 'bench');
    for (let i = 0; i < 50; i++) {
      store.contents.insert({
        contentId: `bafy${i}`,
        transport: new Uint8Array(),
        name: `Film ${i}, «the ${i}th»`,
        mimeType: 'video/mp4',
        sizeBytes: 1,
        durationMs: 0,
        origin: 'fetched',
        addedAtMs: START_MS,
      });
    }
  });
  const price = ratio(78_125, 28);
  for (let from = 1; from <= count; from += GROUP) {
    store.commit(() => {
      for (let seq = from; seq < from + GROUP && seq <= count; seq++) {
        const units = 1 + (seq % 500);
        const funds = { XAC: amount(BigInt(seq % 2) * 10n ** 15n), XAT: amount(10n ** 15n), XAS: ZERO };
        const payment = planPayment(funds, priceOfUnits(units, price), RATES, FEE, ZERO);
        const channelId = new Uint8Array(digest(`channel ${seq % 100_000}`));
        if (seq <= 100_000) store.channelContents.add(channelId, `bafy${seq % 50}`, units * 1_048_576);
        const detail = { repayment: null, payment, channels: [{ channelId, units }] };
        bookSettlement(store, {
          shard: 0,
          shardSeq: seq,
          batchNumber: seq,
          batchHash: new Uint8Array(digest(`batch ${seq}`)),
          atMs: START_MS + seq * 30_000,
          direction: seq % 3 === 0 ? 'paid' : 'earned',
          counterparty: `0x${digest(`peer ${seq % COUNTERPARTIES}`)
            .toString('hex')
            .slice(0, 40)}`,
          paidUnits: units,
          creditUnits: 0,
          refusedUnits: 0,
          repaidUnits: 0,
          ...sumsOf(detail),
          price,
          signature: new Uint8Array(64),
          detail,
        });
      }
    });
  }
  store.close();
}

/** The same rows, read and thrown away. */
function bare() {
  const store = openNodeStore(path, { snapshot: true });
  const startedMs = performance.now();
  let rows = 0;
  let bytes = 0;
  for (const body of store.journal.bodies(ALWAYS)) {
    rows += 1;
    bytes += body.byteLength;
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  store.close();
  return { rows, bytes, seconds };
}

async function exported(name: string) {
  const format = parseExportFormat(name);
  const journal = new JournalExport(path, { format, period: ALWAYS, bom: false });
  const out = createWriteStream(join(dir, `out.${name}`), { flush: true });
  const startedMs = performance.now();
  let rows = 0;
  await pipeline(Readable.from(journal.pieces((done) => (rows = done))), out);
  const seconds = (performance.now() - startedMs) / 1_000;
  journal.close();
  const peakRssMib = Math.round(process.resourceUsage().maxRSS / 1_024);
  return { rows, bytes: out.bytesWritten, seconds, peakRssMib };
}

function answer(): unknown {
  if (role === 'make') return make(Number(argument)) ?? {};
  if (role === 'bare') return bare();
  if (role === 'export') return exported(argument);
  throw new Error(`no role ${role}`);
}

process.stdout.write(JSON.stringify(await answer()));
