/**
 * Nodes that have something to show: one with funds of all kinds, a title of its own, and a peer that fetches it and
 * pays; and one without funds, which watches on credit.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../main/rpc/ws-client.ts';
import { ROOT } from './browser.ts';
import type { Stage } from './pages.ts';
import { waitFor } from './wait.ts';

/** Slow enough for the charts to have something to draw for as long as the pictures take. */
const UPLOAD_BYTES_PER_SECOND = 100_000;

export interface World {
  /** The pages of the node with funds, and of the one without. */
  readonly address: string;
  readonly owing: string;
}

export async function makeWorld(stage: Stage): Promise<World> {
  const folder = stage.temporaryDir();
  const { address } = await stage.start(folder);
  const node = await clientOf(folder);
  await node.call('topUp', { amountXat: '2.31' });
  await node.call('topUp', { amountXat: '12', place: 'main' });
  await node.call('topUp', { amountXat: '40', token: 'XAB' });
  await node.call('topUp', { amountXat: '3', token: 'XAS' });
  const amountXat = '0.25';
  const { maxXab, expiresAtMs } = await node.call('quoteMint', { amountXat });
  await node.call('mint', { amountXat, maxXab, expiresAtMs });
  const pair = { sell: 'XAT', buy: 'XAC', amount: '0.5' } as const;
  const quote = await node.call('quoteSwap', pair);
  await node.call('swap', {
    ...pair,
    leastReceived: quote.leastReceived,
    expiresAtMs: quote.expiresAtMs,
  });
  const film = join(stage.temporaryDir(), 'Harbour at dawn.mp4');
  copyFileSync(join(ROOT, 'resources/sample-clip.mp4'), film);
  const { contentId } = await node.call('importFile', { path: film });
  const { shard } = await node.call('snapshot', {});

  const peerFolder = stage.temporaryDir();
  await stage.start(peerFolder, ['--join', shard.multiaddr]);
  const peer = await clientOf(peerFolder);
  await peer.call('topUp', { amountXat: '1' });
  await node.call('setSettings', { uploadBytesPerSecond: UPLOAD_BYTES_PER_SECOND });
  await peer.call('play', { contentId, download: true });
  await waitFor('the peer pays', async () => (await node.call('snapshot', {})).traffic.upBytes > 0);

  const owingFolder = stage.temporaryDir();
  const { address: owing } = await stage.start(owingFolder, ['--join', shard.multiaddr]);
  const borrower = await clientOf(owingFolder);
  const sample = await waitFor('the sample clip is offered', async () =>
    (await node.call('contents', {})).find(({ origin }) => origin === 'offered'),
  );
  await borrower.call('play', { contentId: sample.contentId, download: true });
  await waitFor('what was watched is owed', async () => {
    await borrower.call('settleNow', {});
    return (await borrower.call('snapshot', {})).credit.usedUnits > 0;
  });
  await Promise.all([node.close(), peer.close(), borrower.close()]);
  return { address, owing };
}

/** Drives a running node as the command line does. */
export function clientOf(dataDir: string) {
  const { url, token } = JSON.parse(readFileSync(join(dataDir, 'control.json'), 'utf8')) as {
    url: string;
    token: string;
  };
  return connect(url, token);
}
