/** A content that is larger than the limit of the disk, with the built program: kills, `play --out`, `status`. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectOneLine,
  run,
  type Service,
  spawnCli,
  spawnNode,
  startNode,
  startService,
} from '../helpers/cli.ts';
import { useCliRoot } from '../helpers/cli-root.ts';
import { MIB } from '../helpers/devnet.ts';
import { piecesOnDisk, watchDisk } from '../helpers/disk.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { waitFor } from '../helpers/wait.ts';

const LIMIT = 16 * MIB;
const SIZE = 40 * MIB - 1_000;

const root = useCliRoot();
let validator: Service;
let original: string;
let contentId: string;
const ids = { small: '' };

beforeAll(async () => {
  validator = await startService('validator', '--data-dir', join(root, 'validator'));
  const dir = join(root, 'provider');
  await startNode(dir, '--join', validator.ready);
  const imported = async (path: string) => (await run(['import', path, '--data-dir', dir])).stdout.trim();
  original = await makeFile(join(root, 'film.bin'), SIZE, 'film');
  contentId = await imported(original);
  ids.small = await imported(await makeFile(join(root, 'small.bin'), 14 * MIB, 'small'));
});

/** A viewer with a limit of 16 MiB in a folder of its own. */
async function viewer<S extends Service>(start: (dir: string, ...args: string[]) => Promise<S>) {
  const dir = mkdtempSync(join(root, 'viewer-'));
  const node = await start(dir, '--join', validator.ready);
  const set = await run(['settings', 'set', 'cache', '16MiB', '--data-dir', dir]);
  expect(set).toMatchObject({ code: 0, stderr: '' });
  return { dir, pieces: join(dir, 'pieces'), node };
}

const address = (node: Service) => new URL(`/content/${contentId}`, node.ready).href;

/** Reads until so many bytes are here, or all. */
async function read(node: Service, start: number, bytes: number): Promise<Buffer> {
  const response = await fetch(address(node), { headers: { range: `bytes=${start}-` } });
  expect(response.status).toBe(206);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    parts.push(part);
    length += part.byteLength;
    if (length >= bytes) break;
  }
  return Buffer.concat(parts);
}

