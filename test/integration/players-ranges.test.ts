/** Several ranges in one request, conditional ranges, names of files to keep, playlists. */
import { describe, expect, it } from 'vitest';
import { MIB } from '../helpers/devnet.ts';
import { bodyOf, PlayingNode } from '../helpers/playing-node.ts';

const SIZE = 5 * MIB + 321;

const playing = new PlayingNode('Ещё «фильм» 100%.mp4', SIZE);
const at = (path: string) => playing.at(path);
const play: PlayingNode['play'] = (...args) => playing.play(...args);

/** The parts of a multipart/byteranges body: what each says it is, and its bytes. */
function partsOf(type: string, body: Buffer): { head: string; bytes: Buffer }[] {
  const boundary = /^multipart\/byteranges; boundary=([\w-]{1,70})$/.exec(type)?.[1];
  if (boundary === undefined) throw new Error(`no multipart: ${type}`);
  const parts: { head: string; bytes: Buffer }[] = [];
  let at = body.indexOf(`--${boundary}`);
  expect(at).toBe(0);
  for (;;) {
    const headAt = at + boundary.length + 2;
    if (body.subarray(headAt, headAt + 2).toString() === '--') break;
    const headEnd = body.indexOf('\r\n\r\n', headAt);
    const head = body.subarray(headAt + 2, headEnd).toString();
    const next = body.indexOf(`\r\n--${boundary}`, headEnd + 4);
    parts.push({ head, bytes: body.subarray(headEnd + 4, next) });
    at = next + 2;
  }
  return parts;
}

describe('several ranges', () => {
  it('come as parts in the order in which they were asked for', async () => {
    const asked = [
      [3 * MIB - 5, 3 * MIB + 5],
      [0, 99],
      [SIZE - 7, SIZE - 1],
    ] as const;
    const response = await play({ range: `bytes=${asked[0].join('-')}, 0-99,-7` });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBeNull();
    const body = await bodyOf(response);
    expect(response.headers.get('content-length')).toBe(String(body.byteLength));
    const parts = partsOf(response.headers.get('content-type') ?? '', body);
    expect(parts.map(({ head }) => head)).toEqual(
      asked.map(([start, end]) => `Content-Type: video/mp4\r\nContent-Range: bytes ${start}-${end}/${SIZE}`),
    );
    parts.forEach(({ bytes: part }, i) => {
      const [start, end] = asked[i] as readonly [number, number];
      expect(part.equals(playing.bytes.subarray(start, end + 1))).toBe(true);
    });
  });

  it('that overlap or touch are one', async () => {
    const response = await play({ range: 'bytes=10-20,15-40,41-50' });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes 10-50/${SIZE}`);
    expect(response.headers.get('content-type')).toBe('video/mp4');
    expect(await bodyOf(response)).toEqual(playing.bytes.subarray(10, 51));
  });

  it('leave out what cannot be had, and are refused when nothing of them can', async () => {
    const some = await play({ range: `bytes=${SIZE}-,0-4` });
    expect(some.status).toBe(206);
    expect(some.headers.get('content-range')).toBe(`bytes 0-4/${SIZE}`);
    await some.arrayBuffer();
    const none = await play({ range: `bytes=${SIZE}-,${SIZE + 5}-${SIZE + 9}` });
    expect(none.status).toBe(416);
    expect(none.headers.get('content-range')).toBe(`bytes */${SIZE}`);
  });

  it.each([
    ['eight', 8, 206],
    ['nine', 9, 200],
  ])('%s are %i parts with status %i', async (_what, count, status) => {
    const specs = Array.from({ length: count }, (_, i) => `${i * 1_000}-${i * 1_000}`);
    const response = await play({ range: `bytes=${specs}` });
    expect(response.status).toBe(status);
    const body = await bodyOf(response);
    if (status === 200) expect(body.equals(playing.bytes)).toBe(true);
    else expect(partsOf(response.headers.get('content-type') ?? '', body)).toHaveLength(count);
  });

  it('are announced by HEAD as GET would send them', async () => {
    const range = 'bytes=0-9,1000-1009';
    const [head, get] = [await play({ range }, 'HEAD'), await play({ range })];
    expect(head.status).toBe(206);
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
    expect(await bodyOf(head)).toHaveLength(0);
    await get.arrayBuffer();
  });
});

describe('If-Range', () => {
  it('takes the date that was told, and no other', async () => {
    const told = (await play({}, 'HEAD')).headers.get('last-modified') ?? '';
    expect(told).toMatch(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    const range = 'bytes=5-9';
    const same = await play({ range, 'if-range': told });
    expect(same.status).toBe(206);
    expect(await bodyOf(same)).toEqual(playing.bytes.subarray(5, 10));
    const later = new Date(Date.parse(told) + 1_000).toUTCString();
    for (const other of [later, new Date(0).toUTCString(), told.replace('GMT', 'UTC')]) {
      const changed = await play({ range, 'if-range': other });
      expect(changed.status).toBe(200);
      await changed.arrayBuffer();
    }
  });

  it('that names something else makes even an impossible range the whole content', async () => {
    const response = await play({ range: `bytes=${SIZE}-`, 'if-range': '"other"' });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  });
});

describe('a content to keep', () => {
  it('has its name in every script', async () => {
    const response = await fetch(at(`/content/${playing.contentId}?download=1`), { method: 'HEAD' });
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename="___ _______ 100_.mp4"; filename*=UTF-8''${encodeURIComponent('Ещё «фильм» 100%.mp4')}`,
    );
    expect((await play({}, 'HEAD')).headers.get('content-disposition')).toBeNull();
  });
});

describe('/content/<id>.m3u', () => {
  it('is a playlist of the one content, to be opened by the system', async () => {
    const response = await fetch(at(`/content/${playing.contentId}.m3u`));
    expect(response.headers.get('content-type')).toBe('audio/x-mpegurl; charset=utf-8');
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; .*\.m3u$/);
    expect(await response.text()).toBe(
      `#EXTM3U\n#EXTINF:-1,Ещё «фильм» 100%.mp4\n${at(`/content/${playing.contentId}`).href}\n`,
    );
  });
});
