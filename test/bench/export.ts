/**
 * How fast the journal is exported in each format, beside a bare read of the same rows, and with how much memory. Prints a
 * table, or JSON with --json; fails when an export takes more memory than it may or leaves rows out.
 *
 *   npm run bench:export [-- --settlements 1000000] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXPORT_FORMATS } from '../../shared/journal/export.ts';
import { MIB } from './files.ts';
import { machine, runRole, tell } from './report.ts';

const MOST_RSS_MIB = 200;

const { values } = parseArgs({
  options: {
    settlements: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
  },
});
const settlements = Number(values.settlements);
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));

interface Figures {
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly peakRssMib: number;
}

try {
  runRole('export-roles.ts', ['make', dir, values.settlements]);
  const bare = runRole<Omit<Figures, 'peakRssMib'>>('export-roles.ts', ['bare', dir]);
  const formats = EXPORT_FORMATS.map((format) => {
    const figures = runRole<Figures>('export-roles.ts', ['export', dir, format]);
    rmSync(join(dir, `out.${format}`));
    return { format, ...figures };
  });
  const perSecond = ({ rows, seconds }: Pick<Figures, 'rows' | 'seconds'>) => Math.round(rows / seconds);
  const count = (number: number) => number.toLocaleString('en');
  tell(
    { ...machine, settlements, bare: { ...bare, rowsPerSecond: perSecond(bare) }, formats },
    [
      ['machine', `${machine.cpu}, ${machine.cores} cores`],
      ['bare read', `${count(perSecond(bare))} rows/s, ${count(Math.round(bare.bytes / MIB))} MiB`],
      ...formats.map((figures): [string, string] => [
        figures.format,
        [
          `${count(perSecond(figures))} rows/s, ${figures.seconds.toFixed(1)} s`,
          `${count(Math.round(figures.bytes / MIB))} MiB`,
          `${figures.peakRssMib} MiB of memory at most (goal ${MOST_RSS_MIB})`,
        ].join(', '),
      ]),
    ],
    values.json,
  );
  const wrong = formats.filter(({ rows, peakRssMib }) => rows !== settlements || peakRssMib > MOST_RSS_MIB);
  for (const { format } of wrong) {
    process.stderr.write(`${format} left rows out, or took more memory than it may\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
