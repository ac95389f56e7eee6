import { expect, it } from 'vitest';
import { answerOf, readAnswer, refusalOf } from '../../../../main/p2p/answer.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

it('gives what was answered, also nothing', () => {
  for (const bytes of [Uint8Array.of(0, 1, 2), new Uint8Array(0)])
    expect(readAnswer(answerOf(bytes).subarray())).toEqual(bytes);
});

it('says by name why there is no answer', () => {
  const refusal = refusalOf(new AceError('TooManyRequests', 'slowly', { details: { retryAfterMs: 250 } }));
  const error = expectAceError('TooManyRequests', () => readAnswer(refusal.subarray()));
  expect(error.details).toEqual({ retryAfterMs: 250 });
});

it.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array(0)],
  ['another first byte', Uint8Array.of(2, 1)],
  ['a refusal that is no CBOR', Uint8Array.of(0, 255)],
  ['a refusal without a code', Uint8Array.of(0, 0xa0)],
  ['a refusal of a thousand items', Uint8Array.from([0, 0x99, 0x03, 0xe8, ...new Uint8Array(1_000)])],
])('refuses %s', (_what, frame) => {
  expectAceError('MessageMalformed', () => readAnswer(frame));
});
