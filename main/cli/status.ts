import { setTimeout as delay } from 'node:timers/promises';
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import { spendingWarning } from '../../shared/economy/spending-limit.ts';
import { isAceError } from '../../shared/errors.ts';
import { spendingLimits } from '../../shared/limits.ts';
import type { TransferView } from '../../shared/rpc/content.ts';
import type { LoanView, NodeSnapshot } from '../../shared/rpc/rpc.ts';
import { shownName } from '../../shared/shown-name.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import { ownClockWords } from '../account/network-clock.ts';
import { DEFAULT_HTTP_PORT, type NodeConfig } from '../data-dir/config.ts';
import { onStopSignal } from '../process/stop-signals.ts';
import { amounts } from './holdings.ts';
import { type NodeConnection, openExisting } from './node-connection.ts';
import { windowNote } from './play.ts';
import { mib, sharingRows } from './sharing-rows.ts';

export interface StatusOptions {
  readonly json: boolean;
  /** Again and again, this many seconds apart, until a signal ends it. */
  readonly watch?: number;
}

/** `ace-node status [--json] [--watch [SECONDS]]`. */
export async function statusCommand(config: NodeConfig, { json, watch }: StatusOptions): Promise<void> {
  const connection = await openExisting(config).catch((error: unknown) => {
    if (isAceError(error, 'WalletLocked')) return null;
    throw error;
  });
  if (connection === null) {
    const { storedStatus } = await import('./stored-status.ts');
    process.stdout.write(`${storedStatus(config, json)}\n`);
    return;
  }
  try {
    if (watch === undefined) process.stdout.write(`${await statusText(connection, json, 2)}\n`);
    else await watchStatus(connection, json, watch * 1_000);
  } finally {
    await connection.close();
  }
}

async function statusText(connection: NodeConnection, json: boolean, indent?: number): Promise<string> {
  const snapshot = await connection.call('snapshot', {});
  const running = connection.remote;
  return json ? JSON.stringify({ running, ...snapshot }, null, indent) : describeStatus(snapshot, running);
}

