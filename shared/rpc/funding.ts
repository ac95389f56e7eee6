/**
 * Topping up from what the account has: what is kept is deposited; what is not there yet is minted or swapped first. Each step is an
 * operation of its own, signed and booked for itself, so the second one may fail where the first did not.
 */
import type { ServicesToken } from '../economy/holdings.ts';
import { type DecimalAmount, formatAmount, parseAmount, type Token } from '../economy/money.ts';
import { AceError } from '../errors.ts';
import type { NodeClient } from './rpc.ts';
import type { MintQuoteView, OperationQuoteView, OperationResultView, SwapQuoteView } from './wallet.ts';

export type FundsSource =
  | { readonly from: 'kept'; readonly token: ServicesToken; readonly amount: string }
  | { readonly from: 'mint'; readonly amountXat: string }
  | {
      readonly from: 'swap';
      readonly sell: Exclude<Token, 'XAC'>;
      readonly amount: string;
      readonly slippagePercent: string;
    };

/** What the first step would do, and what the second then moves to what is spent. */
export type FundingQuote = OperationQuoteView & {
  readonly source: FundsSource;
  readonly mint: MintQuoteView | null;
  readonly swap: SwapQuoteView | null;
  /** `null`: the first step is the deposit. Of a swap at least so much, of a mint exactly. */
  readonly second: Moved | null;
};

interface Moved {
  readonly token: ServicesToken;
  readonly amount: DecimalAmount;
}

export type FundingOutcome =
  | { readonly kind: 'done'; readonly steps: readonly OperationResultView[]; readonly moved: Moved }
  /** Minted or swapped, and kept: `left` is still to be moved. */
  | {
      readonly kind: 'kept';
      readonly steps: readonly OperationResultView[];
      readonly left: Moved;
      readonly error: AceError;
    };

type Client = Pick<NodeClient, 'call'>;

/** @throws AceError as the procedures that quote */
export async function quoteFunding(client: Client, source: FundsSource): Promise<FundingQuote> {
  const none = { source, mint: null, swap: null, second: null };
  switch (source.from) {
    case 'kept': {
      const { token, amount } = source;
      return { ...(await client.call('quoteDeposit', { token, amount })), ...none };
    }
    case 'mint': {
      const { amountXat } = source;
      const mint = await client.call('quoteMint', { amountXat });
      const second = { token: 'XAT', amount: amountXat } as const;
      return { ...moved(mint, second), ...none, mint, second };
    }
    case 'swap': {
      const { sell, amount, slippagePercent } = source;
      const swap = await client.call('quoteSwap', { sell, buy: 'XAC', amount, slippagePercent });
      const second = { token: 'XAC', amount: swap.leastReceived } as const;
      return { ...moved(swap, { token: 'XAC', amount: swap.received }), ...none, swap, second };
    }
  }
}

/** What is there after both steps. Where loans are owed, what the second one repays is told once it is done. */
function moved<Quote extends OperationQuoteView>(quote: Quote, { token, amount }: Moved): Quote {
  const { main, services } = quote.holdingsAfter;
  if (quote.creditUsedAfterUnits > 0) return quote;
  const units = parseAmount(amount);
  return {
    ...quote,
    holdingsAfter: {
      main: { ...main, [token]: formatAmount(parseAmount(main[token]) - units) },
      services: { ...services, [token]: formatAmount(parseAmount(services[token]) + units) },
    },
  };
}

/**
 * Does what was quoted, step by step. @throws AceError when the first step was not done: then nothing was
 */
export async function fund(client: Client, quote: FundingQuote): Promise<FundingOutcome> {
  const { source, second } = quote;
  const first = await firstStep(client, quote);
  if (second === null) {
    const moved = source.from === 'kept' ? { token: source.token, amount: source.amount } : null;
    if (moved === null) throw new AceError('Internal', 'A top-up in two steps has no second one');
    return { kind: 'done', steps: [first], moved };
  }
  const came = first.got?.find(({ place, token }) => place === 'main' && token === second.token);
  return moveKept(client, [first], { ...second, amount: came?.amount ?? second.amount });
}

/** The step that is left, by itself or again. Never throws for want of what it was to do: the outcome says so. */
export async function moveKept(
  client: Client,
  before: readonly OperationResultView[],
  left: Moved,
): Promise<FundingOutcome> {
  try {
    const { expiresAtMs } = await client.call('quoteDeposit', left);
    const last = await client.call('deposit', { ...left, expiresAtMs });
    return { kind: 'done', steps: [...before, last], moved: left };
  } catch (error) {
    if (error instanceof AceError) return { kind: 'kept', steps: before, left, error };
    throw error;
  }
}

function firstStep(client: Client, { source, expiresAtMs, mint, swap }: FundingQuote) {
  if (source.from === 'kept') {
    return client.call('deposit', { token: source.token, amount: source.amount, expiresAtMs });
  }
  if (source.from === 'mint') {
    return client.call('mint', { amountXat: source.amountXat, maxXab: mint?.maxXab ?? '', expiresAtMs });
  }
  const { sell, amount } = source;
  return client.call('swap', {
    sell,
    buy: 'XAC',
    amount,
    leastReceived: swap?.leastReceived ?? '',
    expiresAtMs,
  });
}
