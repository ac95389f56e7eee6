import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { givenPassphrase, passphraseFrom } from '../../../../main/cli/passphrase.ts';
import { PASSPHRASE_VARIABLE } from '../../../../main/wallet/passphrase-rule.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const PASSPHRASE = 'correct hörse 電池';
const dir = mkdtempSync(join(tmpdir(), 'ace-test-'));
const file = join(dir, 'pass');

afterAll(() => rmSync(dir, { recursive: true }));

describe('passphraseFrom', () => {
  const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

  it.each([
    ['UTF-8', Buffer.from(PASSPHRASE)],
    ['UTF-8 with a mark in front', Buffer.from(`\ufeff${PASSPHRASE}\r\n`)],
    ['UTF-16, little-endian', Buffer.from(`\ufeff${PASSPHRASE}\n`, 'utf16le')],
    ['UTF-16, big-endian', utf16be(`\ufeff${PASSPHRASE}\r\nmore`)],
  ])('reads %s as it would be typed', (_encoding, bytes) => {
    writeFileSync(file, bytes);
    expect(passphraseFrom(file)).toBe(PASSPHRASE);
  });

  it.each([
    ['Latin-1', Buffer.from('correct hörse', 'latin1')],
    ['half a character', Buffer.from('correct hö').subarray(0, -1)],
    ['UTF-16 that breaks off', Buffer.from('\ufeffcorrect', 'utf16le').subarray(0, -1)],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0])],
  ])('refuses %s, and names the file', (_encoding, bytes) => {
    writeFileSync(file, bytes);
    const error = expectAceError('FileUnreadable', () => passphraseFrom(file));
    expect(error.message).toContain(`${file} is not valid UTF-8`);
  });

  it('refuses an empty line, also behind a mark', () => {
    writeFileSync(file, '\ufeff\nsecond');
    expectAceError('WalletInvalid', () => passphraseFrom(file));
  });

  it('looks for ~/ in the home directory', () => {
    const error = expectAceError('FileMissing', () => passphraseFrom('~/no such passphrase file'));
    expect(error.message).toContain(join(homedir(), 'no such passphrase file'));
  });
});

describe('givenPassphrase', () => {
  afterEach(() => {
    delete process.env[PASSPHRASE_VARIABLE];
  });

  it('takes an empty variable for one that is not set', () => {
    process.env[PASSPHRASE_VARIABLE] = '';
    expect(givenPassphrase(undefined)).toBeUndefined();
    expect(process.env[PASSPHRASE_VARIABLE]).toBeUndefined();
  });

  it('refuses a variable that is no UTF-8, as Node has read it', () => {
    process.env[PASSPHRASE_VARIABLE] = 'correct h\ufffdrse';
    expectAceError('FileUnreadable', () => givenPassphrase(undefined));
  });
});
