import { decodeBatchResult } from '../../../../shared/settlement/batch-result.ts';
import type { Migration } from '../../open.ts';
import { intact } from '../../store-error.ts';

interface Answered {
  account: string;
  paidUnits: number;
  refusedUnits: number;
}

/**
 * The eighth version counted what the main chain had refused an account before as paid by it: it made known who had shown
 * nothing. The chain's answers are kept with the batches, so both figures are added up anew from them.
 */
export const refusedApart: Migration = {
  version: 10,
  name: 'units that were refused before they were counted apart',
  up(db) {
    const byAccount = new Map<string, Answered>();
    const results = db.prepare<[], Uint8Array>(`SELECT result FROM batches WHERE result IS NOT NULL`).pluck();
    for (const result of results.iterate()) {
      for (const entry of intact(() => decodeBatchResult(result), 'validator.db').entries) {
        const of = byAccount.get(entry.payer) ?? { account: entry.payer, paidUnits: 0, refusedUnits: 0 };
        of.paidUnits += entry.paidUnits + entry.repaidUnits;
        of.refusedUnits += entry.refusedUnits;
        byAccount.set(entry.payer, of);
      }
    }
    const put = db.prepare<[Answered]>(
      `UPDATE watchers SET ever_paid_units = @paidUnits, ever_refused_units = @refusedUnits WHERE account = @account`,
    );
    db.exec(`UPDATE watchers SET ever_paid_units = 0, ever_refused_units = 0`);
    for (const answered of byAccount.values()) put.run(answered);
  },
};
