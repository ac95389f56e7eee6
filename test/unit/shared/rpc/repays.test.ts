import { expect, it } from 'vitest';
import { byCreditor } from '../../../../shared/rpc/repays.ts';

it('names whom one owes several loans once, with all that is repaid', () => {
  const [ann, bob] = [
    '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
    '0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359',
  ];
  const loan = (creditor: string, units: number, costXac: string, stillOwedUnits = 0) => ({
    ...{ creditor, units, stillOwedUnits, costXac },
    ...{ fromXac: '0.0000000', fromXat: costXac, fromXas: '0.0000000' },
  });
  const repays = [loan(ann, 3, '0.0000003'), loan(bob, 5, '0.5000000'), loan(ann, 4, '1.0000004', 2)];
  expect(byCreditor(repays)).toMatchObject([
    {
      creditor: ann,
      units: 7,
      stillOwedUnits: 2,
      costXac: '1.0000007',
      fromXat: '1.0000007',
    },
    { creditor: bob, units: 5, costXac: '0.5000000' },
  ]);
});
