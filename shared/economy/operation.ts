/**
 * What an account can sign for the main chain (docs/economy.md#tokens, #paying, #exchange, #access).
 *
 * One table says each operation's fields; the EIP-712 types that a wallet signs, the canonical bytes in the chain's log
 * and the checks of form are all read off it.
 */

import * as dagCbor from '@ipld/dag-cbor';
import { isAddress } from '../address.ts';
import { sameBytes } from '../bytes.ts';
import { isCount } from '../count.ts';
import { AceError } from '../errors.ts';
import { isServicesToken, PLACES, type Place } from './holdings.ts';
import { amount, MAX_AMOUNT, TOKENS, type Token, type TokenAmount } from './money.ts';
import { ratioFromDecimal } from './ratio.ts';

/** The values of each type of field. */
interface FieldValues {
  /** EVM address, lower case hex. */
  address: string;
  token: Token;
  /** Where tokens lie: `main` or `services`. */
  place: Place;
  /** Base units, more than 0. */
  amount: TokenAmount;
  /** Base units, 0 or more. */
  bound: TokenAmount;
  /** Milliseconds since 1970, or of a span. */
  time: number;
  /** Ed25519 public key, 64 digits of lower case hex. */
  device: string;
  /** 1 to 200 characters. */
  text: string;
  flag: boolean;
  /** A decimal number above 0, such as "0.25": a price from outside the network. */
  decimal: string;
}
type FieldType = keyof FieldValues;
type Fields = Readonly<Record<string, FieldType>>;

/** Every operation also has `from`, who signs it, and `nonce`, the number of operations that account signed before. */
const OPERATIONS = {
  /** Moves tokens from main to another account, where they arrive at `place`. */
  transfer: { to: 'address', token: 'token', amount: 'amount', place: 'place' },
  /** Moves tokens from main to services, where they pay for traffic, loans and access. */
  deposit: { token: 'token', amount: 'amount' },
  /** Moves tokens from services back to main. */
  withdraw: { token: 'token', amount: 'amount' },
  /** Burns XAB for `amountXat` new XAT at aceTimePrice; costs at most `maxXab`. */
  mint: { amountXat: 'amount', maxXab: 'bound' },
  /** Sells to the exchange; gets at least `minReceived`, before `deadlineMs`. One of the two tokens is XAC. */
  swap: { sell: 'token', buy: 'token', amount: 'amount', minReceived: 'bound', deadlineMs: 'time' },
  /** Pays from services for access to a content, in the premium pool or outside any: for `lastsMs`, or for ever where that is 0. */
  access: { to: 'address', contentId: 'text', priceXac: 'amount', premium: 'flag', lastsMs: 'time' },
  /** The network's treasury pays a participant: for advertising, distribution, moderation. */
  reward: { to: 'address', amountXac: 'amount', purpose: 'text' },
  /** The account's devices: only a linked one, or one never named here, can act for it. */
  link: { device: 'device' },
  unlink: { device: 'device' },
  /** The network's market feed says what 1 XAB costs. */
  feed: { aceBytePriceUsd: 'decimal' },
} as const satisfies Record<string, Fields>;

export type OperationKind = keyof typeof OPERATIONS;

type OperationOf<Kind extends OperationKind> = {
  readonly kind: Kind;
  readonly from: string;
  readonly nonce: number;
} & { readonly [Name in keyof (typeof OPERATIONS)[Kind]]: ValueOf<(typeof OPERATIONS)[Kind][Name]> };
type ValueOf<Type> = Type extends FieldType ? FieldValues[Type] : never;

export type TransferOperation = OperationOf<'transfer'>;
export type DepositOperation = OperationOf<'deposit'>;
export type WithdrawOperation = OperationOf<'withdraw'>;
export type MintOperation = OperationOf<'mint'>;
export type SwapOperation = OperationOf<'swap'>;
export type AccessOperation = OperationOf<'access'>;
export type LinkOperation = OperationOf<'link'>;
export type UnlinkOperation = OperationOf<'unlink'>;
export type RewardOperation = OperationOf<'reward'>;
export type Operation = { [Kind in OperationKind]: OperationOf<Kind> }[OperationKind];

/** What the treasury pays for (docs/economy.md#paying). */
export const REWARD_PURPOSES = ['advertising', 'distribution', 'moderation'] as const;

const FIELD_CHECKS: { readonly [Type in FieldType]: (value: unknown) => boolean } = {
  address: isAddress,
  token: (value) => TOKENS.includes(value as Token),
  place: (value) => PLACES.includes(value as Place),
  amount: (value) => isAmount(value) && value > 0n,
  bound: isAmount,
  time: isCount,
  device: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  text: (value) => typeof value === 'string' && value.length > 0 && value.length <= 200,
  flag: (value) => typeof value === 'boolean',
  decimal: isPositiveDecimal,
};

const SOLIDITY_TYPES: { readonly [Type in FieldType]: string } = {
  address: 'address',
  token: 'string',
  place: 'string',
  amount: 'uint256',
  bound: 'uint256',
  time: 'uint256',
  device: 'bytes32',
  text: 'string',
  flag: 'bool',
  decimal: 'string',
};

/**
 * What can be checked of an operation on its own: the form of every field, amounts in base units, and what makes no sense
 * whatever the balances are (docs/economy.md#exchange).
 * @throws AceError `InvalidInput`, `InvalidAmount` (nothing, negative, or more than can exist)
 */
