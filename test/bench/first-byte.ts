/**
 * How long a player waits for its first byte, from the moment it asks: with a session ready, with a connection alone,
 * and for a content of which only the id is known. Provider and shard are 50 ms away, each way, behind proxies. Prints
 * a line for each, in milliseconds. Nothing here is asserted on time.
 *
 *   node test/bench/first-byte.ts [--json]
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningPeer } from '../../main/peer/peer.ts';
import { IDLE_CLOSE_MS } from '../../main/transfer/stream-pool.ts';
import { Devnet, MIB } from '../helpers/devnet.ts';
import { farFrom } from '../helpers/far-proxy.ts';
import { median, tell } from './report.ts';

const ROUNDS = 5;
const ONE_WAY_MS = 50;
const never = new AbortController().signal;

const net = await Devnet.start();
try {
  const provider = await net.peer('provider');
  const shard = await farFrom(net.validator.multiaddr, ONE_WAY_MS);
  const far = await farFrom(String(provider.host.getMultiaddrs()[0]), ONE_WAY_MS);
  net.owns(async () => {
    await far.close();
    await shard.close();
  });
  const viewer = await net.peer('viewer', undefined, undefined, shard.multiaddr);
  const contents: string[] = [];
  const content = async (name: string) => {
    contents.push((await net.content(provider, 8 * MIB, name)).contentId);
    await provider.shardClient.call('announce', {
      certificate: provider.certificate,
      contentIds: contents,
      multiaddrs: [far.multiaddr],
    });
    return contents.at(-1) ?? '';
  };
  const ready: number[] = [];
  const connected: number[] = [];
  const unknown: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second, third] = [
      await content(`r${round}`),
      await content(`c${round}`),
      await content(`u${round}`),
    ];
    await viewer.library.resolve(second, 'offered');
    await viewer.library.transfer(first);
    await delay(2_000);
    ready.push(await firstPieceMs(viewer, first));
    await viewer.library.stopTransfer(first);
    connected.push(await firstPieceMs(viewer, second));
    await viewer.library.stopTransfer(second);
    unknown.push(await firstPieceMs(viewer, third));
    await viewer.library.stopTransfer(third);
    await delay(IDLE_CLOSE_MS / 8);
  }
  const line = (samples: number[]) => `${median(samples)} ms (${samples.join(', ')})`;
  tell(
    { ready, connected, unknown },
    [
      ['session and channel ready', line(ready)],
      ['connected, no session', line(connected)],
      ['connected, content unknown', line(unknown)],
    ],
    process.argv.includes('--json'),
  );
} finally {
  await net.stop();
}

/** From asking for the content to its first piece being here, whole and paid. */
async function firstPieceMs(viewer: RunningPeer, contentId: string): Promise<number> {
  const fromMs = performance.now();
  const transfer = await viewer.library.transfer(contentId);
  const reader = transfer.addReader(0);
  await transfer.piece(0, never);
  const tookMs = Math.round(performance.now() - fromMs);
  transfer.removeReader(reader);
  return tookMs;
}
