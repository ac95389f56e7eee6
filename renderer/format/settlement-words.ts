/** A settlement in words, and the filter of the history as it stands in the address of the page. */

import { m } from '../../shared/i18n/compiled/messages.js';
import type { Input } from '../../shared/rpc/rpc.ts';
import type { SettlementView } from '../../shared/rpc/settlements.ts';
import {
  SETTLEMENT_KINDS,
  type SettlementFilter,
  settlementFilterSchema,
} from '../../shared/rpc/settlements.ts';
import { readSettlementName } from '../../shared/settlement/name.ts';
import { typedAddress } from '../../shared/typed/address.ts';
import { formatUnits } from './traffic.ts';

/** Operations, and access that was bought or sold among them, are records of the main chain, and stand in the same history for the reader. */
const CHAIN_KINDS = ['access', 'operation'] as const;
export const HISTORY_KINDS = [...SETTLEMENT_KINDS, ...CHAIN_KINDS] as const;
export type HistoryFilter = Omit<SettlementFilter, 'kind'> & {
  readonly kind?: (typeof HISTORY_KINDS)[number] | undefined;
};

export const KIND_NAMES = {
  paid: m.settlements_kind_paid,
  received: m.settlements_kind_received,
  repayment: m.settlements_kind_repayment,
  loan: m.settlements_kind_loan,
  access: m.settlements_kind_access,
  operation: m.settlements_kind_operation,
} as const satisfies Record<(typeof HISTORY_KINDS)[number], () => string>;

/** What happened between the two accounts: several things at once where a batch took up several. */
export function relations(row: SettlementView): readonly string[] {
  const paid = row.direction === 'paid';
  return [
    ...(row.paidUnits > 0 ? [paid ? m.settlement_paid_to() : m.settlement_earned_from()] : []),
    ...(row.creditUnits > 0 ? [paid ? m.settlement_owed_to() : m.settlement_lent_to()] : []),
    ...(row.repaidUnits > 0 ? [paid ? m.settlement_repaid_to() : m.settlement_repaid_by()] : []),
    ...(row.refusedUnits > 0 ? [m.settlement_refused()] : []),
  ];
}

/** What became of the part of a settlement that was taken on credit. */
export function loanWords(units: number, stillOwedUnits: number): string {
  if (stillOwedUnits >= units) return m.settlement_loan_open();
  if (stillOwedUnits <= 0) return m.settlement_loan_repaid();
  const [repaid, owed] = [units - stillOwedUnits, stillOwedUnits].map(formatUnits) as [string, string];
  return m.settlement_loan_part({ repaid, owed });
}

/** `#/settlements/kind=paid&counterparty=0x…`: a link to the rows behind a figure. */
export function settlementsLink(filter: HistoryFilter): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(filter)) if (value !== undefined) query.set(key, String(value));
  const text = query.toString();
  return text === '' ? '#/settlements' : `#/settlements/${text}`;
}

/** Reads what {@link settlementsLink} wrote; a link that was changed by hand filters nothing. */
export function filterOf(detail: string | null): HistoryFilter {
  const query = new URLSearchParams(detail ?? '');
  const ofChain = CHAIN_KINDS.find((kind) => kind === query.get('kind'));
  const number = (key: string) => (query.has(key) ? Number(query.get(key)) : undefined);
  const read = settlementFilterSchema.safeParse({
    fromMs: number('fromMs'),
    untilMs: number('untilMs'),
    counterparty: query.get('counterparty') ?? undefined,
    contentId: query.get('contentId') ?? undefined,
    kind: ofChain ? undefined : (query.get('kind') ?? undefined),
  });
  if (!read.success) return {};
  return ofChain ? { ...read.data, kind: ofChain } : read.data;
}

/** One settlement: by its place in the history, or by its shard and the shard's number of it. */
export type SettlementPlace = Input<'settlementDetail'>;

/** Fewer characters, "0x" among them, are the beginning of too many addresses. */
const LEAST_ACCOUNT_CHARS = 4;

/**
 * The account that a person means: a whole address, or so much of one that it can be only one of those known.
 * @returns `undefined` for anyone (nothing was typed), `null` while it could be none or several
 */
export function accountMeant(
  text: string,
  known: readonly { readonly account: string }[],
): string | undefined | null {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return undefined;
  const whole = addressIn(text);
  if (whole !== null) return whole;
  const possible =
    wanted.length < LEAST_ACCOUNT_CHARS
      ? []
      : known.filter(({ account }) => account.toLowerCase().startsWith(wanted));
  return possible.length === 1 ? (possible[0]?.account.toLowerCase() ?? null) : null;
}

function addressIn(text: string): string | null {
  try {
    return typedAddress(text);
  } catch {
    return null; // a part of one, or a typo
  }
}

/** The row that `#/settlements/s0-12` opens: any name of it, as pages and exports show it. */
export function placeOf(detail: string | null): SettlementPlace | null {
  return readSettlementName(detail ?? '');
}
