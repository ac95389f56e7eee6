/**
 * Which entries a settlement and an operation make for one account (docs/economy.md#paying, docs/economy.md#credit).
 * Nothing is worked out again: amounts are those that the main chain answered with, and what contradicts itself is
 * refused before it is booked.
 */

import { type HoldingDeltas, SERVICES_TOKENS } from '../economy/holdings.ts';
import { TOKENS } from '../economy/money.ts';
import type { Operation } from '../economy/operation.ts';
import type { Payment } from '../economy/payment.ts';
import { AceError } from '../errors.ts';
import { type Statement, sumsOf } from '../settlement/statement.ts';
import { type ChartAccount, type Commodity, TRAFFIC } from './chart.ts';
import { amountIn, checkBalanced, type EntryKind, type JournalEntry, type Posting } from './entry.ts';
import { contradictsSigned } from './signed-moves.ts';

/** A statement that tells how its sums came about. */
export type SettledRecord = Omit<Statement, 'networkId' | 'account'>;

/** What an operation, or genesis, did to the account. */
export interface OperationRecord {
  /** Of the record in the chain's log. */
  readonly height: number;
  readonly atMs: number;
  /** EIP-712, 32 bytes; zeros of genesis. */
  readonly hash: Uint8Array;
  /** `null`: genesis. */
  readonly operation: Operation | null;
  readonly deltas: HoldingDeltas;
  readonly payment: Payment | null;
  /** A gift of the devnet's faucet. */
  readonly faucet: boolean;
}

type PaymentAccounts = 'net' | 'fee' | 'gross';

/** Where the parts of a payment are booked, by the side and the service. */
const SERVICES = {
  traffic: {
    paid: { net: 'expenses:traffic:net', fee: 'expenses:traffic:fee' },
    earned: { gross: 'income:traffic', fee: 'expenses:fees:traffic' },
  },
  access: {
    paid: { net: 'expenses:access:net', fee: 'expenses:access:fee' },
    earned: { gross: 'income:access', fee: 'expenses:fees:access' },
  },
  // A reward has no fee: the network would pay itself.
  reward: {
    paid: { net: 'expenses:rewards', fee: 'expenses:rewards' },
    earned: { gross: 'income:rewards', fee: 'expenses:rewards' },
  },
} as const satisfies Record<
  string,
  Record<'paid' | 'earned', Partial<Record<PaymentAccounts, ChartAccount>>>
>;
type Service = keyof typeof SERVICES;

/**
 * The entries of a settlement, the repayment first: loans come before anything new. `detail` must be there.
 * @throws AceError `MessageMalformed` when the statement contradicts itself
 */
export function settlementEntries(record: SettledRecord): JournalEntry[] {
  const { detail, direction, repaidUnits, paidUnits, creditUnits, refusedUnits } = record;
  if (!detail) throw contradiction('it does not tell what each part moved');
  checkDetail(record);
  const paid = direction === 'paid';
  const entry = (kind: EntryKind, part: number, postings: Posting[]): JournalEntry =>
    balanced({
      atMs: record.atMs,
      source: 'settlement',
      shard: record.shard,
      seq: record.seq,
      part,
      kind,
      direction: paid ? 'out' : 'in',
      counterparty: record.counterparty,
      batchNumber: record.batchNumber,
      hash: record.batchHash,
      price: record.price,
      // The traffic of a loan was settled before, in the batch that took it on credit.
      channels: kind === 'settlement' ? detail.channels : [],
      note: '',
      postings,
    });
  const entries: JournalEntry[] = [];
  const loans = paid ? 'liabilities:loans' : 'assets:loans';
  /** MiB move towards the payer. */
  const units = (to: ChartAccount, from: ChartAccount, count: number) =>
    moved(TRAFFIC, to, from, BigInt(count));
  if (repaidUnits > 0) {
    entries.push(
      entry('repayment', 0, [
        ...paymentPostings('traffic', direction, detail.repayment),
        ...(paid ? units(loans, 'equity:traffic', repaidUnits) : units('equity:traffic', loans, repaidUnits)),
      ]),
    );
  }
  if (paidUnits + creditUnits + refusedUnits > 0) {
    entries.push(
      entry('settlement', 1, [
        ...paymentPostings('traffic', direction, detail.payment),
        ...(paid
          ? [
              ...units('expenses:traffic:net', 'equity:traffic', paidUnits),
              ...units('expenses:traffic:credit', loans, creditUnits),
              ...units('expenses:traffic:refused', 'equity:traffic', refusedUnits),
            ]
          : [
              ...units('equity:traffic', 'income:traffic', paidUnits),
              ...units(loans, 'income:traffic:credit', creditUnits),
              ...units('equity:traffic', 'income:traffic:refused', refusedUnits),
            ]),
      ]),
    );
  }
  return entries;
}

