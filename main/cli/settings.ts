import { formatBytes } from '../../shared/format-bytes.ts';
import type { SettingsView } from '../../shared/rpc/rpc.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { openExisting } from './node-connection.ts';
import { parseSetting, settingKey, settingLines } from './setting-values.ts';

/** `ace-node settings get [NAME] [--json]` */
export async function getSettingsCommand(
  config: NodeConfig,
  name: string | undefined,
  json: boolean,
): Promise<void> {
  const key = name === undefined ? null : settingKey(name);
  const connection = await openExisting(config);
  try {
    const view = await connection.call('settings', {});
    const shown = key === null ? view : view.settings[key];
    process.stdout.write(`${json ? JSON.stringify(shown, null, 2) : describe(view, name)}\n`);
  } finally {
    await connection.close();
  }
}

/** `ace-node settings set NAME VALUE` */
export async function setSettingCommand(config: NodeConfig, name: string, value: string): Promise<void> {
  const changes = parseSetting(name, value);
  const connection = await openExisting(config);
  try {
    process.stdout.write(`${describe(await connection.call('setSettings', changes), name)}\n`);
  } finally {
    await connection.close();
  }
}

function describe({ settings, stops, dataUsed, spent, cacheUsedBytes }: SettingsView, name?: string): string {
  const lines = settingLines(settings).filter(([setting]) => name === undefined || setting === name);
  const rows = lines.map(([setting, text]) => `${setting.padEnd(18)} ${text}`);
  if (name === undefined) {
    rows.push(
      `On disk: ${formatBytes(cacheUsedBytes)}. Data used: ${formatBytes(dataUsed.dayBytes)} today, ${formatBytes(dataUsed.monthBytes)} this month.`,
      `Spent: ${spent.dayXac} XAC today, ${spent.monthXac} XAC this month, and ${spent.onItsWayXac} XAC on its way.`,
    );
  }
  return [...rows, ...stops.map(({ message }) => `${message}.`)].join('\n');
}
