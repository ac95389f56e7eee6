import { basename } from 'node:path';
import type { DemoResult } from './demo-plan.ts';
import { mebibytes } from './progress.ts';

/** The demo's result as people read it. */
export function reportTable(result: DemoResult): string {
  const lines = [
    `${basename(result.file)}  ${mebibytes(result.sizeBytes)}, ${result.units} units`,
    `content id  ${result.contentId}`,
    '',
    ...result.story.map(({ what }) => `  · ${what}`),
    ...(result.leftOut.length > 0
      ? [`  · left out, the file is too small for it: ${result.leftOut.join('; ')}`]
      : []),
    '',
    row('Ticks revealed by the viewer', result.ticks),
    row('  paid from funds', `${result.unitsPaid} MiB`),
    row('  on credit', `${result.unitsOnCredit} MiB, ${result.unitsRepaid} MiB of it repaid`),
    row('Credit used at the end', `${result.creditUsed} of ${result.creditLimit} MiB`),
    row('Settlement batches', result.batches),
    row('Speed, paid and verified', `${result.throughputMiBps} MiB/s`),
    row('Payment on the wire', `${result.wireOverheadBytesPerMiB} bytes per MiB`),
    '',
    columns('Account', 'XAT', 'XAC'),
    ...Object.entries(result.accounts).flatMap(([name, { main, services }]) => [
      columns(`${name}, to spend`, services.XAT, services.XAC),
      columns(`${name}, kept`, main.XAT, main.XAC),
    ]),
    ...(['trafficFeePool', 'premiumFeePool'] as const).map((pool) =>
      columns(pool, result.pools[pool].XAT, result.pools[pool].XAC),
    ),
    '',
    ...result.checks.map(({ rule, holds }) => `${holds ? '✓' : '✗'} ${rule}`),
    `${result.sha256Match ? '✓' : '✗'} the viewer's file is the original, SHA-256 ${result.sha256.slice(0, 16)}…`,
    '',
    result.conserved && result.sha256Match
      ? 'Everything balances.'
      : 'SOMETHING DOES NOT BALANCE: see the lines with ✗.',
  ];
  return lines.join('\n');
}

function row(label: string, value: string | number): string {
  return `${label.padEnd(32)} ${value}`;
}

function columns(name: string, xat: string, xac: string): string {
  return `${name.padEnd(22)} ${xat.padStart(22)} ${xac.padStart(16)}`;
}
