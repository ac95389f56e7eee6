import { describe, expect, it } from 'vitest';
import { attachmentOf, plainName } from '../../../../main/players/file-name.ts';
import { m3uOf } from '../../../../main/players/playlists.ts';

describe('attachmentOf', () => {
  it.each([
    ['film.mp4', 'attachment; filename="film.mp4"'],
    ['a "b" 100%.mp4', `attachment; filename="a _b_ 100_.mp4"; filename*=UTF-8''a%20%22b%22%20100%25.mp4`],
    ["it's (1)*.mp4", `attachment; filename="it's (1)*.mp4"`],
    ["é's.mp4", `attachment; filename="_'s.mp4"; filename*=UTF-8''%C3%A9%27s.mp4`],
    ['Фильм.mp4', `attachment; filename="_____.mp4"; filename*=UTF-8''%D0%A4%D0%B8%D0%BB%D1%8C%D0%BC.mp4`],
    ['😀.mp4', `attachment; filename="__.mp4"; filename*=UTF-8''%F0%9F%98%80.mp4`],
    ['a\r\nSet-Cookie: x.mp4', 'attachment; filename="a Set-Cookie: x.mp4"'],
    ['cod\u202e4pm.exe', 'attachment; filename="cod4pm.exe"'],
    ['\ud800.mp4', `attachment; filename="_.mp4"; filename*=UTF-8''%EF%BF%BD.mp4`],
    ['\n', 'attachment; filename="content"'],
  ])('names %j in a header', (name, expected) => {
    expect(attachmentOf(name)).toBe(expected);
  });
});

describe('plainName', () => {
  it('keeps a name from adding lines to a playlist', () => {
    const file = { name: 'a\n#EXTINF:1,b\nhttp://evil.example/', durationMs: 1_499 };
    const text = m3uOf(file as Parameters<typeof m3uOf>[0], 'http://127.0.0.1:6878/content/x');
    expect(text).toBe(
      '#EXTM3U\n#EXTINF:1,a #EXTINF:1,b http://evil.example/\nhttp://127.0.0.1:6878/content/x\n',
    );
    expect(plainName('Ещё film')).toBe('Ещё film');
  });
});
