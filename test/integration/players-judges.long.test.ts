/** Programs that people play with are the judges: they play and seek in a video that comes from another peer. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { Devnet, joinedNode, MIB, type TestPeer } from '../helpers/devnet.ts';
import { sha256OfFile } from '../helpers/files.ts';
import { findProgram, makeVideo, runProgram } from '../helpers/media.ts';

const SECONDS = 60;
const [ffmpeg, ffprobe, mpv, curl] = ['ffmpeg', 'ffprobe', 'mpv', 'curl'].map(findProgram);

let net: Devnet;
let provider: TestPeer;
let node: RunningNode;
let master: string;
let copies = 0;

beforeAll(async () => {
  if (!ffmpeg) return;
  net = await Devnet.start();
  provider = await net.peer('provider');
  node = await startNode(joinedNode(net));
  // More than is fetched ahead of a reader, so that a jump to its end leaves a gap.
  master = await makeVideo(join(net.dir, 'master.mp4'), { seconds: SECONDS, bitrate: '5M' });
});

afterAll(async () => {
  await node?.stop();
  await net?.stop();
});

/** The same film in another file, so that every test has one that this node has nothing of. */
async function film(extension: string): Promise<{ id: string; path: string; sizeBytes: number }> {
  const path = join(net.dir, `film-${++copies}.${extension}`);
  const mark = ['-metadata', `comment=copy ${copies}`, '-metadata', `service_name=copy ${copies}`];
  await runProgram(ffmpeg ?? '', [
    ...['-loglevel', 'error', '-nostdin', '-i', master, '-c', 'copy', ...mark],
    path,
  ]);
  const { contentId } = await provider.import({ path });
  return { id: contentId, path, sizeBytes: statSync(path).size };
}

const at = (path: string) => new URL(path, node.http.url).href;
const received = async (id: string) => (await node.peer.library.transfer(id)).receivedBytes;

describe.skipIf(!ffmpeg || !ffprobe)('ffmpeg', () => {
  it.each(['mkv', 'mp4', 'ts'])(
    'ffprobe tells streams and length of a .%s at getstream',
    async (extension) => {
      const { id, sizeBytes } = await film(extension);
      const url = at(`/ace/getstream?content_id=${id}`);
      const args = ['-v', 'error', '-show_entries', 'format=duration:stream=codec_name', '-of', 'json', url];
      const { code, stdout, stderr } = await runProgram(ffprobe ?? '', args);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const told = JSON.parse(stdout) as { streams: { codec_name: string }[]; format: { duration: string } };
      expect(told.streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
      expect(Math.abs(Number(told.format.duration) - SECONDS)).toBeLessThan(0.5);
      expect(await received(id), 'only what was looked at was fetched').toBeLessThan(sizeBytes - 2 * MIB);
    },
  );

  it.each(['mp4', 'mkv'])('seeks in a .%s, and gets the frames of that place', async (extension) => {
    const { id, path, sizeBytes } = await film(extension);
    const args = (input: string) => [
      ...['-v', 'error', '-nostdin', '-ss', '50', '-i', input],
      ...['-frames:v', '10', '-an', '-f', 'framemd5', '-'],
    ];
    const [ours, theirs] = [
      await runProgram(ffmpeg ?? '', args(at(`/content/${id}`))),
      await runProgram(ffmpeg ?? '', args(path)),
    ];
    expect(ours.stderr).toBe('');
    expect(ours.stdout).toBe(theirs.stdout);
    expect(ours.stdout.split('\n').filter((line) => line.startsWith('0,'))).toHaveLength(10);
    expect(await received(id)).toBeLessThan(sizeBytes - 2 * MIB);
  });

  it.each(['mp4', 'ts'])('plays all of a .%s from /ace/manifest.m3u8', async (extension) => {
    const { id, path } = await film(extension);
    const args = (input: string) => ['-v', 'error', '-nostdin', '-i', input, '-map', '0', '-f', 'null', '-'];
    const { code, stderr } = await runProgram(ffmpeg ?? '', args(at(`/ace/manifest.m3u8?content_id=${id}`)));
    expect(stderr).toBe('');
    expect(code).toBe(0);
    await node.peer.library.transfer(id);
    const whole = await fetch(at(`/content/${id}`));
    expect(Buffer.from(await whole.arrayBuffer()).equals(readFileSync(path))).toBe(true);
  });
});

describe.skipIf(!ffmpeg || !mpv)('mpv', () => {
  const play = (url: string, ...args: string[]) =>
    runProgram(mpv ?? '', [
      ...['--no-config', '--vo=null', '--ao=null', '--untimed', '--no-audio', '--msg-level=all=warn'],
      ...['--term-playing-msg=playing \x24{duration}', '--msg-level=cplayer=info', ...args],
      url,
    ]);

  it.each([
    ['a .mkv at getstream', 'mkv', '/ace/getstream?content_id='],
    ['a .mp4 at getstream', 'mp4', '/ace/getstream?content_id='],
    ['a .mp4 at manifest.m3u8', 'mp4', '/ace/manifest.m3u8?content_id='],
    ['a .ts at manifest.m3u8', 'ts', '/ace/manifest.m3u8?content_id='],
  ])('plays %s to its end', async (_what, extension, path) => {
    const { id } = await film(extension);
    const { code, stdout, stderr } = await play(at(path + id));
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('playing 00:01:00');
    expect(stdout).toContain('End of file');
  });

  it('jumps to near the end without fetching what is between', async () => {
    const { id, sizeBytes } = await film('mp4');
    const { code, stdout, stderr } = await play(at(`/content/${id}`), '--start=55', '--cache=no');
    expect(code, stdout + stderr).toBe(0);
    expect(await received(id)).toBeLessThan(sizeBytes - 2 * MIB);
  });

  it('plays the .m3u of a content', async () => {
    const { id } = await film('mp4');
    const { code, stdout, stderr } = await play(at(`/content/${id}.m3u`), '--start=55');
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('playing 00:01:00');
  });
});

describe.skipIf(!ffmpeg || !curl)('curl', () => {
  it('takes up a download where it broke off', async () => {
    const { id, path } = await film('mp4');
    const out = join(net.dir, 'broken-off.mp4');
    const get = (...args: string[]) =>
      runProgram(curl ?? '', ['-sS', '-f', '-o', out, ...args, at(`/content/${id}?download=1`)]);
    expect((await get('-r', '0-3000000')).code).toBe(0);
    expect(statSync(out).size).toBe(3_000_001);
    expect((await get('-C', '-')).code).toBe(0);
    expect(await sha256OfFile(out)).toBe(await sha256OfFile(path));
  });

  it('saves under the name of the content', async () => {
    const path = join(net.dir, 'plain-name.mp4');
    await runProgram(ffmpeg ?? '', ['-loglevel', 'error', '-t', '1', '-i', master, '-c', 'copy', path]);
    const { contentId } = await provider.import({ path });
    const args = ['-sS', '-f', '-OJ', '--output-dir', join(net.dir, 'node')];
    const { code } = await runProgram(curl ?? '', [...args, at(`/content/${contentId}?download=1`)]);
    expect(code).toBe(0);
    expect(await sha256OfFile(join(net.dir, 'node', 'plain-name.mp4'))).toBe(await sha256OfFile(path));
  });
});
