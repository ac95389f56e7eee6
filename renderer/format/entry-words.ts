/** A journal entry in words, and the figures of it that explain what lies in a place. */
import { PLACES, type Place } from '../../shared/economy/holdings.ts';
import { formatAmount, parseAmount, TOKENS, type Token } from '../../shared/economy/money.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { JournalEntryView } from '../../shared/rpc/journal.ts';

type Kind = JournalEntryView['kind'];

const NAMES = {
  settlement: { in: m.entry_traffic_earned, out: m.entry_traffic_paid },
  repayment: { in: m.entry_repaid_you, out: m.entry_repaid },
  opening: { in: m.entry_opening, out: m.entry_opening },
  faucet: { in: m.entry_faucet, out: m.entry_faucet },
  transfer: { in: m.entry_received, out: m.entry_sent },
  deposit: { in: m.entry_deposit, out: m.entry_deposit },
  withdraw: { in: m.entry_withdraw, out: m.entry_withdraw },
  mint: { in: m.entry_mint, out: m.entry_mint },
  swap: { in: m.entry_swap, out: m.entry_swap },
  access: { in: m.entry_access_sold, out: m.entry_access },
  reward: { in: m.entry_reward, out: m.entry_reward_paid },
  link: { in: m.entry_device, out: m.entry_device },
  unlink: { in: m.entry_device, out: m.entry_device },
  feed: { in: m.entry_feed, out: m.entry_feed },
} as const satisfies Record<Kind, Record<'in' | 'out', () => string>>;

export function entryName({ kind, direction }: Pick<JournalEntryView, 'kind' | 'direction'>): string {
  return NAMES[kind][direction === 'in' ? 'in' : 'out']();
}

export interface BalanceFigures {
  /** What the entry did to what lies there; with a minus where it shrank. */
  readonly change: string;
  /** Of what was paid for: XAC that the payer gave, the fee out of it, and what the payee got. */
  readonly gross: string;
  readonly fee: string;
  readonly net: string;
  /** XAC, or XAS where that paid. */
  readonly token: Token;
}

/** `assets:wallet` is of books from before accounts had two places. */
const ACCOUNTS: Readonly<Record<Place, RegExp>> = {
  main: /^assets:(main|wallet)$/,
  services: /^assets:services$/,
};
const FEES = /^expenses:(traffic:fee|access:fee|fees:)/;
const GROSS_EARNED = /^income:(traffic|access|rewards)$/;
const NET_PAID = /^expenses:(traffic|access):net$/;

/**
 * Figures of an entry for one token in a place. Gross, fee and net are shown in the token that was paid with: XAT is burned for
 * XAC before it pays.
 */
export function entryFigures(
  { postings, direction }: JournalEntryView,
  token: Token,
  place: Place,
): BalanceFigures {
  const paidIn: Token = token === 'XAS' ? 'XAS' : 'XAC';
  const sum = (account: RegExp, commodity: Token) =>
    postings.reduce(
      (total, posting) =>
        posting.commodity === commodity && account.test(posting.account)
          ? total + signed(posting.amount)
          : total,
      0n,
    );
  const fee = sum(FEES, paidIn);
  const gross = direction === 'in' ? -sum(GROSS_EARNED, paidIn) : sum(NET_PAID, paidIn) + fee;
  return {
    change: formatAmount(sum(ACCOUNTS[place], token)),
    gross: formatAmount(gross),
    fee: formatAmount(fee),
    net: formatAmount(gross - fee),
    token: paidIn,
  };
}

/** What the entry changed in each place, token by token; with a minus where it shrank. */
export function holdingChanges(
  entry: JournalEntryView,
): readonly { readonly place: Place; readonly token: Token; readonly change: string }[] {
  return PLACES.flatMap((place) =>
    TOKENS.map((token) => ({ place, token, change: entryFigures(entry, token, place).change })),
  ).filter(({ change }) => signed(change) !== 0n);
}

function signed(amount: string): bigint {
  return amount.startsWith('-') ? -parseAmount(amount.slice(1)) : parseAmount(amount);
}