export function checkOperation(operation: Operation): void {
  const { kind } = operation;
  if (!Object.hasOwn(OPERATIONS, kind)) throw invalid(`Not an operation: ${String(kind)}`);
  for (const [name, type] of allFields(kind)) {
    const value = (operation as unknown as Record<string, unknown>)[name];
    if (FIELD_CHECKS[type](value)) continue;
    const isMoney = type === 'amount' || type === 'bound';
    throw new AceError(
      isMoney ? 'InvalidAmount' : 'InvalidInput',
      `Not the ${name} of a ${kind}: ${String(value)}`,
    );
  }
  if (!isCount(operation.nonce)) throw invalid(`Not a nonce: ${operation.nonce}`);
  checkSense(operation);
}

/**
 * The EIP-712 type of an operation, without the network that every message names. Amounts are base units as uint256.
 */
export function operationType(kind: OperationKind): {
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: string }[];
} {
  const fields = allFields(kind).map(([name, type]) => ({ name, type: SOLIDITY_TYPES[type] }));
  return {
    name: kind.charAt(0).toUpperCase() + kind.slice(1),
    fields: [...fields, { name: 'nonce', type: 'uint256' }],
  };
}

/**
 * The values of a checked operation as EIP-712 wants them, by the names of {@link operationType}: integers as bigints.
 */
export function operationMessage(operation: Operation): Record<string, unknown> {
  const values = operation as unknown as Record<string, unknown>;
  const message: Record<string, unknown> = { nonce: BigInt(operation.nonce) };
  for (const [name, type] of allFields(operation.kind)) {
    const value = values[name];
    if (type === 'device') message[name] = `0x${String(value)}`;
    else message[name] = type === 'time' ? BigInt(value as number) : value;
  }
  return message;
}

/** Canonical bytes of a checked operation with its signature of 65 bytes: one operation has exactly one encoding. */
export function encodeSignedOperation(operation: Operation, signature: Uint8Array): Uint8Array {
  const values = operation as unknown as Record<string, unknown>;
  const fields = allFields(operation.kind).map(([name]) => values[name]);
  return dagCbor.encode([operation.kind, ...fields, operation.nonce, signature]);
}

/**
 * Reads {@link encodeSignedOperation} and no other encoding; the signature is not verified.
 * @throws AceError `MessageMalformed`, and what {@link checkOperation} throws
 */
export function decodeSignedOperation(bytes: Uint8Array): { operation: Operation; signature: Uint8Array } {
  const parts = decodeList(bytes);
  const kind = parts[0] as OperationKind;
  if (typeof kind !== 'string' || !Object.hasOwn(OPERATIONS, kind)) throw malformed();
  const fields = allFields(kind);
  const signature = parts[fields.length + 2];
  if (parts.length !== fields.length + 3 || !(signature instanceof Uint8Array)) throw malformed();
  const operation: Record<string, unknown> = { kind, nonce: parts[fields.length + 1] };
  fields.forEach(([name, type], i) => {
    const value = parts[i + 1];
    // CBOR gives small integers back as numbers.
    operation[name] = (type === 'amount' || type === 'bound') && isCount(value) ? BigInt(value) : value;
  });
  const checked = operation as unknown as Operation;
  checkOperation(checked);
  if (!sameBytes(encodeSignedOperation(checked, signature), bytes)) throw malformed();
  return { operation: checked, signature };
}

function allFields(kind: OperationKind): [name: string, type: FieldType][] {
  return [['from', 'address'], ...(Object.entries(OPERATIONS[kind]) as [string, FieldType][])];
}

/** What the form of single fields cannot say. */
function checkSense(operation: Operation): void {
  switch (operation.kind) {
    case 'transfer':
    case 'access':
    case 'reward':
      if (operation.from === operation.to)
        throw new AceError('InvalidInput', `A ${operation.kind} goes to another account`, {
          details: { field: 'to', reason: 'self' },
        });
      break;
    case 'swap':
      if (operation.sell === operation.buy || (operation.sell !== 'XAC' && operation.buy !== 'XAC')) {
        throw invalid(
          `The exchange trades XAC with other tokens, not ${operation.sell} for ${operation.buy}`,
        );
      }
      break;
    default:
  }
  const isIntoServices = operation.kind === 'transfer' && operation.place === 'services';
  if (
    (isIntoServices || operation.kind === 'deposit' || operation.kind === 'withdraw') &&
    !isServicesToken(operation.token)
  ) {
    throw new AceError('InvalidInput', `${operation.token} pays for no service: it lies in main only`, {
      details: { field: 'token', reason: 'notForServices' },
    });
  }
  if (operation.kind === 'reward' && !(REWARD_PURPOSES as readonly string[]).includes(operation.purpose)) {
    throw invalid(`The network pays for ${REWARD_PURPOSES.join(', ')}, not for "${operation.purpose}"`);
  }
}

function isAmount(value: unknown): value is TokenAmount {
  return typeof value === 'bigint' && value >= 0n && value <= MAX_AMOUNT && amount(value) === value;
}

function isPositiveDecimal(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{1,12}(\.\d{1,12})?$/.test(value)) return false;
  return ratioFromDecimal(value).num > 0n;
}

function decodeList(bytes: Uint8Array): unknown[] {
  try {
    const value: unknown = dagCbor.decode(bytes);
    if (Array.isArray(value)) return value;
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

function invalid(message: string): AceError {
  return new AceError('InvalidInput', message);
}

function malformed(cause?: unknown): AceError {
  return new AceError('MessageMalformed', 'Not the bytes of a signed operation', { cause });
}
