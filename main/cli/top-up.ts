/** `ace-node topup`: from wherever it comes, it ends in what the account may spend. */
import { isServicesToken, SERVICES_TOKENS } from '../../shared/economy/holdings.ts';
import { parseAmount, type Token } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';
import {
  type FundingOutcome,
  type FundingQuote,
  type FundsSource,
  fund,
  quoteFunding,
} from '../../shared/rpc/funding.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { openConnection, openExisting } from './node-connection.ts';
import { type ActOptions, confirm, effectLines, gainLines, tokenOf, unlocked } from './operations.ts';
import { print } from './print.ts';

/** From the devnet's faucet; loans are repaid by themselves. */
export async function faucetCommand(
  config: NodeConfig,
  amount: string,
  token: Token,
  { quote, json }: ActOptions,
): Promise<void> {
  if (parseAmount(amount) === 0n) throw new AceError('InvalidAmount', 'The amount must be more than 0');
  if (quote) {
    throw new AceError('InvalidInput', 'The faucet costs nothing, so it has no quote: leave --quote out');
  }
  const connection = await openConnection(config);
  try {
    const gains = await connection.call('topUp', { amountXat: amount, token });
    if (json) print(JSON.stringify(gains, null, 2));
    else print(`Topped up ${amount} ${token} from the devnet's faucet (play money).`, ...gainLines(gains));
  } finally {
    await connection.close();
  }
}

/** From what is kept, in one step or two; asked about once. */
export async function fundCommand(
  config: NodeConfig,
  source: FundsSource,
  { quote: onlyQuote, yes, json }: ActOptions,
): Promise<void> {
  const connection = await openExisting(config);
  try {
    const quote = await quoteFunding(connection, source);
    if (!json) print(...stepLines(quote), ...effectLines(quote));
    if (onlyQuote) {
      if (json) print(JSON.stringify(quote, null, 2));
      return;
    }
    if (!yes) await confirm();
    tell(await unlocked(connection, config, () => fund(connection, quote)), quote, json);
  } finally {
    await connection.close();
  }
}

/** @throws AceError that says what was done and what is left */
function tell(outcome: FundingOutcome, quote: FundingQuote, json: boolean): void {
  const { steps } = outcome;
  const hashes = steps.map(({ hash }, i) => `Step ${i + 1} done: ${hash}`);
  if (outcome.kind === 'kept') {
    if (!json) print(...hashes);
    const { left, error } = outcome;
    const did = quote.source.from === 'mint' ? 'minted' : 'swapped for';
    throw new AceError(
      error.code,
      `${left.amount} ${left.token} were ${did} and are kept; they were not moved to what you spend: ${error.message}. Nothing is lost: move them with ace-node deposit ${left.amount} ${left.token}`,
      { cause: error },
    );
  }
  const last = steps.at(-1);
  if (last === undefined) return;
  if (json)
    print(JSON.stringify({ ...last, steps: steps.map(({ height, hash }) => ({ height, hash })) }, null, 2));
  else {
    print(
      ...hashes,
      `${outcome.moved.amount} ${outcome.moved.token} are yours to spend.`,
      ...gainLines(last),
    );
  }
}

function stepLines({ source, mint, swap, second }: FundingQuote): string[] {
  if (source.from === 'kept') {
    return [`Move ${source.amount} ${source.token} of what you keep to what you spend`];
  }
  const first =
    source.from === 'mint'
      ? `Mint ${source.amountXat} XAT by burning ${mint?.costXab} XAB (at most ${mint?.maxXab} XAB)`
      : `Sell ${source.amount} ${source.sell} for ${swap?.received} XAC (at least ${swap?.leastReceived} XAC, or nothing happens)`;
  const moved = source.from === 'mint' ? `these ${second?.amount} XAT` : 'the XAC that came';
  return [`1. ${first}`, `2. Move ${moved} to what you spend`];
}

/** @throws AceError `InvalidInput` */
export function keptSource(amount: string, tokenText: string): FundsSource {
  const token = tokenOf(tokenText);
  if (isServicesToken(token)) return { from: 'kept', token, amount };
  throw new AceError(
    'InvalidInput',
    `${token} pays for no service: take one of ${SERVICES_TOKENS.join(', ')}, or --mint or --swap`,
  );
}
