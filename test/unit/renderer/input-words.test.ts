/** Whatever a page sends and the node refuses is told in the language of the page. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { createProcedures } from '../../../main/rpc/procedures.ts';
import { errorWords } from '../../../renderer/format/error-words.ts';
import { inputWords } from '../../../renderer/format/input-words.ts';
import { AceError } from '../../../shared/errors.ts';
import { overwriteGetLocale } from '../../../shared/i18n/compiled/runtime.js';
import { INPUT_REASONS } from '../../../shared/input-words.ts';
import { inputs } from '../../../shared/rpc/rpc.ts';
import { FakeService } from '../../helpers/fake-service.ts';

afterEach(() => overwriteGetLocale(() => 'en'));

const BAD: readonly unknown[] = [
  '',
  ' ',
  'x',
  'x'.repeat(2_000_000),
  '1e5',
  -1,
  0.5,
  1e300,
  1,
  null,
  [],
  {},
  [{}],
  true,
];
/** Values that other rules of an object are about. */
const TOGETHER = [
  ['setSettings', { schedule: [{ days: ['mon'], from: '10:00', to: '10:00' }] }],
  ['setSettings', { schedule: [{ days: ['mon'], from: '10:00', to: '12:00' }] }],
  ['setSettings', { schedule: [{ days: ['mon'], from: '9', to: '12:00', uploadBytesPerSecond: 0 }] }],
  ['setSettings', { uploadBytesPerSecond: 5 }],
  ['settlementHistory', { filter: { fromMs: 2, untilMs: 1 } }],
  ['settlementHistory', { filter: { counterparty: '0x1' } }],
] as const;

function fieldsOf(schema: ZodType): string[] {
  return Object.keys((schema as unknown as { shape?: object }).shape ?? {});
}

async function refusals(): Promise<AceError[]> {
  const { dispatch } = createProcedures(new FakeService());
  const asked: [string, object][] = Object.entries(inputs).flatMap(([procedure, schema]) =>
    fieldsOf(schema).flatMap((field) =>
      BAD.map((value): [string, object] => [procedure, { [field]: value }]),
    ),
  );
  const replies = await Promise.all([...asked, ...TOGETHER].map(([name, input]) => dispatch(name, input)));
  return replies.flatMap((reply) =>
    'error' in reply && reply.error.code === 'InvalidInput'
      ? [new AceError(reply.error.code, reply.error.message, { details: reply.error.details ?? {} })]
      : [],
  );
}

describe('an input that is refused', () => {
  it('has words in both languages, of the catalogue alone', async () => {
    const refused = await refusals();
    expect(refused.length).toBeGreaterThan(100);
    const reasons = new Set(refused.map(({ details }) => details.reason));
    for (const reason of [
      'amount',
      'at-least',
      'at-most',
      'rate-least',
      'rule-times',
      'period-reversed',
      'form',
    ])
      expect(reasons).toContain(reason);
    for (const error of refused) {
      expect(INPUT_REASONS, error.message).toContain(error.details.reason);
      overwriteGetLocale(() => 'ru');
      const { what, next } = errorWords(error);
      expect(`${what} ${next}`, error.message).not.toMatch(/[a-z]{3,}(?<!ace|baf)/);
      overwriteGetLocale(() => 'en');
      expect(errorWords(error).what, error.message).not.toMatch(/[а-я]|undefined|NaN/i);
    }
  });

  it('says its bound in the unit and the language of the field', () => {
    const most = { reason: 'at-most', bound: 2 ** 50 };
    expect(inputWords({ ...most, field: 'cacheBytes' })).toBe('At most 1,048,576.0\u00a0GB.');
    expect(inputWords({ reason: 'at-most', bound: 5_000, field: 'maxConnections' })).toBe('At most 5,000.');
    overwriteGetLocale(() => 'ru');
    expect(inputWords({ reason: 'at-least', bound: 16 * 2 ** 20, field: 'cacheBytes' })).toBe(
      'Не меньше 16\u00a0МиБ.',
    );
    expect(inputWords({ reason: 'rate-least' })).toBe(
      '0 останавливает; иначе скорость не меньше 32\u00a0КиБ/с.',
    );
    expect(inputWords({ reason: 'amount' })).toBe('Это не сумма: напишите, например, 0,25.');
  });

  it('has a sentence for a reason of a newer node', () => {
    expect(inputWords({ reason: 'made-up' })).toBe('That cannot be taken as it was entered.');
  });
});
