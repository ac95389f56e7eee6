import { expect } from 'vitest';
import { AceError, type ErrorCode } from '../../shared/errors.ts';

/** Runs `fn`, expects it to fail with an AceError of this code, and returns the error. */
export function expectAceError(code: ErrorCode, fn: () => unknown): AceError {
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
  }
  return asAceError(code, thrown);
}

/** The same for a promise. */
export async function expectAceRejection(code: ErrorCode, promise: Promise<unknown>): Promise<AceError> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  return asAceError(code, thrown);
}

function asAceError(code: ErrorCode, thrown: unknown): AceError {
  expect(thrown).toBeInstanceOf(AceError);
  const error = thrown as AceError;
  expect(error.code).toBe(code);
  return error;
}
