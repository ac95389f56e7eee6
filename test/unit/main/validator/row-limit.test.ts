import { expect, it } from 'vitest';
import { ROWS_RATE } from '../../../../main/validator/limits.ts';
import { RowLimit } from '../../../../main/validator/row-limit.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';

const at = (address: string, peerId: string) => ({ peerId, origin: { address, group: 'g' } });
const rows = (count: number) => async () => ({ rows: Array.from({ length: count }, () => 0) });

it('counts rows, not requests: of one peer, and of one address, however many peers are there', async () => {
  let nowMs = 0;
  const limit = new RowLimit(() => nowMs);
  for (let i = 0; i < 1_000; i++) await limit.told(at('1.2.3.4', 'a'), rows(1));
  await limit.told(at('1.2.3.4', 'a'), rows(ROWS_RATE.burst - 1_000));
  await expectAceRejection('TooManyRequests', limit.told(at('9.9.9.9', 'a'), rows(1)));
  await expectAceRejection('TooManyRequests', limit.told(at('1.2.3.4', 'b'), rows(1)));
  await limit.told(at('9.9.9.9', 'b'), rows(1));
  nowMs += 1_000;
  expect((await limit.told(at('1.2.3.4', 'b'), rows(1))).rows).toHaveLength(1);
});
