/** Commands that move an account's funds: each shows what will happen first, and asks. */

import { isServicesToken, type Place, SERVICES_TOKENS } from '../../shared/economy/holdings.ts';
import { parseAmount, TOKENS, type Token } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';
import { byCreditor } from '../../shared/rpc/repays.ts';
import type {
  AccessQuoteView,
  OperationQuoteView,
  OperationResultView,
  RepaymentView,
} from '../../shared/rpc/wallet.ts';
import { aboutSpan } from '../../shared/span.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { holdingLines } from './holdings.ts';
import { type NodeConnection, openExisting } from './node-connection.ts';
import { ask, isInteractive, neededPassphrase } from './passphrase.ts';
import { print } from './print.ts';

export interface ActOptions {
  /** Only show what would happen. */
  readonly quote: boolean;
  /** Do not ask. */
  readonly yes: boolean;
  readonly json: boolean;
}

type Gains = Pick<OperationResultView, 'holdings' | 'creditUsedUnits' | 'repaid'>;

export function sendCommand(
  config: NodeConfig,
  {
    amount,
    token,
    to,
    place,
  }: {
    readonly amount: string;
    readonly token: string;
    readonly to: string;
    readonly place: Place;
  },
  options: ActOptions,
): Promise<void> {
  const input = { amount, token: tokenOf(token), to, place };
  return act(config, options, {
    quote: (connection) => connection.call('quoteSend', input),
    words: ({ to: payee, isSeen }) =>
      `Send ${amount} ${input.token} to ${payee}${place === 'services' ? ', who can spend it on traffic at once' : ''}${isSeen ? '' : '. This network has never seen that account: check the address, what is sent cannot be taken back'}`,
    run: (connection, { expiresAtMs }) => connection.call('send', { ...input, expiresAtMs }),
  });
}

/** `ace-node deposit` and `withdraw`: between the account's own places. */
export function moveCommand(
  config: NodeConfig,
  kind: 'deposit' | 'withdraw',
  { amount, token }: { readonly amount: string; readonly token: string },
  options: ActOptions,
): Promise<void> {
  const known = tokenOf(token);
  if (!isServicesToken(known)) {
    throw new AceError(
      'InvalidInput',
      `${known} pays for no service: take one of ${SERVICES_TOKENS.join(', ')}`,
    );
  }
  const input = { amount, token: known };
  const [quote, run] =
    kind === 'deposit' ? (['quoteDeposit', 'deposit'] as const) : (['quoteWithdraw', 'withdraw'] as const);
  return act(config, options, {
    quote: (connection) => connection.call(quote, input),
    words: () =>
      kind === 'deposit'
        ? `Move ${amount} ${known} to what you spend: it pays for traffic, loans and access`
        : `Move ${amount} ${known} back to what you keep`,
    run: (connection, { expiresAtMs }) => connection.call(run, { ...input, expiresAtMs }),
  });
}

export function mintCommand(config: NodeConfig, amountXat: string, options: ActOptions): Promise<void> {
  return act(config, options, {
    quote: (connection) => connection.call('quoteMint', { amountXat }),
    words: (quote) =>
      `Mint ${amountXat} XAT by burning ${quote.costXab} XAB (${quote.xabPerXat} XAB for 1 XAT; at most ${quote.maxXab} XAB)`,
    run: (connection, { maxXab, expiresAtMs }) => connection.call('mint', { amountXat, maxXab, expiresAtMs }),
  });
}

export function swapCommand(
  config: NodeConfig,
  { amount, sell, buy }: { readonly amount: string; readonly sell: string; readonly buy: string },
  slippagePercent: string,
  options: ActOptions,
): Promise<void> {
  const input = { sell: tokenOf(sell), buy: tokenOf(buy), amount };
  return act(config, options, {
    quote: (connection) => connection.call('quoteSwap', { ...input, slippagePercent }),
    words: (q) =>
      `Sell ${amount} ${input.sell} for ${q.received} ${input.buy}: ${q.rate} ${input.buy} for 1 ${input.sell}, the size of the amount costs ${q.priceImpactPercent}%; at least ${q.leastReceived} ${input.buy}, or nothing happens`,
    run: (connection, { leastReceived, expiresAtMs }) =>
      connection.call('swap', { ...input, leastReceived, expiresAtMs }),
  });
}

export function accessCommand(config: NodeConfig, contentId: string, options: ActOptions): Promise<void> {
  return act(config, options, {
    quote: (connection) => connection.call('quoteAccess', { contentId }),
    words: (q) =>
      `Buy access to ${q.contentId} for ${q.priceXac} XAC, ${q.lastsMs === 0 ? 'for ever' : `for ${aboutSpan(q.lastsMs)}`}, from ${q.to}, who gets ${sellerGets(q)} of it. It is final: nothing is paid back, whether anybody has the bytes or not; their traffic is paid besides`,
    run: (connection, { to, priceXac, premium, lastsMs, expiresAtMs, ...q }) =>
      connection.call('buyAccess', { contentId: q.contentId, to, priceXac, premium, lastsMs, expiresAtMs }),
  });
}