/**
 * The entry of an operation for `account`, lower case. One that moves nothing has no postings.
 * @throws AceError `MessageMalformed` when what it moved does not fit what was signed
 */
export function operationEntry(account: string, record: OperationRecord): JournalEntry {
  const { operation, deltas } = record;
  const parties = partiesOf(account, operation);
  const contradicts = contradictsSigned(account, record);
  if (contradicts !== null) throw contradiction(contradicts);
  const entry = balanced({
    atMs: record.atMs,
    source: 'operation',
    shard: 0,
    seq: record.height,
    part: 0,
    ...parties,
    kind: operation === null ? 'opening' : record.faucet ? 'faucet' : operation.kind,
    batchNumber: 0,
    hash: record.hash,
    price: null,
    channels: [],
    note: noteOf(operation),
    postings: operationPostings(account, record),
  });
  for (const token of TOKENS) {
    if (amountIn(entry, 'assets:main', token) !== deltas.main[token]) {
      throw contradiction(`what it moved is not the change of ${token} in main`);
    }
  }
  for (const token of SERVICES_TOKENS) {
    if (amountIn(entry, 'assets:services', token) !== deltas.services[token]) {
      throw contradiction(`what it moved is not the change of ${token} in services`);
    }
  }
  return entry;
}

function operationPostings(account: string, record: OperationRecord): Posting[] {
  const { operation, deltas, payment } = record;
  const { main, services } = deltas;
  const against = (other: ChartAccount) => [
    ...TOKENS.flatMap((token) => moved(token, 'assets:main', other, main[token])),
    ...SERVICES_TOKENS.flatMap((token) => moved(token, 'assets:services', other, services[token])),
  ];
  if (operation === null) return against('equity:opening');
  const isMine = operation.from === account;
  switch (operation.kind) {
    case 'transfer':
      if (isMine) return against('expenses:transfers');
      return against(record.faucet ? 'income:faucet' : 'income:transfers');
    case 'mint':
      return TOKENS.flatMap((token) =>
        moved(
          token,
          'assets:main',
          main[token] < 0n ? 'equity:supply:burned' : 'equity:supply:emitted',
          main[token],
        ),
      );
    case 'deposit':
    case 'withdraw':
      return moved(operation.token, 'assets:services', 'assets:main', -main[operation.token]);
    case 'swap':
      return against('equity:exchange');
    case 'access':
    case 'reward':
      if (!payment) throw contradiction('it does not tell what was paid');
      checkPaymentSums(payment);
      return paymentPostings(operation.kind, isMine ? 'paid' : 'earned', payment);
    case 'link':
    case 'unlink':
    case 'feed':
      return [];
    default:
      return operation satisfies never;
  }
}

