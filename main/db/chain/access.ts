import type { BoughtAccess } from '../../../shared/chain.ts';
import { amount } from '../../../shared/economy/money.ts';
import type { Database } from '../open.ts';
import { accountKey, addressOfKey } from './account-key.ts';

interface AccessRow {
  readonly contentId: string;
  readonly seller: Uint8Array;
  readonly priceXac: bigint;
  readonly premium: bigint;
  readonly boughtAtMs: bigint;
  readonly lastsMs: bigint;
  readonly untilMs: bigint;
}

export interface AccessQueries {
  /** What an account bought of a content from a seller; `undefined` for nothing. */
  get(address: string, contentId: string, seller: string): BoughtAccess | undefined;
  /** Writes it whole, new or not. */
  put(address: string, access: BoughtAccess): void;
}

export function accessQueries(db: Database): AccessQueries {
  const get = db
    .prepare<[Uint8Array, string, Uint8Array], AccessRow>(
      `SELECT content_id AS contentId, seller, price_xac AS priceXac, premium, lasts_ms AS lastsMs,
         bought_at_ms AS boughtAtMs, until_ms AS untilMs
       FROM access WHERE address = ? AND content_id = ? AND seller = ?`,
    )
    .safeIntegers();
  const put = db.prepare(
    `REPLACE INTO access (address, content_id, seller, price_xac, premium, lasts_ms, bought_at_ms, until_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    get: (address, contentId, seller) => {
      const row = get.get(accountKey(address), contentId, accountKey(seller));
      return row && fromRow(row);
    },
    put: (address, { contentId, seller, priceXac, premium, lastsMs, boughtAtMs, untilMs }) =>
      void put.run(
        accountKey(address),
        contentId,
        accountKey(seller),
        priceXac,
        premium ? 1 : 0,
        lastsMs,
        boughtAtMs,
        untilMs,
      ),
  };
}

function fromRow({ contentId, seller, priceXac, premium, ...times }: AccessRow): BoughtAccess {
  return {
    contentId,
    seller: addressOfKey(seller),
    priceXac: amount(priceXac),
    premium: premium === 1n,
    lastsMs: Number(times.lastsMs),
    boughtAtMs: Number(times.boughtAtMs),
    untilMs: Number(times.untilMs),
  };
}
