import type { ChannelStatus } from '../../shared/channel/lifecycle.ts';
import { TRAFFIC_UNIT_BYTES } from '../../shared/economy/units.ts';
import { type ChannelsView, type ChannelView, MAX_CHANNELS_PAGE } from '../../shared/rpc/channels.ts';
import { shownName } from '../../shared/shown-name.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { type NodeConnection, openExisting } from './node-connection.ts';
import { table } from './table.ts';

/** A name may be 255 characters long: the table stays one. `--json` has it whole. */
const MAX_NAME_COLUMNS = 48;

/** One line for each state of a channel; see `shared/channel/lifecycle.ts`. */
const STATE_WORDS: Readonly<Record<ChannelStatus, string>> = {
  opening: 'asked for; the home shard has not reserved anything yet',
  open: 'in use, or ready to be',
  paused: 'a payment is late or a disk failed; goes on by itself when that is over',
  closing: 'ended by agreement; one answer is still out',
  claimed: 'the shard holds proof of every unit; the next settlements move the money',
  settled: 'the main chain has answered for every unit',
  expired: 'ended by time; what was paid is still claimed',
  disputed: 'the shard refused a proof, or the two sides’ books differ: the log says why',
};

export const CHANNELS_HELP = `
STATE is one of
${Object.entries(STATE_WORDS)
  .map(([state, words]) => `  ${state.padEnd(9)} ${words}`)
  .join('\n')}
KIND is what was streamed: video (somebody watches it), other (a download), or mixed.`;

/** `ace-node channels [--limit N] [--json]`: who was paid for what, and how far that is settled. */
export async function channelsCommand(config: NodeConfig, limit: number, json: boolean): Promise<void> {
  const connection = await openExisting(config);
  try {
    const view = await firstChannels(connection, limit);
    process.stdout.write(`${json ? JSON.stringify(view, null, 2) : describe(view)}\n`);
  } finally {
    await connection.close();
  }
}

/** The newest `limit` channels, by as many pages as that takes. */
async function firstChannels(connection: NodeConnection, limit: number): Promise<ChannelsView> {
  const page = (left: number, after: string | null) =>
    connection.call('channels', {
      limit: Math.min(left, MAX_CHANNELS_PAGE),
      ...(after !== null && { after }),
    });
  let view = await page(limit, null);
  while (view.next !== null && view.channels.length < limit) {
    const more = await page(limit - view.channels.length, view.next);
    view = { ...view, channels: [...view.channels, ...more.channels], next: more.next };
  }
  return view;
}

function describe(view: ChannelsView): string {
  if (view.count === 0) {
    return 'No payment channels yet. One opens by itself when you watch something, or when others watch what you share.';
  }
  const left = view.count - view.channels.length;
  return [
    'Payment channels, newest first. Figures are in MiB.',
    ...overbilledLines(view.channels),
    channelTable(view.channels),
    counterpartyTable(view.counterparties),
    ...(view.contents.length > 0 ? [contentTable(view.contents)] : []),
    ...(left > 0 ? [leftOut(left, view.count)] : []),
    'PAID is promised by ticks. What of it is PENDING is not settled yet: the next settlements move the money, and the\n' +
      'fee goes off what is earned. Units on credit settle as a loan: their XAC comes when it is repaid.\n' +
      'SIGNED is the last checkpoint, which both sides agree on (?: not answered yet). OF is the most a channel carries.',
  ].join('\n\n');
}

/** First of all, because it is money that was taken. */
function overbilledLines(channels: ChannelsView['channels']): string[] {
  return channels
    .filter(({ overbilledUnits }) => overbilledUnits > 0)
    .map(
      ({ channelId, overbilledUnits }) =>
        `OVERBILLED: the shard charges ${mib(overbilledUnits)} MiB more on channel ${channelId.slice(0, 8)} than you paid there. \`ace-node status\` says what to do.`,
    );
}

function leftOut(left: number, all: number): string {
  const what = left === 1 ? '1 older channel is left out' : `${left} older channels are left out`;
  return `${what}: --limit ${all} shows ${left === 1 ? 'it' : 'them'}.`;
}

function channelTable(channels: ChannelsView['channels']): string {
  const heads = 'CHANNEL,YOU,WITH,STATE,SERVED,PAID,SETTLED,PENDING,OF,SIGNED,KIND,UNTIL';
  const rows = channels.map((c) => [
    c.channelId.slice(0, 8),
    verb(c.direction),
    shortAddress(c.counterparty),
    c.state,
    mib(c.servedBytes / TRAFFIC_UNIT_BYTES),
    mib(c.paidUnits),
    mib(c.settledUnits),
    mib(c.pendingUnits),
    mib(c.capacityUnits),
    signed(c.checkpoint),
    c.kind ?? '-',
    time(c.expiresAtMs),
  ]);
  return table(heads.split(','), rows);
}

function counterpartyTable(counterparties: ChannelsView['counterparties']): string {
  const sums = ['SERVED', 'PAID', 'SETTLED', 'PENDING', 'PENDING, WORTH NOW', 'SETTLED SO FAR'];
  const rows = counterparties.map((c) => [
    shownAddress(c.counterparty),
    verb(c.direction),
    c.channels.toLocaleString('en'),
    mib(c.servedBytes / TRAFFIC_UNIT_BYTES),
    mib(c.paidUnits),
    mib(c.settledUnits),
    mib(c.pendingUnits),
    c.pendingXac === null ? 'not known' : `${c.pendingXac} XAC`,
    `${c.direction === 'paying' ? c.grossXac : c.netXac} XAC`,
  ]);
  return table(['WITH', 'YOU', 'CHANNELS', ...sums], rows);
}

function contentTable(contents: ChannelsView['contents']): string {
  const rows = contents.map((c) => [
    shownName(c.name, MAX_NAME_COLUMNS),
    mib(c.receivedBytes / TRAFFIC_UNIT_BYTES),
    mib(c.servedBytes / TRAFFIC_UNIT_BYTES),
    c.contentId,
  ]);
  return table(['CONTENT', 'RECEIVED', 'SENT', 'CONTENT ID'], rows);
}

function shortAddress(address: string): string {
  const shown = shownAddress(address);
  return `${shown.slice(0, 8)}…${shown.slice(-4)}`;
}

function verb(direction: ChannelView['direction']): string {
  return direction === 'paying' ? 'pay' : 'earn';
}

function signed(checkpoint: ChannelView['checkpoint']): string {
  if (!checkpoint) return '-';
  return `${mib(checkpoint.units)}${checkpoint.countersigned ? '' : '?'}`;
}

function mib(count: number): string {
  return count.toLocaleString('en', { maximumFractionDigits: 1 });
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
