/** A node's file with a long history in it, of the kind that accounting programs choke on. */
import { join } from 'node:path';
import fc from 'fast-check';
import { openNodeStore } from '../../main/db/node/store.ts';
import { signOperation } from '../../main/wallet/account.ts';
import type { Holdings } from '../../shared/economy/holdings.ts';
import { amount } from '../../shared/economy/money.ts';
import { purchasingPowerXac } from '../../shared/economy/payment.ts';
import { isAceError } from '../../shared/errors.ts';
import { Economy } from '../property/history.ts';
import { ACCOUNTS, history, world } from '../property/history-world.ts';
import { type AppliedBatch, bookRecords, recordsOf } from './journal.ts';

/** Another's words: quotes, line breaks, other alphabets, and what each format gives a meaning to. */
export const NASTY_NAMES = [
  '=HYPERLINK("http://evil.example","click")',
  '+1+1',
  '-2-2 @SUM(A1)',
  '@import',
  'two\nlines\r\nand a tab\there',
  'Фильм «Чук и Гек», серия 2',
  'semi; colon | pipe, comma "quoted" \'single\' \\back\\slash',
  '[2026-01-01] [=2026/02/02] (1) {2} <3>',
  ':tag: value, key: other',
  'One, two: three, date2: 2026-01-01.mp4',
  '\u202Egpj.exe \u0000 \u001b[31m',
];

export interface Truth {
  readonly account: string;
  readonly held: Holdings;
  /** MiB, of other accounts. */
  readonly owes: ReadonlyMap<string, number>;
  readonly owed: ReadonlyMap<string, number>;
}

const START_MS = Date.UTC(2026, 9, 30, 23, 59, 59, 500);
/** Purchases, those that nobody could pay among them. */
const MOST_TRIES = 100;
/** Between two batches, so that the history takes days. */
const BATCH_EVERY_MS = 5 * 3_600_000;

/** Books the history of the account that has most of it; the answer is what chain and shard say in the end. */
export async function nastyNode(dir: string, steps = 260, seed = 1): Promise<Truth> {
  const [start] = fc.sample(world, { seed, numRuns: 1 });
  const [all = []] = fc.sample(history(steps), { seed, numRuns: 1 });
  if (!start) throw new Error('no world');
  // The operations of one day at genesis, the batches of the days after it.
  const economy = new Economy(join(dir, 'chain.db'), start);
  const batches: AppliedBatch[] = [];
  for (const step of all) {
    const outcome = await economy.take({ ...step, waitMs: 0 });
    if (!outcome?.batch) continue;
    batches.push({ result: outcome.batch.result, atMs: START_MS + batches.length * BATCH_EVERY_MS });
  }
  const account = mostIndebted(economy);
  await tradeAccess(economy, account);
  const channelOf = (counterparty: string) => Buffer.from(counterparty.slice(2).padEnd(64, '0'), 'hex');
  const records = await recordsOf(economy.chain, economy.settings, account, batches, channelOf);

  const store = openNodeStore(join(dir, 'node.db'));
  bookRecords(store, account, records);
  store.commit(() => {
    NASTY_NAMES.forEach((name, i) => {
      const contentId = `bafy${i}`;
      store.contents.insert({
        contentId,
        transport: new Uint8Array(),
        name,
        mimeType: 'video/mp4',
        sizeBytes: 1,
        durationMs: 0,
        origin: 'fetched',
        addedAtMs: START_MS,
      });
      // Two names for each counterparty, and all of them for somebody.
      const counterparties = [...new Set(records.settlements.map(({ counterparty }) => counterparty))];
      const half = NASTY_NAMES.length / 2;
      for (const [at, counterparty] of counterparties.entries()) {
        if (at % half === i % half) store.channelContents.add(channelOf(counterparty), contentId, 1_048_576);
      }
    });
  });
  store.close();
  const { main, services } = await economy.chain.account(account);
  const loans = (pairs: (other: string) => string) =>
    new Map(
      ACCOUNTS.flatMap(({ address: other }) => {
        const units = economy.loans.get(pairs(other)) ?? 0;
        return units > 0 ? [[other, units] as const] : [];
      }),
    );
  const truth = {
    account,
    held: { main, services },
    owes: loans((o) => account + o),
    owed: loans((o) => o + account),
  };
  await economy.close();
  return truth;
}

/**
 * Access bought from the account and by it, with each token that it can be paid with. What was bought is named by whoever
 * signs, in words of its own: it stands in the books of who is paid.
 */
async function tradeAccess({ chain, settings }: Economy, account: string): Promise<void> {
  const { rates } = await chain.market();
  const [own] = ACCOUNTS.filter(({ address }) => address === account);
  const others = ACCOUNTS.filter(({ address }) => address !== account);
  const [seller] = others;
  if (!own || !seller) throw new Error('no such account');
  let left = MOST_TRIES;
  const buy = async (buyer: typeof own, to: string, contentId: string, n: number): Promise<boolean> => {
    left -= 1;
    const { nonce, services } = await chain.account(buyer.address);
    const power = purchasingPowerXac(services, rates);
    // All XAC and some of what comes after it; then single base units and odd ones.
    const price = n === 0 ? services.XAC + (power - services.XAC) / 3n : n % 2 === 0 ? 1n : power / 97n;
    const priceXac = amount(price > 0n ? price : 1n);
    const terms = { contentId, priceXac, premium: n % 3 === 0, lastsMs: n * 1_000 };
    const operation = { kind: 'access', from: buyer.address, nonce, to, ...terms } as const;
    try {
      await chain.submit(await signOperation(buyer, settings, operation));
      return true;
    } catch (error) {
      // Some have nothing, and some XAT that would emit more XAC than there can be.
      if (!isAceError(error, 'InsufficientFunds')) throw error;
      return false;
    }
  };
  for (const [i, contentId] of NASTY_NAMES.entries()) {
    for (let n = i; left > 0; n++) {
      const buyer = others[n % others.length];
      if (buyer && (await buy(buyer, account, contentId, i))) break;
    }
    if (i % 2 === 0) await buy(own, seller.address, contentId, i);
  }
  if (left <= 0) throw new Error('nobody has anything to buy with');
}

/** The account with most open loans, both ways. */
function mostIndebted({ loans }: Economy): string {
  const open = [...loans].filter(([, units]) => units > 0).map(([pair]) => pair);
  const score = (address: string) => {
    const [owes, owed] = [open.filter((p) => p.startsWith(address)), open.filter((p) => p.endsWith(address))];
    return Math.min(owes.length, owed.length) * 100 + owes.length + owed.length;
  };
  const [first] = ACCOUNTS.map(({ address }) => address).sort((a, b) => score(b) - score(a));
  return first ?? '';
}
