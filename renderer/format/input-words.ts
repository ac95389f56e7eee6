/** What is wrong with what a person entered, by the reason that the node gives. */
import { m } from '../../shared/i18n/compiled/messages.js';
import { INPUT_REASONS, type InputReason } from '../../shared/input-words.ts';
import { LEAST_RATE_BYTES } from '../../shared/schedule.ts';
import { formatDecimal, formatWhole } from './locale.ts';
import { formatBytes, rateText } from './traffic.ts';

/** @param bound of the field's own unit, as it is written for people */
const REASONS: Readonly<Record<InputReason, (bound: string) => string>> = {
  amount: () => m.error_field_amount({ example: formatDecimal('0.25') }),
  'at-least': (bound) => m.error_field_least({ bound }),
  'at-most': (bound) => m.error_field_most({ bound }),
  'backup-join': () => m.error_field_backup_join(),
  'backup-none': () => m.error_field_backup_none(),
  'characters-at-least': (bound) => m.error_field_characters_least({ bound }),
  'characters-at-most': (bound) => m.error_field_characters_most({ bound }),
  checksum: () => m.error_field_checksum(),
  'costs-nothing': () => m.error_field_costs_nothing(),
  day: () => m.error_field_day(),
  device: () => m.error_field_device(),
  empty: () => m.error_field_empty(),
  'entries-at-least': (bound) => m.error_field_entries_least({ bound }),
  'entries-at-most': (bound) => m.error_field_entries_most({ bound }),
  'file-exists': () => m.error_field_file_exists(),
  'file-is-other': () => m.error_field_file_is_other(),
  'folder-missing': () => m.error_field_folder_missing(),
  form: () => m.error_field_address(),
  name: () => m.error_field_name(),
  nobody: () => m.error_field_nobody(),
  'not-valid': () => m.error_input(),
  'period-reversed': () => m.error_field_period(),
  'rate-least': () => m.error_field_rate({ bound: rateText(LEAST_RATE_BYTES) }),
  'rule-empty': () => m.error_field_rule_empty(),
  'rule-times': () => m.error_field_rule_times(),
  self: () => m.error_field_self(),
  'settlement-unknown': () => m.error_field_settlement(),
  slippage: () => m.error_field_slippage(),
  time: () => m.error_field_time(),
  'top-up-most': () => m.error_field_top_up_most(),
  'too-many-files': (bound) => m.error_field_too_many_files({ bound }),
  unpriced: () => m.error_field_unpriced(),
};

export function inputWords({ field = '', reason, bound }: Readonly<Record<string, string | number>>): string {
  const known = INPUT_REASONS.find((one) => one === reason) ?? 'not-valid';
  return REASONS[known](typeof bound === 'number' ? boundWords(String(field), bound) : '');
}

function boundWords(field: string, bound: number): string {
  if (field.endsWith('BytesPerSecond')) return rateText(bound);
  return field.endsWith('Bytes') ? formatBytes(bound) : formatWhole(bound);
}
