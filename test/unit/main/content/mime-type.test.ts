import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { mimeTypeOf } from '../../../../main/content/mime-type.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const CLIP = fileURLToPath(new URL('../../../../resources/sample-clip.mp4', import.meta.url));

it.each([
  ['film.mp4', 'video/mp4'],
  ['film.TS', 'video/mp2t'],
  ['song.mp3', 'audio/mpeg'],
  ['cover.jpg', 'image/jpeg'],
])('the name says that %s is %s', async (name, type) => {
  const path = join(tempDir(), 'upload.tmp');
  writeFileSync(path, 'anything');
  expect(await mimeTypeOf(path, name, path)).toBe(type);
});

it('the first bytes say it where no name does', async () => {
  const path = join(tempDir(), 'upload');
  copyFileSync(CLIP, path);
  expect(await mimeTypeOf(path, 'My holidays', path)).toBe('video/mp4');
});

it('the path says it where only the content’s own name does not', async () => {
  const path = join(tempDir(), 'a.mkv');
  writeFileSync(path, 'anything');
  expect(await mimeTypeOf(path, 'My holidays', path)).toMatch(/^video\//);
});

it('is unknown of bytes that say nothing', async () => {
  const path = join(tempDir(), 'bytes');
  writeFileSync(path, new Uint8Array(1_000));
  expect(await mimeTypeOf(path, 'bytes', path)).toBe('application/octet-stream');
});
