import { describe, expect, it } from 'vitest';
import { accessChecks, keptCheck, outcomeChecks, planDemo } from '../../../../main/cli/demo-plan.ts';
import { TRAFFIC_UNIT_BYTES } from '../../../../shared/economy/units.ts';

/** `traffic_credit_limit` of the network: 10 GB. */
const MOST_CREDIT_UNITS = 10_240;
const GIB_UNITS = 1_024;

const SIZES = [
  ...Array.from({ length: 500 }, (_, i) => i + 1),
  ...[10 * GIB_UNITS, 25 * GIB_UNITS, 25 * GIB_UNITS + 1, 64 * GIB_UNITS, 1_000 * GIB_UNITS],
];

describe('the demo’s plan', () => {
  it('cuts every unit into exactly one part of the story', () => {
    for (const units of SIZES) {
      const plan = planDemo(units * TRAFFIC_UNIT_BYTES);
      expect(plan.units, `${units} units`).toBe(units);
      expect(plan.creditUnits + plan.paidUnits + plan.restUnits, `${units} units`).toBe(units);
    }
  });

  it('never plans more credit than the limit, at the start or at the end', () => {
    for (const units of SIZES) {
      const { creditUnits, paidUnits, restUnits } = planDemo(units * TRAFFIC_UNIT_BYTES);
      expect(creditUnits, `${units} units`).toBeGreaterThanOrEqual(1);
      expect(creditUnits, `${units} units`).toBeLessThanOrEqual(MOST_CREDIT_UNITS);
      expect(paidUnits, `${units} units`).toBeGreaterThanOrEqual(0);
      expect(restUnits, `${units} units`).toBeGreaterThanOrEqual(0);
      expect(restUnits, `${units} units`).toBeLessThanOrEqual(creditUnits);
    }
  });

  it('counts a begun unit as one', () => {
    expect(planDemo(1).units).toBe(1);
    expect(planDemo(TRAFFIC_UNIT_BYTES).units).toBe(1);
    expect(planDemo(TRAFFIC_UNIT_BYTES + 1).units).toBe(2);
  });

  it('names what it leaves out, and only that', () => {
    for (const units of SIZES) {
      const { paidUnits, restUnits, leftOut } = planDemo(units * TRAFFIC_UNIT_BYTES);
      expect(leftOut.includes('paying from funds'), `${units} units`).toBe(paidUnits === 0);
      expect(leftOut.includes('the refusal at the credit limit'), `${units} units`).toBe(paidUnits === 0);
      expect(leftOut.includes('credit again after the funds'), `${units} units`).toBe(restUnits === 0);
    }
  });

  it('leaves out all but the credit for one unit, and nothing from three on', () => {
    expect(planDemo(1).leftOut).toHaveLength(3);
    for (const units of SIZES.filter((n) => n >= 3)) {
      expect(planDemo(units * TRAFFIC_UNIT_BYTES).leftOut, `${units} units`).toEqual([]);
    }
  });
});

describe('outcomeChecks', () => {
  const plan = planDemo(4 * 1_048_576); // 1 on credit, 2 paid, 1 on credit again
  const asPlanned = { refusal: 'CreditExhausted', unitsRepaid: 1, creditUsed: 1 };
  const broken = (outcome: typeof asPlanned | { refusal: null }) =>
    outcomeChecks(plan, { ...asPlanned, ...outcome }).filter(({ holds }) => !holds).length;

  it('hold for a story that went as planned', () => {
    expect(broken(asPlanned)).toBe(0);
  });

  it.each([
    ['nobody refused', { refusal: null }],
    ['not all was repaid', { ...asPlanned, unitsRepaid: 0 }],
    ['more was repaid than was owed', { ...asPlanned, unitsRepaid: 2 }],
    ['the rest was not on credit', { ...asPlanned, creditUsed: 0 }],
  ])('fail when %s', (_what, outcome) => {
    expect(broken(outcome)).toBe(1);
  });

  it('ask for no refusal when all of the file is on credit', () => {
    const outcome = { refusal: null, unitsRepaid: 1, creditUsed: 0 };
    expect(outcomeChecks(planDemo(1), outcome).every(({ holds }) => holds)).toBe(true);
  });
});

describe('what the demo says of access and of what is kept', () => {
  const access = {
    ...{ contentId: 'bafy', priceXac: '3.0000000', burnedXat: '3.0000000', sellerXac: '2.1000000' },
    ...{ refusal: { status: 402, code: 'AccessNeeded' }, feeXac: '0.9000000', played: true },
  };
  const tokens = (xac: string, xat: string) => ({
    ...{ XAC: xac, XAT: xat, XAS: '0.0000000', XAB: '0.0000000' },
  });
  const pools = (xac: string) =>
    ({ premiumFeePool: tokens(xac, '0.0000000') }) as unknown as Parameters<typeof accessChecks>[1]['pools'];
  const failing = (...args: Parameters<typeof accessChecks>) =>
    accessChecks(...args).filter(({ holds }) => !holds).length;

  it.each([
    ['holds as planned', access, '0.9000000', 0],
    [
      'fails when it played without access',
      { ...access, refusal: { status: 200, code: '' } },
      '0.9000000',
      1,
    ],
    ['fails when what was bought does not play', { ...access, played: false }, '0.9000000', 1],
    ['fails when the pool got another fee', access, '0.8999999', 1],
  ])('%s', (_what, sold, poolXac, count) => {
    expect(failing(sold, { pools: pools(poolXac) })).toBe(count);
  });

  it.each([
    ['untouched', '1.0000000', true],
    ['charged', '0.9999999', false],
  ])('sees what is kept %s', (_what, xat, holds) => {
    const account = (kept: string) => ({
      ...{ address: '0x', main: tokens('0.0000000', kept), services: tokens('0.0000000', '5.0000000') },
    });
    const accounts = { viewer: account(xat), providerB: account('1.0000000') } as never;
    expect(keptCheck({ accounts }, '1.0000000').holds).toBe(holds);
  });
});
