import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  blotOut,
  createCrashReports,
  MAX_FILE_BYTES,
  MAX_REPORT_BYTES,
} from '../../../../main/process/crash-reports.ts';

let dir: string;
let secret: string | undefined;
const folder = () => join(dir, 'reports');
const file = () => join(folder(), 'crashes.jsonl');
const make = () =>
  createCrashReports({
    folder: folder(),
    version: '1.2.3',
    secrets: () => [secret, undefined],
    nowMs: () => 0,
  });
const lines = () =>
  readFileSync(file(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { errors: string[]; details: Record<string, unknown> });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ace-reports-'));
  secret = undefined;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('crash reports', () => {
  it('say what, when, where and why, causes included, for the user’s eyes only', () => {
    make().report('unhandled', new Error('outer', { cause: new Error('inner') }), { exitCode: 3 });
    expect(lines()[0]).toMatchObject({
      at: '1970-01-01T00:00:00.000Z',
      kind: 'unhandled',
      version: '1.2.3',
      details: { exitCode: 3 },
      errors: [expect.stringContaining('Error: outer'), expect.stringContaining('Error: inner')],
    });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
  });

  it.each([['a text'], [undefined], [null], [{ a: 1 }], [Symbol('s')]])(
    'take anything that was thrown: %s',
    (thrown) => {
      make().report('unhandled', thrown);
      expect(lines()).toHaveLength(1);
    },
  );

  it('are bounded each, whatever the error holds', () => {
    const error = new Error(`${'"\n\u{1f600}'.repeat(100_000)}`);
    make().report('unhandled', error, { path: 'x'.repeat(100_000) });
    expect(statSync(file()).size).toBeLessThanOrEqual(MAX_REPORT_BYTES);
    expect(lines()[0]?.errors[0]).toContain('Error');
  });

  it('are turned over, and one older file is kept', () => {
    const reports = make();
    const error = new Error('x'.repeat(8_000));
    for (let i = 0; i < 200; i++) reports.report('unhandled', error);
    expect(statSync(file()).size).toBeLessThanOrEqual(MAX_FILE_BYTES);
    expect(statSync(`${file()}.1`).size).toBeLessThanOrEqual(MAX_FILE_BYTES);
    expect(lines().length).toBeGreaterThan(0);
  });

  it('never throw: what cannot be written is said on stderr', () => {
    writeFileSync(folder(), 'a file where the folder should be');
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    make().report('unhandled', new Error('x'));
    expect(write).toHaveBeenCalledWith(expect.stringContaining('no crash report could be written'));
    write.mockRestore();
  });

  it('hold no secret in the error, its cause or its details', () => {
    secret = 'S3cr3t-t0ken';
    const error = new Error(`wrong: ${secret}`, { cause: new Error(secret) });
    make().report('preload-failed', error, { path: `/x/${secret}` });
    expect(readFileSync(file(), 'utf8')).not.toContain(secret);
  });
});

describe('blotOut', () => {
  const phrase = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
  it.each([
    ['http://127.0.0.1:6878/#token=abc_DEF-123', 'abc_DEF-123'],
    ['ws://127.0.0.1/rpc?token=abc_DEF-123&x=1', 'abc_DEF-123'],
    ['Authorization: Bearer abc.def', 'abc.def'],
    ['{"passphrase":"open sesame"}', 'open'],
    [`key 0x${'ab'.repeat(32)}`, 'abab'],
    [`seed ${'CD'.repeat(64)}`, 'CDCD'],
    [`mnemonic is ${phrase}`, 'sausage'],
    [`PUT /broadcast/bafyabc/pushsecret/1.ts`, 'pushsecret'],
    [`ENOENT: ${join(homedir(), 'films')}`, homedir()],
  ])('takes the secret out of %s', (text, hidden) => {
    expect(blotOut(text, [])).not.toContain(hidden);
  });

  it('leaves what says where it broke', () => {
    const stack = 'TypeError: x is not a function\n    at run (/opt/app/out/main/node.js:12:3)';
    expect(blotOut(stack, [''])).toBe(stack);
  });
});