function sellerGets({ sellerXac, sellerXas }: AccessQuoteView): string {
  const parts = [`${sellerXac} XAC`, ...(parseAmount(sellerXas) > 0n ? [`${sellerXas} XAS`] : [])];
  return parts.join(' and ');
}

export async function receiveCommand(config: NodeConfig): Promise<void> {
  const connection = await openExisting(config);
  try {
    print((await connection.call('receive', {})).address);
  } finally {
    await connection.close();
  }
}

export async function repaymentsCommand(config: NodeConfig, limit: number, json: boolean): Promise<void> {
  const connection = await openExisting(config);
  try {
    const rows = await connection.call('repayments', { limit });
    if (json) print(JSON.stringify(rows, null, 2));
    else
      print(
        ...(rows.length === 0
          ? ['No loan was repaid yet.']
          : rows.map((r) => `${when(r)}  ${repaidLine(r)}`)),
      );
  } finally {
    await connection.close();
  }
}

interface Act<Q extends OperationQuoteView> {
  quote(connection: NodeConnection): Promise<Q>;
  words(quote: Q): string;
  run(connection: NodeConnection, quote: Q): Promise<OperationResultView>;
}

async function act<Q extends OperationQuoteView>(
  config: NodeConfig,
  { quote: onlyQuote, yes, json }: ActOptions,
  { quote: ask, words, run }: Act<Q>,
): Promise<void> {
  const connection = await openExisting(config);
  try {
    const quote = await ask(connection);
    if (!json) print(words(quote), ...effectLines(quote));
    if (onlyQuote) {
      if (json) print(JSON.stringify(quote, null, 2));
      return;
    }
    if (!yes) await confirm();
    const result = await unlocked(connection, config, () => run(connection, quote));
    if (json) print(JSON.stringify(result, null, 2));
    else print(`Done: ${result.hash}`, ...gainLines(result));
  } finally {
    await connection.close();
  }
}

/** A wallet that is locked is unlocked for this one operation. */
export async function unlocked<T>(
  connection: NodeConnection,
  config: NodeConfig,
  run: () => Promise<T>,
): Promise<T> {
  if ((await connection.call('walletState', {})).status !== 'locked') return run();
  const passphrase = await neededPassphrase(config, 'Passphrase of the wallet: ');
  await connection.call('walletUnlock', { passphrase });
  try {
    return await run();
  } finally {
    await connection.call('walletLock', {});
  }
}

export async function confirm(): Promise<void> {
  if (!isInteractive()) {
    throw new AceError('InvalidInput', 'Nothing was done: give --yes to do it without being asked');
  }
  if (/^y(es)?$/i.test((await ask('Do it? [y/N] ')).trim())) return;
  throw new AceError('InvalidInput', 'Nothing was done');
}

export function tokenOf(text: string): Token {
  const token = TOKENS.find((known) => known === text.toUpperCase());
  if (token) return token;
  throw new AceError('InvalidInput', `${text} is not a token: take one of ${TOKENS.join(', ')}`);
}

const PLACE_WORDS: Readonly<Record<Place, string>> = { main: ' kept', services: ' to spend' };

export function effectLines(q: OperationQuoteView): string[] {
  const sums = (list: readonly { token: Token; amount: string; place?: Place; burned?: boolean }[]) =>
    list
      .map(
        ({ amount, token, place, burned }) =>
          `${amount} ${token}${place ? PLACE_WORDS[place] : ''}${burned ? ' (burned)' : ''}`,
      )
      .join(' + ');
  const rows: [string, string][] = [['You give', sums(q.gives)]];
  if (q.gets.length > 0) rows.push(['You get', sums(q.gets)]);
  if (q.fees.length > 0) rows.push(['Fee, included', sums(q.fees)]);
  for (const loan of byCreditor(q.repays)) {
    const rest = loan.stillOwedUnits > 0 ? `, ${loan.stillOwedUnits} MiB stays owed` : '';
    rows.push(['Repays', `${shownAddress(loan.creditor)}: ${loan.units} MiB for ${loan.costXac} XAC${rest}`]);
  }
  for (const [i, line] of holdingLines(q.holdingsAfter).entries()) {
    rows.push([i === 0 ? 'Afterwards' : '', line]);
  }
  return rows.map(([label, words]) => `  ${label.padEnd(13)} ${words}`);
}

export function gainLines({ holdings, creditUsedUnits, repaid }: Gains): string[] {
  const lines = repaid.toReversed().map((loan) => `Loan repaid: ${repaidLine(loan)}.`);
  if (creditUsedUnits > 0) lines.push(`Still owed: ${creditUsedUnits} MiB.`);
  lines.push(...holdingLines(holdings));
  return lines;
}

function repaidLine({ units, creditor, costXac, xacPerGb }: RepaymentView): string {
  return `${units} MiB to ${shownAddress(creditor)} for ${costXac} XAC (${xacPerGb} XAC per GB)`;
}

function when({ atMs }: RepaymentView): string {
  return new Date(atMs).toISOString();
}
