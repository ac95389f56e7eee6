/** What a peer does when a line to a shard comes up, and with what comes over it. */
import { AceError } from '../../shared/errors.ts';
import { checkNetwork, isAway } from '../account/membership.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import type { PeerContent } from './content.ts';
import type { PeerEvents } from './events.ts';
import type { PeerNetwork } from './network.ts';
import type { Payments } from './payments.ts';

export interface ShardLineContext
  extends Pick<PeerNetwork, 'clock' | 'lines' | 'settings' | 'account' | 'shard' | 'shardClient' | 'log'>,
    Pick<Payments, 'sync' | 'claims' | 'reports'>,
    Pick<PeerContent, 'known' | 'announcer' | 'library'> {
  readonly events: PeerEvents;
}

/** Greets the shards whose lines are up, and keeps all lines from now on. @throws AceError `ShardUnavailable`, `WrongNetwork` */
export async function keepShardLines(context: ShardLineContext): Promise<void> {
  const { lines, sync, claims, reports, library, shard, shardClient, log, events } = context;
  lines.on('disconnected', events.changed);
  lines.on('accountChanged', () => {
    sync.changed();
    library.retryAll();
  });
  lines.on('connected', (_, line) => {
    greet(context, line).catch((error: unknown) =>
      log.warn({ err: error }, 'the shard was met, but does not answer as it should'),
    );
    claims.soon();
    reports.soon();
    library.retryAll();
    events.changed();
  });
  for (const [, line] of lines.connected()) {
    await greet(context, line).catch((error: unknown) => {
      if (line === shardClient && !(isAway(error) && sync.picture !== null)) throw error;
      log.warn({ err: error }, 'a shard was met, but does not answer as it should');
    });
  }
  if (!shardClient.connected && sync.picture === null) {
    throw new AceError(
      'ShardUnavailable',
      `Shard ${shard}, the home of this account, cannot be reached: check that it runs, and try again`,
    );
  }
  lines.keepTrying();
}

/** Learns what the shard knows of the network, and announces to it what this peer offers. @throws AceError as the calls do */
async function greet(context: ShardLineContext, line: ShardClient): Promise<void> {
  const { lines, settings, account, shardClient, clock, sync, known, announcer } = context;
  const hello = await line.call('hello', {});
  checkNetwork(hello.settings, settings);
  if (line === shardClient) clock.receive(hello);
  lines.learn(hello.shards);
  known.learn(hello.peers);
  await line.call('watch', { account: account.address });
  if (shardClient.connected) await sync.met();
  await announcer.announceTo(line);
}
