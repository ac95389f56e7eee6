/** A node that has something to show: funds, a title of its own, and a peer that fetches it and pays. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../main/rpc/ws-client.ts';
import { ROOT } from './browser.ts';
import type { Stage } from './pages.ts';
import { waitFor } from './wait.ts';

/** Slow enough for the charts to have something to draw for as long as the pictures take. */
const UPLOAD_BYTES_PER_SECOND = 100_000;

export async function makeWorld(stage: Stage): Promise<{ readonly address: string }> {
  const folder = stage.temporaryDir();
  const { address } = await stage.start(folder);
  const node = await clientOf(folder);
  await node.call('topUp', { amountXat: '2.31' });
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
  await waitFor('the peer pays', async () => (await node.call('snapshot', {})).traffic.upBytes > 0, 30_000);
  await Promise.all([node.close(), peer.close()]);
  return { address };
}

/** Drives a running node as the command line does. */
export function clientOf(dataDir: string) {
  const { url, token } = JSON.parse(readFileSync(join(dataDir, 'control.json'), 'utf8')) as {
    url: string;
    token: string;
  };
  return connect(url, token);
}
