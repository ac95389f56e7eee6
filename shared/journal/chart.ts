/**
 * The chart of accounts of one wallet's journal.
 *
 * Two kinds of commodity never mix: tokens, and traffic in MiB. Loans are owed and given in MiB, because the price is
 * that of the day of repayment (docs/economy.md#credit). Signs are those of double entry: assets and expenses grow with
 * positive amounts, liabilities, income and equity with negative ones, and each entry adds up to 0 per commodity.
 */
import { TOKENS, type Token } from '../economy/money.ts';

export const TRAFFIC = 'MiB';
export const COMMODITIES = [...TOKENS, TRAFFIC] as const;
export type Commodity = Token | typeof TRAFFIC;

/**
 * Account by account, what it holds. Entries are stored with places in this list: what is new goes to its end, and
 * nothing is ever taken out.
 */
export const CHART = {
  /** Of books from before accounts had two places: nothing new is posted to it. */
  'assets:wallet': 'tokens, before they lay in two places',
  /** MiB that others took on credit here and still owe, with an account below it for each of them. */
  'assets:loans': 'traffic that others owe, by debtor',
  /** MiB taken on credit and still owed, with an account below it for each creditor. */
  'liabilities:loans': 'traffic owed to others, by creditor',
  'income:traffic': 'traffic served and paid, before the fee',
  'income:traffic:credit': 'traffic served on credit',
  'income:traffic:refused': 'traffic served that the network refused to pay',
  'income:access': 'access to contents sold, before the fee',
  'income:rewards': 'rewards from the network',
  'income:faucet': 'gifts of a devnet’s faucet',
  'income:transfers': 'received from other accounts',
  'expenses:traffic:net': 'what providers got for traffic',
  'expenses:traffic:fee': 'the network’s fee in what was paid for traffic',
  'expenses:traffic:credit': 'traffic taken on credit',
  'expenses:traffic:refused': 'traffic received that the network refused to settle',
  'expenses:access:net': 'what sellers got for access to contents',
  'expenses:access:fee': 'the network’s fee in what was paid for access',
  'expenses:fees:traffic': 'the network’s fee out of what traffic earned',
  'expenses:fees:access': 'the network’s fee out of what access earned',
  'expenses:rewards': 'rewards paid to participants',
  'expenses:transfers': 'sent to other accounts',
  'equity:opening': 'what was there before the first entry',
  /** XAT burned to pay for services, XAB burned to mint XAT. */
  'equity:supply:burned': 'tokens burned',
  /** XAC emitted for burned XAT, XAT minted. */
  'equity:supply:emitted': 'tokens emitted',
  'equity:exchange': 'tokens swapped',
  /** MiB that changed hands for money at once or by repayment: the other side of traffic bought and sold. */
  'equity:traffic': 'traffic that is paid for',
  'assets:main': 'tokens that are kept',
  'assets:services': 'tokens to spend: they pay for traffic, loans and access',
} as const;

export type ChartAccount = keyof typeof CHART;
export const CHART_ACCOUNTS = Object.keys(CHART) as ChartAccount[];

/** Accounts that have one below them for each counterparty. */
export function isPerCounterparty(account: ChartAccount): boolean {
  return account === 'assets:loans' || account === 'liabilities:loans';
}

/** Accounts as one number, a bit for each: exact, for there are fewer than 53. */
export function accountSet(accounts: Iterable<ChartAccount>): number {
  let set = 0;
  for (const account of new Set(accounts)) set += 2 ** CHART_ACCOUNTS.indexOf(account);
  return set;
}

/** Base units of a token have 7 decimals; MiB are whole. */
export function isToken(commodity: Commodity): commodity is Token {
  return commodity !== TRAFFIC;
}
