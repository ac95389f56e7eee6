import { describe, expect, it } from 'vitest';
import { looksLikePath, typedPath } from '../../../../shared/typed/path.ts';

const POSIX = { home: '/home/ann', isWindows: false };
const WINDOWS = { home: 'C:\\Users\\Ann', isWindows: true };

describe('typedPath', () => {
  it.each([
    ['/videos/a.mp4', '/videos/a.mp4'],
    ['  /videos/a.mp4\n', '/videos/a.mp4'],
    ['"/videos/a b.mp4"', '/videos/a b.mp4'],
    ["'/videos/a.mp4'", '/videos/a.mp4'],
    ['“/videos/a.mp4”', '/videos/a.mp4'],
    ['«/videos/a.mp4»', '/videos/a.mp4'],
    ['\u202a/videos/a.mp4\u202c', '/videos/a.mp4'],
    ['~', '/home/ann'],
    ['~/Videos/a.mp4', '/home/ann/Videos/a.mp4'],
    ['"~/Videos/a.mp4"', '/home/ann/Videos/a.mp4'],
    ['~bob/a.mp4', '~bob/a.mp4'],
    ['a~/b', 'a~/b'],
    ['file:///videos/a%20b.mp4', '/videos/a b.mp4'],
    ['file:/videos/a.mp4', '/videos/a.mp4'],
    ['FILE://localhost/videos/a.mp4', '/videos/a.mp4'],
    ['file:///tmp/x/100%.mp4', '/tmp/x/100%.mp4'],
    ['file:///tmp/x/100%25.mp4', '/tmp/x/100%.mp4'],
    ['file:///tmp/%D0%A4%D0%B8.mp4', '/tmp/Фи.mp4'],
    // No UTF-8 behind the escapes.
    ['file:///tmp/%ff.mp4', '/tmp/%ff.mp4'],
    ['file:///tmp/part #1?.mp4', '/tmp/part #1?.mp4'],
    // In a path that is no address, a percent sign is one.
    ['/tmp/100%25.mp4', '/tmp/100%25.mp4'],
    ['"', '"'],
    ["it's.mp4", "it's.mp4"],
  ])('reads %j as %j', (text, path) => {
    expect(typedPath(text, POSIX)).toBe(path);
  });

  it.each([
    ['"C:\\Videos\\a.mp4"', 'C:\\Videos\\a.mp4'],
    ['~\\Videos', 'C:\\Users\\Ann\\Videos'],
    ['~/Videos', 'C:\\Users\\Ann/Videos'],
    ['file:///C:/Videos/a%20b.mp4', 'C:\\Videos\\a b.mp4'],
    ['file://server/share/a.mp4', '\\\\server\\share\\a.mp4'],
  ])('reads %j on Windows as %j', (text, path) => {
    expect(typedPath(text, WINDOWS)).toBe(path);
  });
});

describe('looksLikePath', () => {
  it.each(['/a', './a', '../a', '~/a', '~', '"/a b"', "'~/a'", 'file:///a', 'C:\\a', 'c:/a', '\\\\nas\\a'])(
    'takes %j for a path',
    (text) => expect(looksLikePath(text)).toBe(true),
  );

  it.each(['bafyreib', 'ace://bafyreib', 'acestream://x', '', 'http://127.0.0.1/content/x'])(
    'does not take %j for a path',
    (text) => expect(looksLikePath(text)).toBe(false),
  );
});