const hashOf = (...parts: Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

describe('a node with a content that does not fit', () => {
  it('that is killed in the middle goes on from what it had, and checks only what was not flushed', {
    tags: 'long',
  }, async () => {
    const { dir, pieces, node } = await viewer(spawnNode);
    const disk = watchDisk(pieces);
    const begin = await read(node, 0, 25 * MIB);
    const closed = once(node.child, 'close');
    node.child.kill('SIGKILL');
    await closed;
    expect(disk.peak()).toBeLessThanOrEqual(LIMIT);
    // What a kill may leave: a piece that nobody booked, and half of another.
    const folder = join(pieces, `${contentId}.loose`);
    writeFileSync(join(folder, '0'), 'stale');
    writeFileSync(join(folder, '1.7'), 'half');
    const again = await startNode(dir, '--join', validator.ready);
    const diskAgain = watchDisk(pieces);
    expect(existsSync(join(folder, '0'))).toBe(false);
    expect(existsSync(join(folder, '1.7'))).toBe(false);
    const rest = await read(again, begin.byteLength, Number.POSITIVE_INFINITY);
    expect(hashOf(begin, rest)).toBe(await sha256OfFile(original));
    expect(diskAgain.peak()).toBeLessThanOrEqual(LIMIT);
    const { traffic } = JSON.parse((await run(['status', '--json', '--data-dir', dir])).stdout);
    // One window was ahead of the player at most, and what came at the kill.
    expect(traffic.downBytes).toBeLessThanOrEqual(SIZE + 16 * MIB);
    // A jump back plays, too.
    expect(hashOf((await read(again, 0, MIB)).subarray(0, MIB))).toBe(
      hashOf(readFileSync(original).subarray(0, MIB)),
    );
    expect(piecesOnDisk(pieces)).toBeLessThanOrEqual(LIMIT);
    expect(await again.stop()).toBe(0);
    // Closed in good order, nothing is checked, and nothing lost.
    const before = readdirSync(folder);
    const third = await startNode(dir, '--join', validator.ready);
    expect(readdirSync(folder)).toEqual(before);
    expect(await third.stop()).toBe(0);
  });

  it('writes all of it out, and says what it means that it does not fit', async () => {
    const { dir, pieces, node } = await viewer(startNode);
    const disk = watchDisk(pieces);
    const out = join(dir, 'out.bin');
    const ended = await run(['play', contentId, '--out', out, '--data-dir', dir]);
    expect(ended).toMatchObject({ code: 0, stdout: `${out}\n` });
    expect(ended.stderr).toBe(
      '"film.bin" (40 MiB) does not fit within the disk limit of 16 MiB: it is fetched as it is read, and what is read again is paid again.\n',
    );
    expect(await sha256OfFile(out)).toBe(await sha256OfFile(original));
    expect(disk.peak()).toBeLessThanOrEqual(LIMIT);
    await node.stop();
  });

  it('says in its status what is fetched, and that it does not fit', { tags: 'long' }, async () => {
    const { dir, node } = await viewer(startNode);
    const response = await fetch(address(node));
    await waitFor('some is here', () => piecesOnDisk(join(dir, 'pieces')) > 4 * MIB);
    const { stdout } = await run(['status', '--data-dir', dir]);
    expect(stdout).toMatch(/^Fetching +"film\.bin": [\d.]+ MiB of 40 MiB here.* from 1 peer, fetching$/m);
    expect(stdout).toMatch(/^ +"film\.bin" \(40 MiB\) does not fit within the disk limit of 16 MiB: /m);
    await response.body?.cancel();
    await waitFor('nothing is fetched', async () => {
      return !(await run(['status', '--data-dir', dir])).stdout.includes('Fetching');
    });
    await node.stop();
  });

  it('fails in one line while what is pinned leaves no room, and leaves no half file', {
    tags: 'long',
  }, async () => {
    const { dir, node } = await viewer(startNode);
    const kept = join(dir, 'small.bin');
    expect((await run(['play', ids.small, '--out', kept, '--data-dir', dir])).code).toBe(0);
    expect((await run(['pin', ids.small, '--data-dir', dir])).code).toBe(0);
    const out = join(dir, 'out.bin');
    const ended = await run(['play', contentId, '--out', out, '--data-dir', dir]);
    expectOneLine(ended, /"film\.bin" \(40 MiB\) does not fit: the limit is 16 MiB/);
    expect(readdirSync(dir).filter((name) => name.startsWith('out.bin'))).toEqual([]);
    await node.stop();
  });
});

describe('ace-node play --out that was killed', () => {
  it('leaves a half file, which the next one removes and names; a running one’s is left alone', {
    tags: 'long',
  }, async () => {
    const { dir, node } = await viewer(startNode);
    await run(['settings', 'set', 'download', '4MiB', '--data-dir', dir]);
    const out = join(dir, 'out.bin');
    const partials = () => readdirSync(dir).filter((name) => name.endsWith('.part'));
    const play = ['play', ids.small, '--out', out, '--data-dir', dir];
    const killed = spawnCli(play);
    await waitFor('the half file', () => partials().length === 1);
    killed.kill('SIGKILL');
    await once(killed, 'close');
    const [left = ''] = partials();
    expect(left).not.toBe('');
    const running = run(play);
    await waitFor('it is removed', () => partials().length === 1 && partials()[0] !== left);
    const [held] = partials();
    const other = run([...play]);
    await waitFor('there are two', () => partials().length === 2);
    expect(partials()).toContain(held);
    await run(['settings', 'set', 'download', 'none', '--data-dir', dir]);
    const ended = await running;
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe(`Removed ${left}, which a stopped command had left half written.\n`);
    expect((await other).code).toBe(0);
    expect(await sha256OfFile(out)).toBe(await sha256OfFile(join(root, 'small.bin')));
    expect(partials()).toEqual([]);
    await node.stop();
  });
});
