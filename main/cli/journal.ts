/** `ace-node journal verify [--json]`: whether the journal is true. */
import type { JournalVerification } from '../../shared/rpc/journal.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { openExisting } from './node-connection.ts';
import { table } from './table.ts';

/** The exit code is 1 when anything differs. */
export async function journalVerifyCommand(config: NodeConfig, json: boolean): Promise<void> {
  const connection = await openExisting(config);
  try {
    const result = await connection.call('journalVerify', {});
    process.stdout.write(`${json ? JSON.stringify(result, null, 2) : describe(result)}\n`);
    if (!result.verified) process.exitCode = 1;
  } finally {
    await connection.close();
  }
}

function describe(result: JournalVerification): string {
  const { verified, entries, wrongEntries, contradicting, sumsAgree, withoutDetail, shardAsked, nodeAsOfMs } =
    result;
  const { overbilled, unnamed } = result;
  const isBilled = overbilled.length + unnamed > 0;
  const known = (amount: string | null) => amount ?? 'not known';
  const asOf = nodeAsOfMs === null ? 'never' : new Date(nodeAsOfMs).toISOString();
  return [
    table(
      ['ACCOUNT', '', 'JOURNAL', 'NODE', 'SHARD', ''],
      result.comparisons.map(({ account, commodity, journal, node, shard, same }) => [
        account,
        commodity,
        journal,
        known(node),
        known(shard),
        node === null && shard === null ? 'nothing to compare with' : same ? 'same' : 'DIFFERS',
      ]),
    ),
    '',
    wrongEntries === 0
      ? `${count(entries, 'entry', 'entries')}, each as its record says.`
      : `${wrongEntries} of ${count(entries, 'entry', 'entries')} are not what their records say, or are missing.`,
    ...contradicting.map(
      (name) => `The record of ${name} contradicts itself: it was changed after it was booked.`,
    ),
    ...(sumsAgree ? [] : ['The sums that the node keeps are not those of the entries.']),
    ...overbilled.map(
      (channelId) =>
        `The shard bills more on channel ${channelId.slice(0, 8)} than was revealed there, and has shown no tick for it.`,
    ),
    ...(unnamed === 0
      ? []
      : [`${count(unnamed, 'settlement bills', 'settlements bill')} units without naming their channels.`]),
    ...(withoutDetail === 0
      ? []
      : [
          `${count(withoutDetail, 'settlement waits', 'settlements wait')} for its shard to tell the details.`,
        ]),
    ...(shardAsked ? [] : [`The shard cannot be asked now; the node’s figures are of ${asOf}.`]),
    verified
      ? 'Verified: the journal agrees.'
      : isBilled
        ? 'The journal does not agree: you are charged for what you did not pay. `ace-node status` says what to do.'
        : 'The journal does not agree. Something may still be on its way: repeat the command in a minute.',
  ].join('\n');
}

function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}
