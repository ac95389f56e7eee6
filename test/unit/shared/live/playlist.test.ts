import { describe, expect, it } from 'vitest';
import { isFileName, readPlaylist, writePlaylist } from '../../../../shared/live/playlist.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { heard, SEGMENT } from '../../../helpers/live-records.ts';

const ADDRESSES = {
  segment: (sequence: number, isFragment: boolean) => `/s/${sequence}.${isFragment ? 'm4s' : 'ts'}`,
  init: (contentId: string) => `/s/init-${contentId.slice(0, 9)}.mp4`,
};
const write = (segments: Parameters<typeof writePlaylist>[0]['segments'], ended = false) =>
  writePlaylist({ segments, ended }, ADDRESSES).trimEnd().split('\n');

describe('the playlist that is served', () => {
  it('numbers its segments from the first one, and dates it', () => {
    expect(write([heard(41), heard(42, { durationMs: 2_600 })])).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:6',
      '#EXT-X-TARGETDURATION:3',
      '#EXT-X-MEDIA-SEQUENCE:41',
      '#EXT-X-DISCONTINUITY-SEQUENCE:0',
      '#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:01:22.000Z',
      '#EXTINF:2.000,',
      '/s/41.ts',
      '#EXTINF:2.600,',
      '/s/42.ts',
    ]);
  });

  it('counts the interruptions that are behind its first segment, and marks the others', () => {
    const lines = write([
      heard(5, { discontinuities: 2 }),
      heard(6, { discontinuities: 3 }),
      heard(7, { discontinuities: 3 }),
    ]);
    expect(lines).toContain('#EXT-X-DISCONTINUITY-SEQUENCE:2');
    expect(lines.filter((line) => line === '#EXT-X-DISCONTINUITY')).toHaveLength(1);
    expect(lines[lines.indexOf('#EXT-X-DISCONTINUITY') + 1]).toMatch('#EXT-X-PROGRAM-DATE-TIME:');
    expect(lines.indexOf('#EXT-X-DISCONTINUITY')).toBeLessThan(lines.indexOf('/s/6.ts'));
    expect(lines.indexOf('#EXT-X-DISCONTINUITY')).toBeGreaterThan(lines.indexOf('/s/5.ts'));
    // The same segment later, first in the list: its number is the one that players have counted.
    expect(write([heard(6, { discontinuities: 3 })])).toContain('#EXT-X-DISCONTINUITY-SEQUENCE:3');
  });

  it('names an init segment once, and again when it changes', () => {
    const other = `${SEGMENT.slice(0, -9)}bcdefghij`.replace('bafyreihd', 'bafyreixx');
    const lines = write([
      heard(1, { initContentId: SEGMENT }),
      heard(2, { initContentId: SEGMENT }),
      heard(3, { initContentId: other }),
    ]);
    expect(lines.filter((line) => line.startsWith('#EXT-X-MAP'))).toEqual([
      '#EXT-X-MAP:URI="/s/init-bafyreihd.mp4"',
      '#EXT-X-MAP:URI="/s/init-bafyreixx.mp4"',
    ]);
    expect(lines).toContain('/s/3.m4s');
  });

  it('says that nothing follows once the broadcast has ended', () => {
    expect(write([heard(1)], true).at(-1)).toBe('#EXT-X-ENDLIST');
    expect(write([heard(1)])).not.toContain('#EXT-X-ENDLIST');
  });
});

describe('the playlist that an encoder pushes', () => {
  const PUSHED = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:2',
    '#EXT-X-MEDIA-SEQUENCE:8',
    '#EXT-X-MAP:URI="init.mp4"',
    '#EXTINF:2.000000,',
    'live8.m4s',
    '#EXT-X-DISCONTINUITY',
    '#EXTINF:1.4996,',
    'http://127.0.0.1:6878/broadcast/x/y/live9.m4s',
    '',
  ];

  it('is read with durations, numbers, interruptions and init segments', () => {
    expect(readPlaylist(PUSHED.join('\r\n'))).toEqual({
      ended: false,
      segments: [
        { name: 'live8.m4s', durationMs: 2_000, number: 8, discontinuity: false, initName: 'init.mp4' },
        { name: 'live9.m4s', durationMs: 1_500, number: 9, discontinuity: true, initName: 'init.mp4' },
      ],
    });
    expect(readPlaylist([...PUSHED.slice(0, -1), '#EXT-X-ENDLIST', ''].join('\n')).ended).toBe(true);
  });

  it('is read up to the last whole line: what is being written counts the next time', () => {
    const text = PUSHED.join('\n');
    for (let length = '#EXTM3U\n'.length; length < text.length; length++) {
      for (const { name } of readPlaylist(text.slice(0, length)).segments) {
        expect(['live8.m4s', 'live9.m4s']).toContain(name);
      }
    }
  });

  it.each([
    ['what is no playlist', 'hello\n'],
    ['a list of qualities', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n'],
    ['encrypted segments', '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1,\na.ts\n'],
    ['parts of files', '#EXTM3U\n#EXTINF:1,\n#EXT-X-BYTERANGE:5@0\na.ts\n'],
    ['a segment without a duration', '#EXTM3U\na.ts\n'],
    ['a duration that is none', '#EXTM3U\n#EXTINF:abc,\na.ts\n'],
    ['a number that is none', '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:x\n'],
    ['a path that leads out', '#EXTM3U\n#EXTINF:1,\n../../etc/passwd\n'],
    ['an absolute path', '#EXTM3U\n#EXTINF:1,\n/etc/passwd\n'],
    ['a folder', '#EXTM3U\n#EXTINF:1,\nsub/a.ts\n'],
    ['an escaped path', '#EXTM3U\n#EXTINF:1,\n..%2fa.ts\n'],
    ['an init segment elsewhere', '#EXTM3U\n#EXT-X-MAP:URI="../init.mp4"\n'],
    ['another scheme', '#EXTM3U\n#EXTINF:1,\nfile:///etc/a.ts\n'],
    ['a query', '#EXTM3U\n#EXTINF:1,\nhttp://h/a.ts?x\n'],
  ])('is refused with %s', (_what, text) => {
    expectAceError('PlaylistMalformed', () => readPlaylist(text));
  });

  it.each(['.hidden.ts', '-o.ts', 'a b.ts', 'a/b.ts', 'a\\b.ts', '..', '', `${'a'.repeat(129)}`, 'a\0.ts'])(
    'never names a file %j',
    (name) => {
      expect(isFileName(name)).toBe(false);
    },
  );
});
