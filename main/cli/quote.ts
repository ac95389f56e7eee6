import type { TrafficQuoteView } from '../../shared/rpc/rpc.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { openExisting } from './node-connection.ts';

/** `ace-node quote UNITS [--json]`: what that much traffic would cost now, and how it would be paid. */
export async function quoteCommand(config: NodeConfig, units: number, json: boolean): Promise<void> {
  const connection = await openExisting(config);
  try {
    const quote = await connection.call('quote', { units });
    process.stdout.write(`${json ? JSON.stringify(quote, null, 2) : describe(quote)}\n`);
  } finally {
    await connection.close();
  }
}

function describe(q: TrafficQuoteView): string {
  const rows: [string, string][] = [
    [mib(q.units), `${q.priceXac} XAC, that is ${q.priceXat} XAT at the network's rate`],
    [
      'Paid now',
      q.paidUnits === 0
        ? 'nothing: the funds do not reach for a MiB'
        : `${mib(q.paidUnits)}, with ${paidWith(q)}`,
    ],
    ['On credit', mib(q.creditUnits)],
  ];
  if (q.paidUnits > 0)
    rows.push(['Fee', `${tokens([q.feeXac, 'XAC'], [q.feeXas, 'XAS'])}, out of what the peer gets`]);
  if (q.uncoveredUnits > 0) rows.push(['Not covered', `${mib(q.uncoveredUnits)}: top up to be served them`]);
  rows.push(['Price as of', new Date(q.asOfMs).toISOString()]);
  return rows.map(([label, text]) => `${label.padEnd(12)} ${text}`).join('\n');
}

function paidWith(q: TrafficQuoteView): string {
  return tokens([q.fromXac, 'XAC'], [q.fromXat, 'XAT (burned)'], [q.fromXas, 'XAS']);
}

/** Leaves out what is zero, unless all is. */
function tokens(...parts: readonly (readonly [amount: string, token: string])[]): string {
  const some = parts.filter(([amount]) => /[1-9]/.test(amount));
  return (some.length > 0 ? some : parts.slice(0, 1)).map((part) => part.join(' ')).join(' + ');
}

function mib(units: number): string {
  return `${units.toLocaleString('en')} MiB`;
}
