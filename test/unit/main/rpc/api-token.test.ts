import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiToken } from '../../../../main/rpc/api-token.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ace-token-'));
  file = join(dir, 'api-token');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const modeOf = () => statSync(file).mode & 0o777;

describe('ApiToken', () => {
  it('makes a token of 24 random bytes that only the user can read', async () => {
    const { current } = await ApiToken.open(file);
    expect(current).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(readFileSync(file, 'utf8')).toBe(`${current}\n`);
    expect(modeOf()).toBe(0o600);
  });

  it('stays the same over restarts', async () => {
    const first = await ApiToken.open(file);
    expect((await ApiToken.open(file)).current).toBe(first.current);
  });

  it('narrows a file that others could read', async () => {
    await ApiToken.open(file);
    chmodSync(file, 0o644);
    await ApiToken.open(file);
    expect(modeOf()).toBe(0o600);
  });

  it('is another one after a renewal, in the file too', async () => {
    const token = await ApiToken.open(file);
    const before = token.current;
    const next = await token.renew();
    expect(next).not.toBe(before);
    expect(token.current).toBe(next);
    expect((await ApiToken.open(file)).current).toBe(next);
    expect(modeOf()).toBe(0o600);
  });

  it.each(['', 'short', `${'a'.repeat(32)} b`, `${'a'.repeat(31)}/`])(
    'never goes on with a file that holds %j',
    async (text) => {
      writeFileSync(file, text);
      const { current } = await ApiToken.open(file);
      expect(current).toMatch(/^[A-Za-z0-9_-]{32}$/);
      expect(current).not.toBe(text);
    },
  );
});
