/** What an entry says in figures: gross, fee and net apart, burning and emission, traffic. Sums of its postings. */
import { TOKENS, type Token } from '../economy/money.ts';
import { type ChartAccount, TRAFFIC } from './chart.ts';
import { amountIn, type JournalEntry } from './entry.ts';

/** What was paid or earned in one token, base units. */
export interface PaidFigures {
  readonly gross: bigint;
  readonly fee: bigint;
  readonly net: bigint;
}

export interface EntryFigures {
  /** What lies in main and in services, and how it changed, base units. Of books from before: all of it in main. */
  readonly main: Readonly<Record<Token, bigint>>;
  readonly services: Readonly<Record<Token, bigint>>;
  /** Both together: what programs see that know one wallet. */
  readonly wallet: Readonly<Record<Token, bigint>>;
  /** For traffic, access or a reward. Gross is what the payer gave; net is what the payee got. */
  readonly paid: Readonly<Record<'XAC' | 'XAS', PaidFigures>>;
  /** XAT burned for emitted XAC, or XAB burned for minted XAT. */
  readonly burned: Readonly<Record<Token, bigint>>;
  readonly emitted: Readonly<Record<Token, bigint>>;
  /** MiB: paid at once, taken or given on credit, refused, and repaid. */
  readonly traffic: {
    readonly paid: bigint;
    readonly credit: bigint;
    readonly refused: bigint;
    readonly repaid: bigint;
  };
}

const MAIN: readonly ChartAccount[] = ['assets:main', 'assets:wallet'];
const WALLET: readonly ChartAccount[] = [...MAIN, 'assets:services'];
const NET: readonly ChartAccount[] = ['expenses:traffic:net', 'expenses:access:net', 'expenses:rewards'];
const GROSS: readonly ChartAccount[] = ['income:traffic', 'income:access', 'income:rewards'];
const FEE: readonly ChartAccount[] = [
  'expenses:traffic:fee',
  'expenses:access:fee',
  'expenses:fees:traffic',
  'expenses:fees:access',
];

export function figuresOf(entry: JournalEntry): EntryFigures {
  const sum = (accounts: readonly ChartAccount[], commodity: Token) => {
    let total = 0n;
    for (const posting of entry.postings) {
      if (posting.commodity === commodity && accounts.includes(posting.account)) total += posting.amount;
    }
    return total;
  };
  const paid = (token: Token): PaidFigures => {
    const fee = sum(FEE, token);
    const gross = entry.direction === 'in' ? -sum(GROSS, token) : sum(NET, token) + fee;
    return { gross, fee, net: gross - fee };
  };
  const perToken = (figure: (token: Token) => bigint) =>
    Object.fromEntries(TOKENS.map((token) => [token, figure(token)])) as Record<Token, bigint>;
  const traffic = (account: ChartAccount) => amountIn(entry, account, TRAFFIC);
  return {
    main: perToken((token) => sum(MAIN, token)),
    services: perToken((token) => amountIn(entry, 'assets:services', token)),
    wallet: perToken((token) => sum(WALLET, token)),
    paid: { XAC: paid('XAC'), XAS: paid('XAS') },
    burned: perToken((token) => amountIn(entry, 'equity:supply:burned', token)),
    emitted: perToken((token) => -amountIn(entry, 'equity:supply:emitted', token)),
    traffic: {
      paid: traffic('expenses:traffic:net') - traffic('income:traffic'),
      credit: traffic('expenses:traffic:credit') - traffic('income:traffic:credit'),
      refused: traffic('expenses:traffic:refused') - traffic('income:traffic:refused'),
      repaid: entry.kind === 'repayment' ? traffic('liabilities:loans') - traffic('assets:loans') : 0n,
    },
  };
}
