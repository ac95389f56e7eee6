import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import { amount, MAX_AMOUNT } from '../../../../shared/economy/money.ts';
import { planPayment } from '../../../../shared/economy/payment.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import type { BatchResult } from '../../../../shared/settlement/batch.ts';
import { decodeBatchResult, encodeBatchResult } from '../../../../shared/settlement/batch-result.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const funds = { XAC: amount(5n), XAT: MAX_AMOUNT as never, XAS: amount(0n) };
const rates = { xacPerXat: ratio(1), xacPerXas: ratio(1) };
const payment = planPayment(funds, amount(2n ** 59n), rates, ratio(1, 10), amount(2n ** 58n));
const units = { repaidUnits: 1, paidUnits: 2, creditUnits: 3, refusedUnits: 0 };
const RESULT: BatchResult = {
  shard: 1,
  number: 7,
  hash: new Uint8Array(32).fill(9),
  unitPriceXac: ratio(2n ** 80n + 1n, 3n ** 60n),
  entries: [
    { payer: 'a', payee: 'b', ...units, repayment: payment, payment },
    { payer: 'a', payee: 'c', ...units, repayment: null, payment: null },
  ],
};

describe('batch result', () => {
  it('survives its encoding, with amounts beyond 2^53 and ratios beyond 2^64', () => {
    expect(decodeBatchResult(encodeBatchResult(RESULT))).toEqual(RESULT);
  });

  const fields = dagCbor.decode(encodeBatchResult(RESULT)) as unknown[];
  const entry = (fields[5] as unknown[][])[0] as unknown[];
  const replaced = (index: number, value: unknown) =>
    dagCbor.encode(fields.map((f, i) => (i === index ? value : f)));
  it.each([
    ['nothing', new Uint8Array()],
    ['cut bytes', encodeBatchResult(RESULT).slice(0, -1)],
    ['another format', replaced(0, 'x')],
    ['a negative number', replaced(2, -1)],
    ['a short hash', replaced(3, new Uint8Array(31))],
    ['a price that is no ratio', replaced(4, '1/0')],
    ['an entry that is too short', replaced(5, [entry.slice(1)])],
    ['a payment that is too short', replaced(5, [[...entry.slice(0, 7), [1n]]])],
    ['a negative payment', replaced(5, [[...entry.slice(0, 7), Array(9).fill(-1)]])],
    ['units that are no number', replaced(5, [['a', 'b', '1', ...entry.slice(3)]])],
  ])('refuses %s', (_, bytes) => {
    expectAceError('MessageMalformed', () => decodeBatchResult(bytes));
  });
});
