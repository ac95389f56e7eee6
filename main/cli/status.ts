import { existsSync } from 'node:fs';
import { AceError } from '../../shared/errors.ts';
import type { NodeSnapshot } from '../../shared/rpc.ts';
import { type NodeConfig, nodePaths } from '../config.ts';
import { openSession } from './session.ts';

/** `ace-node status [--json]`. */
export async function statusCommand(config: NodeConfig, json: boolean): Promise<void> {
  // Asking must not make a wallet and a network where there are none.
  if (!existsSync(nodePaths(config.dataDir).nodeDb)) {
    throw new AceError(
      'NodeNotRunning',
      `There is no node in ${config.dataDir} yet: ace-node start makes one`,
    );
  }
  const session = await openSession(config);
  try {
    const snapshot = await session.call('snapshot', {});
    const running = session.remote;
    if (json) process.stdout.write(`${JSON.stringify({ running, ...snapshot }, null, 2)}\n`);
    else process.stdout.write(`${describe(snapshot, running)}\n`);
  } finally {
    await session.close();
  }
}

function describe(s: NodeSnapshot, running: boolean): string {
  const leftUnits = s.credit.limitUnits - s.credit.usedUnits;
  const rows: [string, string][] = [
    [
      'Node',
      running ? `running at ${s.pagesUrl ?? '?'}` : 'not running; this is what its data directory says',
    ],
    ['Network', `${s.networkId}${s.devnet ? ' (own devnet, play money)' : ''}, shard ${s.shard.shard}`],
    ['Validator', `${s.shard.multiaddr}${s.shard.connected ? '' : ' (not reachable)'}`],
    ['Account', s.account],
    ['Peer id', s.peerId],
    ['Peers', `${s.peers} connected`],
    [
      'Balances',
      Object.entries(s.balances)
        .map(([token, amount]) => `${amount} ${token}`)
        .join(', '),
    ],
    [
      'Credit',
      `${units(s.credit.usedUnits)} of ${units(s.credit.limitUnits)} used, ${units(leftUnits)} left`,
    ],
    ['Owed to', s.credit.loans.length === 0 ? 'nobody' : ''],
    ...s.credit.loans.map((loan): [string, string] => [
      '',
      `${loan.creditor}: ${units(loan.units)}, ${loan.priceXac} XAC now`,
    ]),
    ['On its way', `earned ${s.pending.earnedXac} XAC, owed ${s.pending.owedXac} XAC, not settled yet`],
    [
      'Price',
      s.price
        ? `${s.price.xacPerGb} XAC per GB, as of ${new Date(s.price.asOfMs).toISOString()}`
        : 'not known',
    ],
    [
      'Traffic',
      `${units(s.traffic.downBytes / 1_048_576)} received, ${units(s.traffic.upBytes / 1_048_576)} sent`,
    ],
    ['Settlements', String(s.settlementCount)],
    ['Data', s.dataDir],
  ];
  return rows.map(([label, text]) => `${label.padEnd(12)} ${text}`.trimEnd()).join('\n');
}

function units(count: number): string {
  return `${count.toLocaleString('en', { maximumFractionDigits: 1 })} MiB`;
}
