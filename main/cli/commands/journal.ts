/** `ace-node export`, `journal` */
import type { Command } from 'commander';
import { EXPORT_FORMATS } from '../../../shared/journal/export.ts';
import type { ExportOptions } from '../export.ts';
import { notEmpty } from '../option-values.ts';
import { type CommandContext, type CommonOptions, dataDirOption, ofNode } from './command-context.ts';

export function addJournalCommands(program: Command, context: CommandContext): void {
  program
    .command('export')
    .description('write the journal for another program: every settlement, repayment, operation and fee')
    .requiredOption(
      '--format <format>',
      `one of: ${EXPORT_FORMATS.join(', ')} (ledger reads what hledger reads)`,
      notEmpty,
    )
    .option('--from <date>', 'first day, or moment, in UTC: 2026-11-01, 2026-11-01T18:00:00Z', notEmpty)
    .option('--to <date>', 'last day, or moment, in UTC', notEmpty)
    .option('--out <file>', 'write to this file; - is standard output, as is leaving it out', notEmpty)
    .option('--force', 'overwrite the file', false)
    .option('--bom', 'begin a table with a byte order mark, which some spreadsheets need', false)
    .addOption(dataDirOption())
    .action(async (options: CommonOptions & ExportOptions) => {
      const { exportCommand } = await import('../export.ts');
      await exportCommand(context.configOf(options), options);
    });

  const journal = program.command('journal').description('the double-entry journal of this account');
  const verify = journal
    .command('verify', { isDefault: true })
    .description(
      'make every entry again from its record, add them up, and compare with the node and its shard',
    )
    .option('--json', 'as one JSON object', false);
  ofNode(verify).action(async (options: CommonOptions & { json: boolean }) => {
    const { journalVerifyCommand } = await import('../journal.ts');
    await journalVerifyCommand(context.configOf(options), options.json);
  });
}
