/** What goes into a node and comes out of it by the command line: `import` and `play`. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectOneLine, run, type Service, spawnCli, startNode, startService } from '../helpers/cli.ts';
import { useCliRoot } from '../helpers/cli-root.ts';
import { MIB } from '../helpers/devnet.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { waitFor } from '../helpers/wait.ts';

const UNKNOWN_ID = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';
const SAMPLE_CLIP = fileURLToPath(new URL('../../resources/sample-clip.mp4', import.meta.url));
const CONTENT_ID_LINE = /^bafyrei[a-z2-7]{52}\n$/;

const root = useCliRoot();
/** A fresh folder: the tests run side by side. */
const newDir = () => mkdtempSync(join(root, 'test-'));

let validator: Service;
let contentId: string;
let original: string;
const CONTENT_BYTES = 5 * MIB + 1;
/** Of the one that shares `contentId`, and of the node that the tests drive. */
const dirs = { provider: join(root, 'provider'), node: join(root, 'node') };

beforeAll(async () => {
  validator = await startService('validator', '--data-dir', join(root, 'validator'));
  await Promise.all(Object.values(dirs).map((dir) => startNode(dir, '--join', validator.ready)));
  original = await makeFile(join(root, 'content.bin'), CONTENT_BYTES);
  contentId = (await run(['import', original, '--data-dir', dirs.provider])).stdout.trim();
});

describe.concurrent('ace-node import', () => {
  it('prints the content id and nothing else, the same for the same file', async () => {
    const path = await makeFile(join(newDir(), 'Фильм с пробелами.bin'), 3 * MIB + 1);
    const first = await run(['import', path, '--data-dir', dirs.node]);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(CONTENT_ID_LINE), stderr: '' });
    expect(await run(['import', path, '--data-dir', dirs.node])).toEqual(first);
    const renamed = await run(['import', path, '--data-dir', dirs.node, '--name', 'Other']);
    expect(renamed.stdout).toMatch(CONTENT_ID_LINE);
    expect(renamed.stdout).not.toBe(first.stdout);
  });

  it.each([
    ['a name that is no UTF-8', (dir: string) => join(dir, 'film\uFFFD.bin'), /its name is not valid UTF-8/],
    ['a missing file', (dir: string) => join(dir, 'gone.bin'), /There is no file .*gone\.bin/],
    [
      'an empty file',
      (dir: string) => {
        writeFileSync(join(dir, 'empty.bin'), '');
        return join(dir, 'empty.bin');
      },
      /empty\.bin is empty/,
    ],
    ['a directory', (dir: string) => dir, /There is neither video nor sound in/],
    [
      'a path through a file',
      (dir: string) => {
        writeFileSync(join(dir, 'plain'), 'x');
        return join(dir, 'plain', 'film.bin');
      },
      /film\.bin cannot be read/,
    ],
  ])('refuses %s in one line', async (_what, path, says) => {
    expectOneLine(await run(['import', path(newDir()), '--data-dir', dirs.node]), says);
  });

  it('refuses a name that leads into a folder', async () => {
    const ended = await run(['import', original, '--data-dir', dirs.node, '--name', '../film.bin']);
    expectOneLine(ended, /name/);
  });
});

describe('ace-node import of a folder and of several files', () => {
  it('imports what is video or sound, names what is not, and goes on after a failure', async () => {
    const dir = newDir();
    mkdirSync(join(dir, 'Season 1'));
    const clip = readFileSync(SAMPLE_CLIP).subarray(0, 200_000);
    writeFileSync(join(dir, 'Season 1', 'Part 10.mp4'), clip);
    writeFileSync(join(dir, 'Season 1', 'Part 2.mp4'), clip.subarray(1));
    writeFileSync(join(dir, 'zero.mp4'), '');
    writeFileSync(join(dir, 'cover.jpg'), 'jpg');
    writeFileSync(join(dir, 'words.srt'), 'srt');
    writeFileSync(join(dir, '.hidden.mp4'), clip);
    const ended = await run(['import', dir, join(dir, 'gone.mp4'), '--data-dir', dirs.node]);
    const lines = ended.stdout.trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^bafyrei[a-z2-7]{52} {2}\//);
    const parts = ['Part 10.mp4', 'Part 2.mp4'].map((name) => join(dir, 'Season 1', name));
    expect(lines.map((line) => line.slice(line.indexOf('/'))).toSorted()).toEqual(parts);
    expect(ended.code).toBe(1);
    for (const said of [
      `Left out: ${join(dir, 'cover.jpg')}: `,
      `Left out: ${join(dir, 'words.srt')}: `,
      `Not imported: ${join(dir, 'zero.mp4')} is empty`,
      `Not imported: ${join(dir, 'gone.mp4')}: There is no file or folder`,
      'ace-node: 2 imported, 2 not',
    ])
      expect(ended.stderr).toContain(said);
  });

  it('gives the same content for the same file, imported by its path or handed over', async () => {
    const byPath = (await run(['import', SAMPLE_CLIP, '--data-dir', dirs.node])).stdout.trim();
    const token = (await run(['token', '--data-dir', dirs.node])).stdout.trim();
    const { url } = JSON.parse(readFileSync(join(dirs.node, 'control.json'), 'utf8')) as { url: string };
    const answer = await fetch(new URL('/import?name=sample-clip.mp4', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: readFileSync(SAMPLE_CLIP),
    });
    expect(await answer.json()).toMatchObject({ contentId: byPath, mimeType: 'video/mp4' });
  });
});

