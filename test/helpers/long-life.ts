/** The data folder of a node that has been at it for long: titles that it shares, and what was settled for them. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stampOf } from '../../main/content/file-stamp.ts';
import { chunkHashesOf, makeTransportFile, pieceHash } from '../../main/content/transport-file.ts';
import { type NodeStore, openNodeStore } from '../../main/db/node/store.ts';
import { bookSettlement } from '../../main/journal/records.ts';
import { deviceFromSeed } from '../../main/wallet/device.ts';
import { amount, ZERO } from '../../shared/economy/money.ts';
import { planPayment } from '../../shared/economy/payment.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { sumsOf } from '../../shared/settlement/statement.ts';
import { testAddress } from './chain.ts';

export interface LongLife {
  readonly titles: number;
  readonly settlements: number;
  /** Of the newest settlement. */
  readonly untilMs: number;
}

const DEVICE = deviceFromSeed(new Uint8Array(32).fill(9));
const PEERS = Array.from({ length: 40 }, (_, i) => testAddress(1 + i));
/** Five minutes for two, as a busy node has them. */
const EVERY_MS = 150_000;
const MIB = 1_048_576;
const PRICE = ratio(78_125, 28);
const FUNDS = { XAC: ZERO, XAT: amount(10n ** 15n), XAS: ZERO };
const RATES = { xacPerXat: ratio(1), xacPerXas: ratio(1) };
const FEE = ratio(1, 10);
const GROUP = 10_000;
/** A devnet's only shard is the first one, and knows nothing of these. */
const SHARD = 1;
/** Settlements in a row that are for one title; of the newest day's, each is for another one. */
const IN_A_ROW = 20;
const LAST_DAY = 576;

/** The node does not run meanwhile. `media`: where the titles' files are made. */
export async function seedLongLife(dataDir: string, media: string, life: LongLife): Promise<void> {
  const store = openNodeStore(join(dataDir, 'node.db'));
  try {
    const titles = await addTitles(store, media, life);
    for (let from = 1; from <= life.settlements; from += GROUP) {
      store.commit(() => {
        for (let n = from; n < from + GROUP && n <= life.settlements; n++) settle(store, n, titles, life);
      });
    }
  } finally {
    store.close();
  }
}

async function addTitles(store: NodeStore, media: string, life: LongLife): Promise<string[]> {
  mkdirSync(media, { recursive: true });
  const made = Array.from({ length: life.titles }, (_, i) => titleIn(media, i + 1));
  const stamps = await Promise.all(made.map(({ path }) => stampOf(path)));
  const addedAtMs = life.untilMs - life.settlements * EVERY_MS;
  store.commit(() => {
    for (const [i, { path, ...content }] of made.entries()) {
      const { contentId } = content;
      store.contents.insert({ ...content, origin: 'imported', addedAtMs });
      store.contents.setFile(contentId, { path, stamp: stamps[i] ?? '' });
      store.contents.pieces.add(contentId, 0, true);
    }
  });
  return made.map(({ contentId }) => contentId);
}

function titleIn(media: string, part: number) {
  const name = `Harbour, part ${part}.mp4`;
  const path = join(media, name);
  const bytes = Buffer.from(`part ${part} of the harbour`);
  writeFileSync(path, bytes);
  const file = { name, mimeType: 'video/mp4', sizeBytes: bytes.byteLength, durationMs: 1_000 };
  const pieceHashes = [pieceHash(chunkHashesOf(bytes))];
  const { contentId, bytes: transport } = makeTransportFile({ ...file, kind: 'vod', pieceHashes }, DEVICE);
  return { ...file, contentId, transport, path };
}

/** One in four is paid to this account, one in ten went on credit. */
function settle(store: NodeStore, n: number, titles: readonly string[], life: LongLife): void {
  const units = 1 + ((n * 37) % 90);
  const isLoan = n % 10 === 0;
  const payment = isLoan ? null : planPayment(FUNDS, priceOfUnits(units, PRICE), RATES, FEE, ZERO);
  const channelId = new Uint8Array(createHash('sha256').update(`channel ${n}`).digest());
  const row = life.settlements - n < LAST_DAY ? n : Math.floor(n / IN_A_ROW);
  store.channelContents.add(channelId, titles[row % titles.length] ?? '', units * MIB);
  const detail = { repayment: null, payment, channels: [{ channelId, units }] };
  bookSettlement(store, {
    shard: SHARD,
    shardSeq: n,
    batchNumber: n,
    batchHash: new Uint8Array(32).fill(n % 256),
    atMs: life.untilMs - (life.settlements - n) * EVERY_MS,
    direction: n % 4 === 0 ? 'earned' : 'paid',
    counterparty: PEERS[n % PEERS.length] ?? '',
    paidUnits: isLoan ? 0 : units,
    creditUnits: isLoan ? units : 0,
    refusedUnits: 0,
    repaidUnits: 0,
    ...sumsOf(detail),
    price: PRICE,
    signature: new Uint8Array(64),
    detail,
  });
}
