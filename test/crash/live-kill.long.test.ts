/** A broadcaster that is killed while its encoder pushes: the broadcast goes on, and so do those who watch it. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { killStarted, run, spawnService } from '../helpers/cli.ts';
import { useDevnet } from '../helpers/devnet.ts';
import { decode, Encoder, hasFfmpeg } from '../helpers/encoder.ts';
import { liveNode, sequencesOf } from '../helpers/live-node.ts';
import { waitFor } from '../helpers/wait.ts';

afterAll(killStarted);

it.skipIf(!hasFfmpeg)(
  'killed in the middle of a segment, it goes on with the next number, and viewers go on by themselves',
  async () => {
    const net = await useDevnet();
    const dataDir = join(net.dir, 'broadcaster');
    const port = await freePort();
    const join_ = ['--join', net.validator.multiaddr];
    const startBroadcaster = () =>
      spawnService('start', '--headless', '--data-dir', dataDir, '--http-port', String(port), ...join_);
    const first = await startBroadcaster();
    const said = await run(['broadcast', '--name', 'Harbour', '--data-dir', dataDir]);
    const [id = '', pushUrl = ''] = said.stdout.trim().split('\n');
    expect(pushUrl).toContain(`http://127.0.0.1:${port}/broadcast/${id}/`);
    expect(said.stderr).toContain(`ffmpeg -re`);
    const encoder = new Encoder({ target: pushUrl });
    onTestFinished(() => encoder.stop());

    const viewer = await liveNode(net, 'viewer');
    await viewer.call('play', { contentId: id });
    const newest = () => viewer.peer.live.book.window(id).at(-1)?.sequence ?? -1;
    const watching = setInterval(() => void fetch(viewer.manifest(id)).catch(() => undefined), 1_000);
    onTestFinished(() => clearInterval(watching));
    await waitFor('some segments', () => newest() >= 3);

    // The encoder pushes all the time: a segment is always under way.
    first.child.kill('SIGKILL');
    await delay(2_500); // longer than a segment, so that one is lost for good
    const before = newest();
    const second = await startBroadcaster();
    await waitFor('the broadcast goes on', () => newest() >= before + 4, 60_000);
    expect(encoder.running, encoder.said).toBe(true);

    const window = viewer.peer.live.book.window(id);
    expect(window.map(({ sequence }) => sequence)).toEqual(window.map((_, i) => i));
    const jumps = window.filter((r, i) => i > 0 && r.discontinuities !== window[i - 1]?.discontinuities);
    expect(jumps).toHaveLength(1);
    expect(jumps[0]?.discontinuities).toBe(1);
    expect(viewer.peer.store.liveRecords.contradictions(id)).toEqual([]);
    const text = await (await fetch(viewer.manifest(id))).text();
    expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(1);
    expect(await sequencesOf(viewer.manifest(id))).toContain(before + 3);
    const { frames } = await decode(viewer.manifest(id), 3);
    expect(frames).toBeGreaterThanOrEqual(50);
    expect((await run(['broadcast', '--name', 'Harbour', '--data-dir', dataDir, '--end'])).stdout).toBe(
      `${id}\n`,
    );
    await waitFor('the viewer hears of the end', async () =>
      (await (await fetch(viewer.manifest(id))).text()).includes('#EXT-X-ENDLIST'),
    );
    expect(await second.stop()).toBe(0);
  },
);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
