/** `ace-node sales`: access that was sold, by title and day. */
import { shownName } from '../../shared/shown-name.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { openExisting } from './node-connection.ts';
import { print } from './print.ts';

export async function salesCommand(
  config: NodeConfig,
  contentId: string | undefined,
  json: boolean,
): Promise<void> {
  const connection = await openExisting(config);
  try {
    const rows = await connection.call('sales', contentId === undefined ? {} : { contentId });
    if (json) print(JSON.stringify(rows, null, 2));
    else if (rows.length === 0) print('No access was sold yet.');
    else
      print(
        ...rows.map(
          ({ day, name, contentId: id, count, netXac, feeXac }) =>
            `${day}  ${count} × ${shownName(name ?? id)}: ${netXac} XAC, after a fee of ${feeXac} XAC`,
        ),
      );
  } finally {
    await connection.close();
  }
}
