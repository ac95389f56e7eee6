/** The rules of operations that accounts sign. */
import * as dagCbor from '@ipld/dag-cbor';
import { AceError } from '../../../shared/errors.ts';
import { amount, formatAmount, TOKENS } from '../../../shared/money.ts';
import type { Operation, SignedOperation } from '../port.ts';
import type { Ledger } from './ledger.ts';

const ADDRESS = /^0x[0-9a-f]{40}$/;

/**
 * What can be checked of an operation on its own.
 * @throws AceError `InvalidInput`, `InvalidAmount` (nothing, negative, or more than can exist)
 */
export function checkOperation({ kind, from, to, token, amount: sum, nonce }: Operation): void {
  if (kind !== 'transfer') throw new AceError('InvalidInput', `Not an operation: ${String(kind)}`);
  if (!ADDRESS.test(from)) throw new AceError('InvalidInput', `"${from}" is not an address in lower case`);
  if (!ADDRESS.test(to)) throw new AceError('InvalidInput', `"${to}" is not an address in lower case`);
  if (from === to) throw new AceError('InvalidInput', 'A transfer goes to another account');
  if (!TOKENS.includes(token)) throw new AceError('InvalidInput', `Not a token: ${String(token)}`);
  if (!Number.isSafeInteger(nonce) || nonce < 0) throw new AceError('InvalidInput', `Not a nonce: ${nonce}`);
  if (amount(sum) === 0n) throw new AceError('InvalidAmount', 'A transfer of nothing');
}

/**
 * Applies a checked and verified operation.
 * @throws AceError `WrongNonce`, `InsufficientFunds`
 */
export function applyOperation(ledger: Ledger, operation: Operation): void {
  const from = ledger.account(operation.from);
  if (operation.nonce !== from.nonce) {
    throw new AceError(
      'WrongNonce',
      `The account's next operation is number ${from.nonce}, not ${operation.nonce}`,
      {
        details: { expected: from.nonce, got: operation.nonce },
      },
    );
  }
  if (from.balances[operation.token] < operation.amount) {
    throw new AceError(
      'InsufficientFunds',
      `The account has ${formatAmount(from.balances[operation.token])} ${operation.token}, not ${formatAmount(operation.amount)}`,
    );
  }
  ledger.transfer(from, ledger.account(operation.to), operation.token, operation.amount);
  from.nonce += 1;
}

/** Canonical bytes of a signed operation, for the log. */
export function encodeOperation({ operation, signature }: SignedOperation): Uint8Array {
  const { kind, from, to, token, amount: sum, nonce } = operation;
  return dagCbor.encode([kind, from, to, token, sum, nonce, Buffer.from(signature.slice(2), 'hex')]);
}
