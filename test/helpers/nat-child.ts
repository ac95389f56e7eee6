/**
 * One role inside a network namespace. It says what it does on stdout, a line each:
 *
 *   nat-child.ts validator DIR LISTEN
 *   nat-child.ts provider DIR SHARD_MULTIADDR SIZE_BYTES
 *   nat-child.ts viewer DIR SHARD_MULTIADDR CONTENT_ID PORT [ANNOUNCE]
 */
import { mkdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import { isDirect } from '../../main/p2p/direct.ts';
import { type RunningPeer, startPeer } from '../../main/peer/peer.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { CRASH_PROFILE } from './role-process.ts';

const say = (line: string) => writeSync(1, `${line}\n`);
const [role, dir = '', where = '', what = '', port = '0', announce] = process.argv.slice(2);
const stopWith = (stop: () => Promise<void>) =>
  process.once('SIGTERM', () => void stop().then(() => process.exit(0)));

if (role === 'validator') {
  const validator = await runDevnetValidator({
    dataDir: dir,
    port: 0,
    listen: [where],
    profile: CRASH_PROFILE,
  });
  stopWith(() => validator.stop());
  say(`ready ${validator.multiaddr}`);
} else {
  mkdirSync(dir, { recursive: true });
  const peer = await startPeer({
    dataDir: new DataDir(dir),
    shardMultiaddr: where,
    p2pPort: Number(port),
    ...(announce && { announce: [announce] }),
    // No router answers, and nobody else is on the LAN.
    reach: { upnp: false, mdns: false },
    // A test that fails shows what both of them had to say.
    log: pino({ level: 'warn', base: null }, pino.destination({ dest: 2, sync: true })),
  });
  stopWith(() => peer.stop());
  if (role === 'provider') await provide(peer, Number(what));
  else await view(peer, what);
}

async function provide(peer: RunningPeer, sizeBytes: number): Promise<void> {
  const path = join(dir, 'content.bin');
  writeFileSync(path, Buffer.alloc(sizeBytes, 7));
  const { contentId } = await peer.import({ path });
  say(`content ${contentId}`);
  setInterval(() => {
    const addresses = peer.host.getMultiaddrs().map(String);
    const relayed = addresses.find((text) => text.includes('/p2p-circuit'));
    if (relayed) say(`relayed ${relayed}`);
    say(`paid ${peer.store.payeeChannels.paidUnits()}`);
  }, 200);
}

async function view(peer: RunningPeer, contentId: string): Promise<void> {
  setInterval(() => {
    const connections = peer.host.getConnections();
    say(`connected ${connections.filter(isDirect).length} ${connections.filter((c) => !isDirect(c)).length}`);
  }, 200);
  for (let attempt = 1; ; attempt++) {
    try {
      const transfer = await peer.library.transfer(contentId);
      transfer.download();
      setInterval(() => say(`have ${transfer.haveBytes} ${transfer.paidUnits} ${transfer.state}`), 200);
      return;
    } catch (error) {
      say(`failed ${attempt} ${String((error as { code?: string }).code)}`);
    }
  }
}
