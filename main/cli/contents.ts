import { formatBytes } from '../../shared/format-bytes.ts';
import type { AccessView, ContentView } from '../../shared/rpc/content.ts';
import { isOnAir, type LiveView } from '../../shared/rpc/live.ts';
import { shownName } from '../../shared/shown-name.ts';
import { parseContentId } from '../content/transport-file.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { type NodeConnection, openExisting } from './node-connection.ts';

/** `ace-node contents [--json]`: what the node knows, oldest first. */
export async function contentsCommand(config: NodeConfig, json: boolean): Promise<void> {
  await withConnection(config, async (connection) => {
    const contents = await connection.call('contents', {});
    if (json) return JSON.stringify(contents, null, 2);
    return contents.length > 0
      ? contents.map(describe).join('\n')
      : 'Nothing here yet: import or play something.';
  });
}

/** `ace-node delete ID [--force]` */
export async function deleteCommand(config: NodeConfig, contentId: string, force: boolean): Promise<void> {
  await withConnection(config, async (connection) => {
    await connection.call('deleteContent', { contentId: parseContentId(contentId), force });
    return 'Deleted.';
  });
}

/** `ace-node pin ID`, `ace-node unpin ID` */
export async function pinCommand(config: NodeConfig, contentId: string, pinned: boolean): Promise<void> {
  await withConnection(config, async (connection) => {
    const content = await connection.call('pinContent', { contentId: parseContentId(contentId), pinned });
    return `${shownName(content.name)} is ${pinned ? 'pinned' : 'not pinned any more'}.`;
  });
}

/** `ace-node pause ID`, `ace-node resume ID` */
export async function pauseCommand(config: NodeConfig, contentId: string, paused: boolean): Promise<void> {
  await withConnection(config, async (connection) => {
    const content = await connection.call('pauseContent', { contentId: parseContentId(contentId), paused });
    return `${shownName(content.name)} is ${paused ? 'not shared until ace-node resume' : 'shared again'}.`;
  });
}

async function withConnection(
  config: NodeConfig,
  ask: (connection: NodeConnection) => Promise<string>,
): Promise<void> {
  const connection = await openExisting(config);
  try {
    process.stdout.write(`${await ask(connection)}\n`);
  } finally {
    await connection.close();
  }
}

const TROUBLES = {
  changed: 'NOT SHARED: the file was changed after its import, import it again',
  missing: 'NOT SHARED: the file is gone',
} as const;

function describe(content: ContentView): string {
  const { haveBytes, sizeBytes, live } = content;
  const size = formatBytes(sizeBytes);
  const here = haveBytes === sizeBytes ? size : `${formatBytes(haveBytes)} of ${size}`;
  const marks = [
    live ? liveState(live) : here,
    ...(content.access ? [accessState(content.access)] : []),
    ...(content.pinned ? ['pinned'] : []),
    ...(content.sourcePath === null ? [] : [`in ${shownName(content.sourcePath)}`]),
    ...(content.paused ? ['NOT SHARED: paused'] : []),
    ...(content.trouble ? [TROUBLES[content.trouble]] : []),
  ];
  return `${content.contentId}  ${shownName(content.name)} (${marks.join('; ')})`;
}

const ACCESS_STATES = {
  own: '',
  open: ', bought',
  needed: ', not bought',
  expired: ', bought before, has ended',
} as const;

function accessState({ priceXac, state }: AccessView): string {
  return `access ${priceXac} XAC${ACCESS_STATES[state]}`;
}

function liveState(live: LiveView): string {
  if (live.ended) return 'live, has ended';
  if (isOnAir(live, Date.now())) return 'live';
  const { heardAtMs } = live;
  return heardAtMs === null ? 'broadcast' : `broadcast, last heard of ${new Date(heardAtMs).toISOString()}`;
}