/** In place on a terminal. Elsewhere one after the other: as JSON a line each, as programs read it. */
async function watchStatus(connection: NodeConnection, json: boolean, everyMs: number): Promise<void> {
  const ended = new AbortController();
  onStopSignal(() => ended.abort());
  const inPlace = process.stdout.isTTY && !json;
  while (!ended.signal.aborted) {
    const text = await statusText(connection, json);
    process.stdout.write(inPlace ? `${CLEAR_SCREEN}${text}\n` : `${text}\n${json ? '' : '\n'}`);
    await delay(everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
  }
}

/** The cursor to the top, and all below it away. */
const CLEAR_SCREEN = '\u001b[H\u001b[J';

/** @param running the node was running before this command */
export function describeStatus(s: NodeSnapshot, running: boolean): string {
  const leftUnits = s.credit.limitUnits - s.credit.usedUnits;
  const rows: [string, string][] = [
    ['Node', running ? `running at ${s.pagesUrl ?? '?'}` : 'not running: started for this command only'],
    ...(running && s.pagesUrl !== null ? [playersRow(s.pagesUrl)] : []),
    ['Network', `${s.networkId}${s.devnet ? ' (own devnet, play money)' : ''}`],
    ['Home shard', `${s.shard.shard}${s.shard.connected ? '' : ' (not reachable)'}`],
    ...clockRows(s),
    ...s.distrustedShards.map(({ message, sinceMs }): [string, string] => [
      'NOT TRUSTED',
      `${message} (since ${new Date(sinceMs).toISOString()})`,
    ]),
    ['Joined at', s.shard.multiaddr],
    ['Account', shownAddress(s.account)],
    ['Peer id', s.peerId],
    ['Peers', `${s.peers} connected`],
    ['To spend', amounts(s.holdings.services)],
    ['Kept', amounts(s.holdings.main)],
    ...topUpRows(s),
    ...spendingRows(s),
    ['Credit', `${mib(s.credit.usedUnits)} of ${mib(s.credit.limitUnits)} used, ${mib(leftUnits)} left`],
    ['You owe', s.credit.loans.length === 0 ? 'nobody' : ''],
    ...byCreditor(s.credit.loans).map(([creditor, owedUnits, priceXac]): [string, string] => [
      '',
      `${shownAddress(creditor)}: ${mib(owedUnits)}, ${formatAmount(priceXac)} XAC now`,
    ]),
    [
      'On its way',
      `earned ${s.pending.earnedXac} XAC, spent ${s.pending.owedXac} XAC; not settled yet, before the fee`,
    ],
    ...sharingRows(s.sharing),
    [
      'Price',
      s.price
        ? `${s.price.xacPerGb} XAC per GB, as of ${new Date(s.price.asOfMs).toISOString()}`
        : 'not known',
    ],
    [
      'Traffic',
      `${mib(s.traffic.downBytes / 1_048_576)} received, ${mib(s.traffic.upBytes / 1_048_576)} sent`,
    ],
    ...transferRows(s),
    ['Settlements', String(s.settlementCount)],
    ['Data', s.dataDir],
  ];
  return rows.map(([label, text]) => `${label.padEnd(12)} ${text}`.trimEnd()).join('\n');
}

const TOP_UP_WORDS: Readonly<Record<NodeSnapshot['autoTopUp']['state'], string>> = {
  off: '',
  watching: '',
  locked: 'ONE IS DUE: unlock the wallet, and it is made',
  clock: 'ONE IS DUE: it waits until this computer’s clock is right',
  waiting: 'one is due: the shard did not take it, and is asked again',
  'main-empty': 'STOPPED: what you keep does not reach for the next one',
  'day-used': 'STOPPED until midnight: all that it may move in a day is moved',
  'month-used': 'STOPPED until next month: all that it may move in a month is moved',
};

/** Below what is kept: what of it is moved by itself. */
function topUpRows({ autoTopUp, limits }: NodeSnapshot): [string, string][] {
  const rule = limits.settings.autoTopUp;
  if (rule === null) return [];
  const moved = `${autoTopUp.dayXat} XAT today, ${autoTopUp.monthXat} this month`;
  const words = TOP_UP_WORDS[autoTopUp.state];
  return [
    ['Top-up', `automatic, ${rule.depositXat} XAT below ${rule.belowXat}; ${moved}`],
    ...(words === '' ? [] : [['', words] as [string, string]]),
  ];
}

function spendingRows({ limits: { settings, spent } }: NodeSnapshot): [string, string][] {
  const limits = spendingLimits(settings);
  const periods = [
    ['day', settings.spendPerDayXac, spent.dayXac],
    ['month', settings.spendPerMonthXac, spent.monthXac],
  ] as const;
  const rows = periods.flatMap(([period, limit, used]): [string, string][] =>
    limit === null
      ? []
      : [['', `${used} of ${limit} XAC this ${period}, and ${spent.onItsWayXac} XAC on its way`]],
  );
  const near = spendingWarning(limits, {
    dayXac: parseAmount(spent.dayXac),
    monthXac: parseAmount(spent.monthXac),
    onItsWayXac: parseAmount(spent.onItsWayXac),
  });
  if (near) rows.push(['', `NEARLY USED: 80 % or more of what a ${near.period} may cost`]);
  return rows.map(([, text], i) => [i === 0 ? 'Spent' : '', text]);
}

function clockRows({ clock, shard }: NodeSnapshot): [string, string][] {
  const rows: [string, string][] = [];
  if (clock) {
    const so = clock.stops ? 'no channel is opened until it is right' : 'set it right';
    rows.push(['CLOCK WRONG', `${ownClockWords(clock.aheadMs)}: ${so}`]);
  }
  if (shard.clockJumped) {
    rows.push(['Shard clock', 'The validator’s clock is wrong: it grants no lease until it is right again']);
  }
  return rows;
}

/** One for each creditor, in the order in which they lent first: units, and XAC at the current price. */
function byCreditor(loans: readonly LoanView[]): [creditor: string, owedUnits: number, priceXac: bigint][] {
  return [...Map.groupBy(loans, ({ creditor }) => creditor)].map(([creditor, owed]) => [
    creditor,
    owed.reduce((sum, loan) => sum + loan.units, 0),
    owed.reduce((sum, { priceXac }) => sum + parseAmount(priceXac), 0n),
  ]);
}

/** What is being fetched, and what keeps it from being fetched. */
function transferRows({ transfers, limits }: NodeSnapshot): [string, string][] {
  const running = transfers.filter(({ wanted }) => wanted);
  return running.flatMap((transfer, i): [string, string][] => [
    [i === 0 ? 'Fetching' : '', describeTransfer(transfer)],
    ...(transfer.window ? [['', windowNote(transfer, limits.settings.cacheBytes)] as [string, string]] : []),
  ]);
}

function describeTransfer({ name, sizeBytes, haveBytes, state, reason, ...transfer }: TransferView): string {
  const bytes = (count: number) => mib(count / 1_048_576);
  // How large a broadcast will be is not known.
  const isAll = sizeBytes === haveBytes;
  const have = isAll ? `${bytes(haveBytes)} received` : `${bytes(haveBytes)} of ${bytes(sizeBytes)} here`;
  const speed = transfer.downBytesPerSecond > 0 ? `, ${bytes(transfer.downBytesPerSecond)}/s` : '';
  const from = transfer.providers.filter((provider) => provider.state === 'connected').length;
  const peers = from === 0 ? '' : ` from ${from} ${from === 1 ? 'peer' : 'peers'}`;
  return `"${shownName(name)}": ${have}${speed}${peers}, ${state}${reason ? `: ${reason.message}` : ''}`;
}

/** Where players open a content; the port is shown where it is not the one that they try by themselves. */
function playersRow(pagesUrl: string): [string, string] {
  const usual = new URL(pagesUrl).port === String(DEFAULT_HTTP_PORT);
  const note = usual ? '' : ` (not the usual port, ${DEFAULT_HTTP_PORT})`;
  return ['Players', `${pagesUrl}ace/getstream?content_id=…${note}`];
}