/** What a payment moves for one of its sides: burning and emission apart, net and fee apart. */
function paymentPostings(service: Service, direction: 'paid' | 'earned', payment: Payment | null): Posting[] {
  if (!payment) return [];
  const { paid, earned } = SERVICES[service];
  if (direction === 'paid') {
    return [
      post('assets:services', 'XAC', -payment.xacFromPayer),
      post('assets:services', 'XAT', -payment.xatBurned),
      post('equity:supply:burned', 'XAT', payment.xatBurned),
      post('equity:supply:emitted', 'XAC', -payment.xacEmitted),
      post('assets:services', 'XAS', -payment.xasFromPayer),
      post(paid.net, 'XAC', payment.payeeXac),
      post(paid.fee, 'XAC', payment.feeXac),
      post(paid.net, 'XAS', payment.payeeXas),
      post(paid.fee, 'XAS', payment.feeXas),
    ].filter(({ amount }) => amount !== 0n);
  }
  return [
    post('assets:services', 'XAC', payment.payeeXac),
    post(earned.fee, 'XAC', payment.feeXac),
    post(earned.gross, 'XAC', -(payment.payeeXac + payment.feeXac)),
    post('assets:services', 'XAS', payment.payeeXas),
    post(earned.fee, 'XAS', payment.feeXas),
    post(earned.gross, 'XAS', -(payment.payeeXas + payment.feeXas)),
  ].filter(({ amount }) => amount !== 0n);
}

function post(account: ChartAccount, commodity: Commodity, amount: bigint): Posting {
  return { account, commodity, amount };
}

/** So much of a commodity into one account and out of the other; nothing for 0. */
function moved(commodity: Commodity, to: ChartAccount, from: ChartAccount, amount: bigint): Posting[] {
  return amount === 0n ? [] : [post(to, commodity, amount), post(from, commodity, -amount)];
}

function partiesOf(
  account: string,
  operation: Operation | null,
): Pick<JournalEntry, 'direction' | 'counterparty'> {
  if (operation === null) return { direction: 'in', counterparty: null };
  switch (operation.kind) {
    case 'transfer':
    case 'access':
    case 'reward':
      if (operation.from !== account && operation.to !== account) {
        throw contradiction('it is of other accounts');
      }
      return operation.from === account
        ? { direction: 'out', counterparty: operation.to }
        : { direction: 'in', counterparty: operation.from };
    default:
      if (operation.from !== account) throw contradiction('it is of another account');
      return { direction: 'self', counterparty: null };
  }
}

function noteOf(operation: Operation | null): string {
  switch (operation?.kind) {
    case 'access':
      return operation.contentId;
    case 'reward':
      return operation.purpose;
    case 'link':
    case 'unlink':
      return operation.device;
    case 'feed':
      return operation.aceBytePriceUsd;
    default:
      return '';
  }
}

function checkDetail(record: SettledRecord): void {
  const { detail, paidUnits, repaidUnits } = record;
  if (!detail) return;
  const { repayment, payment } = detail;
  if ((repayment === null) !== (repaidUnits === 0) || (payment === null) !== (paidUnits === 0)) {
    throw contradiction('units that moved nothing, or the other way round');
  }
  for (const part of [repayment, payment]) if (part) checkPaymentSums(part);
  const sums = sumsOf(detail);
  for (const name of Object.keys(sums) as (keyof typeof sums)[]) {
    if (sums[name] !== record[name]) throw contradiction(`its parts do not add up to its ${name}`);
  }
}

/** Invariant 5 of docs/economy.md#invariants: what the payer is charged is what the payee and the fee pool receive. */
function checkPaymentSums(payment: Payment): void {
  const { xacFromPayer, xacEmitted, xasFromPayer, payeeXac, payeeXas, feeXac, feeXas } = payment;
  if (xacFromPayer + xacEmitted !== payeeXac + feeXac || xasFromPayer !== payeeXas + feeXas) {
    throw contradiction('what was charged is not what was received and the fee');
  }
}

function balanced(entry: JournalEntry): JournalEntry {
  checkBalanced(entry);
  return entry;
}

function contradiction(why: string): AceError {
  return new AceError('MessageMalformed', `A settlement or an operation contradicts itself: ${why}`, {
    reaction: 'drop-peer',
  });
}