describe.concurrent('ace-node play', () => {
  it('fetches the file through the running node, byte for byte, and prints only where it is', async () => {
    const out = join(newDir(), 'Копия файла.bin');
    const ended = await run(['play', contentId, '--out', out, '--data-dir', dirs.node]);
    expect(ended).toEqual({ code: 0, stdout: `${out}\n`, stderr: '' });
    expect(await sha256OfFile(out)).toBe(await sha256OfFile(original));
    const { traffic } = JSON.parse((await run(['status', '--json', '--data-dir', dirs.node])).stdout);
    expect(traffic.downBytes).toBe(CONTENT_BYTES);
  });

  it('keeps a file that is there, unless it is told to overwrite it', async () => {
    const dir = newDir();
    const out = join(dir, 'there.bin');
    writeFileSync(out, 'mine');
    expectOneLine(await run(['play', contentId, '--out', out, '--data-dir', dirs.node]), /--force/);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    const ended = await run(['play', contentId, '--out', out, '--force', '--data-dir', dirs.node]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(await sha256OfFile(out)).toBe(await sha256OfFile(original));
    expect(readdirSync(dir)).toEqual(['there.bin']);
  });

  it('leaves a file that is named like a half one alone', async () => {
    const dir = newDir();
    const out = join(dir, 'film.bin');
    writeFileSync(`${out}.part`, 'mine');
    const ended = await run(['play', contentId, '--out', out, '--data-dir', dirs.node]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(`${out}.part`, 'utf8')).toBe('mine');
    expect(readdirSync(dir).sort()).toEqual(['film.bin', 'film.bin.part']);
  });

  it('takes a name that has no room for an ending of ours', async () => {
    const dir = newDir();
    for (const name of [`${'n'.repeat(236)}.bin`, `${'ф'.repeat(125)}.bin`, 'n'.repeat(255)]) {
      const out = join(dir, name);
      const ended = await run(['play', contentId, '--out', out, '--data-dir', dirs.node]);
      expect(ended).toEqual({ code: 0, stdout: `${out}\n`, stderr: '' });
    }
    expect(readdirSync(dir)).toHaveLength(3);
  });

  it('writes to standard output, and says nothing else there', async () => {
    const child = spawnCli(['play', contentId, '--out', '-', '--data-dir', dirs.node]);
    const hash = createHash('sha256');
    child.stdout?.on('data', (bytes: Buffer) => hash.update(bytes));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(hash.digest('hex')).toBe(await sha256OfFile(original));
    expect(existsSync('-')).toBe(false);
  });

  it('takes ~/ and file addresses for what they mean', async () => {
    const dir = newDir();
    const args = ['play', contentId, '--out', pathToFileURL(join(dir, 'a b.bin')).href];
    const ended = await run([...args, '--data-dir', dirs.node]);
    expect(ended).toMatchObject({ code: 0, stdout: `${join(dir, 'a b.bin')}\n` });
    const missing = await run(['status', '--data-dir=~/ace-node folder that is not there']);
    expectOneLine(missing, `There is no node in ${join(homedir(), 'ace-node folder that is not there')}`);
  });

  it('prints an address that plays', async () => {
    const { code, stdout, stderr } = await run(['play', `ace://${contentId}`, '--data-dir', dirs.node]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/content\/\S+\n$/);
    const response = await fetch(stdout.trim(), { headers: { range: 'bytes=0-9' } });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(readFileSync(original).subarray(0, 10));
  });

  it.each([
    ['that is none', 'nonsense!', /content id/],
    ['of another kind', 'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n', /content/],
    ['that nobody has', UNKNOWN_ID, /Nobody who has this content/],
  ])('refuses a content id %s and leaves no file', async (_what, id, says) => {
    const dir = newDir();
    const ended = await run(['play', id, '--out', join(dir, 'out.bin'), '--data-dir', dirs.node]);
    expectOneLine(ended, says);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('into a folder that is missing says so in one line', async () => {
    const out = join(newDir(), 'missing', 'out.bin');
    expectOneLine(await run(['play', contentId, '--out', out, '--data-dir', dirs.node]), /missing/);
  });

  it('over a folder fails in one line and leaves no half file', async () => {
    const dir = newDir();
    mkdirSync(join(dir, 'folder'));
    const args = ['play', contentId, '--out', join(dir, 'folder'), '--force', '--data-dir', dirs.node];
    expectOneLine(await run(args), /folder/);
    expect(readdirSync(dir)).toEqual(['folder']);
  });

  it('leaves no half file when it is interrupted, nor when the node ends in the middle', async () => {
    // A content that nobody can complete: its only provider has gone.
    const dir = newDir();
    const [dataDir, goneDir] = [join(dir, 'data'), join(dir, 'gone')];
    const file = await makeFile(join(dir, 'gone.bin'), 2 * MIB, 'gone');
    const [viewer, gone] = await Promise.all([
      startNode(dataDir, '--join', validator.ready),
      startNode(goneDir, '--join', validator.ready),
    ]);
    const id = (await run(['import', file, '--data-dir', goneDir])).stdout.trim();
    expect((await run(['play', id, '--data-dir', dataDir])).code).toBe(0); // the transport file is there
    await gone.stop();
    const out = join(dir, 'out.bin');
    const partials = () => readdirSync(dir).filter((name) => name.endsWith('.part'));
    const play = ['play', id, '--out', out, '--data-dir', dataDir];

    const interrupted = spawnCli(play);
    const closed = once(interrupted, 'close');
    await waitFor('the half file', () => partials().length > 0);
    interrupted.kill('SIGINT');
    await closed;
    expect(interrupted.exitCode).toBe(1);
    expect([existsSync(out), partials()]).toEqual([false, []]);

    const playing = run(play);
    await waitFor('the half file', () => partials().length > 0);
    await viewer.stop();
    expectOneLine(await playing, /The node stopped before all was there/);
    expect([existsSync(out), partials()]).toEqual([false, []]);
  });
});
