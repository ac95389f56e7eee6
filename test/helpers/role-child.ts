/**
 * One role in a process of its own, for tests that kill it. It says what it does on stdout, a line each:
 *
 *   node test/helpers/role-child.ts validator DIR PORT [SHARDS]
 *   node test/helpers/role-child.ts shard DIR CHAIN_MULTIADDR
 *   node test/helpers/role-child.ts peer DIR SHARD_MULTIADDR [import FILE | fetch CONTENT_ID]
 */
import { mkdirSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import { startPeer } from '../../main/peer/peer.ts';
import { createLog } from '../../main/process/log.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { runShardValidator } from '../../main/validator/shard-process.ts';
import { isAceError } from '../../shared/errors.ts';
import { CRASH_PROFILE } from './role-process.ts';

// Written at once, not when the event loop gets to it: the parent kills by what it reads here.
const say = (line: string) => writeSync(1, `${line}\n`);

const [role, dir = '', where = '', action, what = ''] = process.argv.slice(2);

if (role === 'validator') {
  const profile = { ...CRASH_PROFILE, shards: Number(action ?? 1) };
  const validator = await runDevnetValidator({ dataDir: dir, port: Number(where), profile });
  process.once('SIGTERM', () => void validator.stop().then(() => process.exit(0)));
  say(`ready ${validator.multiaddr}`);
} else if (role === 'shard') {
  const shard = await runShardValidator({ dataDir: dir, port: 0, chainMultiaddr: where });
  process.once('SIGTERM', () => void shard.stop().then(() => process.exit(0)));
  say(`ready ${shard.multiaddr}`);
} else {
  mkdirSync(dir, { recursive: true });
  const peer = await startPeer({
    dataDir: new DataDir(dir),
    shardMultiaddr: where,
    p2pPort: 0,
    log: createLog(null),
  });
  process.once('SIGTERM', () => void peer.stop().then(() => process.exit(0)));
  if (action === 'import') say(`imported ${(await peer.import({ path: what })).contentId}`);
  say(`account ${peer.account.address}`);
  say(`ready ${peer.host.getMultiaddrs()[0]}`);
  /** The provider may have to announce itself anew first. */
  const found = async (contentId: string) => {
    for (;;) {
      try {
        return await peer.library.transfer(contentId);
      } catch (error) {
        if (!isAceError(error, 'NoProviders') && !isAceError(error, 'ShardUnavailable')) throw error;
        await delay(100);
      }
    }
  };
  if (action === 'fetch') {
    const transfer = await found(what);
    transfer.download();
    let told = -1;
    const telling = setInterval(() => {
      if (transfer.haveBytes === told) return;
      told = transfer.haveBytes;
      say(`have ${told}`);
      if (transfer.state !== 'done') return;
      clearInterval(telling);
      void peer.library.stopTransfer(what).then(() => say(`done ${transfer.doubledPieces}`));
    }, 1);
  }
}
