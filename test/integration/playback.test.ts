import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MIB } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';
import { bodyOf, PlayingNode } from '../helpers/playing-node.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

const UNKNOWN_ID = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';
const SIZE = 6 * MIB + 12_345;
const LARGE_UNITS = 60;
/** Pieces that are fetched ahead of a reader of a content without a duration. */
const AHEAD_PIECES = 12;

const playing = new PlayingNode('Фильм.mp4', SIZE);
const at = (path: string) => playing.at(path);
const play: PlayingNode['play'] = (...args) => playing.play(...args);
const received = async (id: string) => (await playing.node.peer.library.transfer(id)).receivedBytes;

/** A content of its own, far larger than what is fetched ahead. */
async function largeContent(seed: string): Promise<string> {
  const path = await makeFile(join(playing.net.dir, `${seed}.bin`), LARGE_UNITS * MIB, seed);
  return (await playing.provider.import({ path })).contentId;
}

describe('playback', () => {
  it('answers HEAD with size and type, and fetches nothing', async () => {
    const response = await play({}, 'HEAD');
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(SIZE),
      'accept-ranges': 'bytes',
      etag: `"${playing.contentId}"`,
    });
    expect(await bodyOf(response)).toHaveLength(0);
    expect(await received(playing.contentId)).toBe(0);
  });

  it.each(['page.html', 'picture.svg'])('never lets %s act as a page of the node', async (name) => {
    const path = await makeFile(join(playing.net.dir, name), 1_000, name);
    const { contentId: id } = await playing.provider.import({ path });
    const { headers } = await fetch(at(`/content/${id}`));
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('content-disposition')).toBe('attachment');
    expect(headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('answers HEAD with a range as it would answer GET', async () => {
    const response = await play({ range: 'bytes=100-199' }, 'HEAD');
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes 100-199/${SIZE}`);
    expect(response.headers.get('content-length')).toBe('100');
  });

  it('gives the whole content, byte for byte', async () => {
    const response = await play();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('video/mp4');
    expect(response.headers.get('content-length')).toBe(String(SIZE));
    expect((await bodyOf(response)).equals(playing.bytes)).toBe(true);
  });

  it.each([
    ['the first byte', 'bytes=0-0', 0, 0],
    ['the first piece', `bytes=0-${MIB - 1}`, 0, MIB - 1],
    ['the seam of two pieces', `bytes=${MIB - 1}-${MIB}`, MIB - 1, MIB],
    ['a part in the middle', `bytes=${2 * MIB + 7}-${4 * MIB + 9}`, 2 * MIB + 7, 4 * MIB + 9],
    ['an open end', `bytes=${5 * MIB}-`, 5 * MIB, SIZE - 1],
    ['a suffix', 'bytes=-1000', SIZE - 1_000, SIZE - 1],
    ['a suffix longer than the content', `bytes=-${SIZE + 5}`, 0, SIZE - 1],
    ['the last byte', `bytes=${SIZE - 1}-`, SIZE - 1, SIZE - 1],
    ['an end behind the content', `bytes=${SIZE - 2}-${SIZE + 9}`, SIZE - 2, SIZE - 1],
  ])('gives %s of a range request', async (_what, range, start, end) => {
    const response = await play({ range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/${SIZE}`);
    expect(response.headers.get('content-length')).toBe(String(end - start + 1));
    expect((await bodyOf(response)).equals(playing.bytes.subarray(start, end + 1))).toBe(true);
  });

  it.each([
    ['begins at the end', `bytes=${SIZE}-`],
    ['begins behind the end', `bytes=${SIZE + 10}-${SIZE + 20}`],
    ['is an empty suffix', 'bytes=-0'],
  ])('answers 416 with the size when a range %s', async (_what, range) => {
    const response = await play({ range });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe(`bytes */${SIZE}`);
    expect(await bodyOf(response)).toHaveLength(0);
  });

  it.each([
    ['is of another unit', 'pieces=0-1'],
    ['is malformed', 'bytes'],
    ['asks for too many parts', `bytes=${Array.from({ length: 9 }, (_, i) => `${i * 100}-${i * 100}`)}`],
  ])('gives the whole content when the range %s', async (_what, range) => {
    const response = await play({ range });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-range')).toBeNull();
    expect((await bodyOf(response)).equals(playing.bytes)).toBe(true);
  });

  it('gives the range when If-Range names this content, and everything when it names another', async () => {
    const range = 'bytes=10-19';
    const match = await play({ range, 'if-range': `"${playing.contentId}"` });
    expect(match.status).toBe(206);
    expect(await bodyOf(match)).toEqual(playing.bytes.subarray(10, 20));
    for (const other of ['"other"', `W/"${playing.contentId}"`, 'Wed, 21 Oct 2026 07:28:00 GMT']) {
      const mismatch = await play({ range, 'if-range': other });
      expect(mismatch.status).toBe(200);
      expect((await bodyOf(mismatch)).equals(playing.bytes)).toBe(true);
    }
  });

  it('gives a hundred ranges at once, each its own bytes', async () => {
    const spans = Array.from({ length: 100 }, (_, i) => {
      const start = (i * 7_919_333) % SIZE;
      return [start, Math.min(SIZE - 1, start + 40_000)] as const;
    });
    const answers = await Promise.all(
      spans.map(async ([start, end]) => bodyOf(await play({ range: `bytes=${start}-${end}` }))),
    );
    answers.forEach((answer, i) => {
      const [start, end] = spans[i] as readonly [number, number];
      expect(answer.equals(playing.bytes.subarray(start, end + 1)), `bytes ${start} to ${end}`).toBe(true);
    });
  });

  it.each([
    ['/ace/getstream?content_id=', (id: string) => `/ace/getstream?content_id=${id}`],
    ['/ace/getstream?id=', (id: string) => `/ace/getstream?id=${id}`],
    ['a content id in capitals', (id: string) => `/content/${id.toUpperCase()}`],
    ['an ace:// link', (id: string) => `/content/${encodeURIComponent(`ace://${id}`)}`],
  ])('answers at %s', async (_what, path) => {
    const response = await fetch(at(path(playing.contentId)), { headers: { range: 'bytes=0-99' } });
    expect(response.status).toBe(206);
    expect(await bodyOf(response)).toEqual(playing.bytes.subarray(0, 100));
  });

  it.each([
    ['400 for an id that is none', 400, '/content/nonsense'],
    ['400 for an id with a broken escape', 400, '/content/%zz'],
    ['400 for an id with a path in it', 400, '/content/..%2f..%2fwallet.json'],
    ['400 for the id of another network', 400, '/content/QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n'],
    ['400 for no id', 400, '/ace/getstream'],
    ['400 for a bad id in the query', 400, '/ace/getstream?id=x'],
    ['404 for a content that nobody has', 404, `/content/${UNKNOWN_ID}`],
    ['404 for a content that nobody has, in the query', 404, `/ace/getstream?id=${UNKNOWN_ID}`],
    ['404 for another path', 404, '/ace/other'],
  ])('answers %s, with a line that says why', async (_what, status, path) => {
    const response = await fetch(at(path));
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(/^[^\n<]+\n$/);
  });

  it.each(['POST', 'PUT', 'DELETE'])('refuses %s with 405', async (method) => {
    const response = await play({}, method);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it('fetches a range near the end without what is before it', async () => {
    const id = await largeContent('end');
    const response = await fetch(at(`/content/${id}`), { headers: { range: 'bytes=-1000' } });
    expect(await bodyOf(response)).toHaveLength(1_000);
    expect(await received(id)).toBe(MIB);
    const start = 20 * MIB;
    const middle = await fetch(at(`/content/${id}`), { headers: { range: `bytes=${start}-${start}` } });
    expect(await bodyOf(middle)).toHaveLength(1);
    await settled(id);
    expect(await received(id)).toBeLessThanOrEqual((1 + AHEAD_PIECES) * MIB);
    expect(
      playing.node.peer.store.contents.pieces
        .of(id)
        .every((i) => i === LARGE_UNITS - 1 || (i >= 20 && i < 32)),
    ).toBe(true);
  });

  it('fetches only what lies ahead of a player that stands still, and nothing once it has gone', async () => {
    const id = await largeContent('still');
    const player = await openPlayer(id);
    const whileOpen = await settled(id);
    expect(whileOpen).toBeGreaterThan(AHEAD_PIECES * MIB);
    expect(whileOpen).toBeLessThan((LARGE_UNITS / 2) * MIB);
    player.destroy();
    expect(await staysFor('what was fetched', 300, () => received(id))).toBe(whileOpen);
  });

  it('outlives players that leave in mid-stream', async () => {
    const id = await largeContent('leave');
    const players = await Promise.all(Array.from({ length: 8 }, () => openPlayer(id)));
    for (const player of players) player.destroy();
    expect((await bodyOf(await play())).equals(playing.bytes)).toBe(true);
    await settled(id);
    expect(await received(id)).toBeLessThan((LARGE_UNITS / 2) * MIB);
    const rest = await fetch(at(`/content/${id}`), { headers: { range: 'bytes=-5' } });
    expect(await bodyOf(rest)).toHaveLength(5);
  });
});

/** A player that has the first bytes and takes no more. */
async function openPlayer(id: string): Promise<IncomingMessage> {
  const request = get(at(`/content/${id}`));
  request.on('error', () => {}); // it is cut off by the test
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  await once(response, 'readable');
  return response;
}

/** Waits until all that lies ahead of its players is here, and none of them moves; the answer is what was received. */
async function settled(id: string): Promise<number> {
  const transfer = await playing.node.peer.library.transfer(id);
  let last = '';
  await waitFor(`${id} stands still`, async () => {
    const have = new Set(playing.node.peer.store.contents.pieces.of(id));
    const ahead = transfer.readerPieces.flatMap((at) =>
      Array.from({ length: Math.min(AHEAD_PIECES, LARGE_UNITS - at) }, (_, distance) => at + distance),
    );
    const now = `${transfer.readerPieces} ${transfer.receivedBytes}`;
    const isStill = now === last && ahead.every((index) => have.has(index));
    last = now;
    // A player moves when the kernel takes more of what is here, which asks nobody else.
    await delay(150);
    return isStill;
  });
  return transfer.receivedBytes;
}
