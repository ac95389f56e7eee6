import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { givenPath } from '../../../../main/util/given-path.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

it('is the home directory of whoever runs it', () => {
  expect(givenPath('~/acedata')).toBe(join(homedir(), 'acedata'));
});

it('is relative to the folder that the command runs in', () => {
  expect(givenPath('a/b')).toBe(join(process.cwd(), 'a', 'b'));
});

it('takes a name that is there as it is, however odd', () => {
  const dir = tempDir();
  for (const name of ['"quoted"', ' spaced ', 'file:', '100%25.mp4']) {
    writeFileSync(join(dir, name), '');
    expect(givenPath(join(dir, name))).toBe(join(dir, name));
  }
  expect(givenPath(`"${join(dir, 'gone')}" `)).toBe(join(dir, 'gone'));
});
