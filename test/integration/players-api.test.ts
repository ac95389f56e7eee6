/** The paths of the Ace Stream API: what scripts and add-ons rely on, with a content that comes from another peer. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { MAX_SESSIONS } from '../../main/players/sessions.ts';
import { Devnet, joinedNode, MIB, type TestPeer } from '../helpers/devnet.ts';
import { makeMedia } from '../helpers/files.ts';
import { standsStill, waitFor } from '../helpers/wait.ts';

const UNITS = 40;
const UNKNOWN_ID = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';

interface Opened {
  readonly playback_url: string;
  readonly stat_url: string;
  readonly command_url: string;
  readonly playback_session_id: string;
}
interface Stat {
  readonly status: string;
  readonly peers: number;
  readonly speed_down: number;
  readonly downloaded: number;
  readonly total_progress: number;
  readonly payment: { readonly paid_units: number; readonly spent_xac: string };
}
interface Answer<T> {
  readonly response: T;
  readonly error: string | null;
}

let net: Devnet;
let provider: TestPeer;
let node: RunningNode;
let made = 0;

beforeAll(async () => {
  net = await Devnet.start();
  provider = await net.peer('provider');
  node = await startNode(joinedNode(net));
});

afterAll(async () => {
  await node?.stop();
  await net?.stop();
});

const at = (path: string) => new URL(path, node.http.url).href;
const json = async <T>(url: string) => (await (await fetch(url)).json()) as Answer<T>;
const open = async (contentId: string, path = 'getstream') =>
  (await json<Opened>(at(`/ace/${path}?content_id=${contentId}&format=json`))).response;

/** Most tests only ask about it. */
async function content(units = 2): Promise<string> {
  const path = await makeMedia(join(net.dir, `film-${++made}.wav`), units * MIB, 60_000);
  return (await provider.import({ path })).contentId;
}

/** A player that has the first bytes and takes no more. */
async function startPlaying(url: string): Promise<IncomingMessage> {
  const request = get(url);
  request.on('error', () => {}); // it may be cut off
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  await once(response, 'readable');
  return response;
}

describe('format=json', () => {
  it('gives the addresses of a session, as Ace Stream clients read them', async () => {
    const contentId = await content();
    const answer = await json<Opened>(at(`/ace/getstream?id=${contentId}&format=json`));
    const id = answer.response.playback_session_id;
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(answer).toEqual({
      response: {
        playback_url: at(`/ace/r/${contentId}/${id}`),
        stat_url: at(`/ace/stat/${contentId}/${id}`),
        command_url: at(`/ace/cmd/${contentId}/${id}`),
        content_id: contentId,
        infohash: null,
        playback_session_id: id,
        is_live: 0,
        is_encrypted: 0,
        client_session_id: -1,
      },
      error: null,
    });
  });

  it('begins no fetching by itself', async () => {
    const contentId = await content();
    const { stat_url } = await open(contentId);
    const { response } = await json<Stat>(stat_url);
    expect(response).toMatchObject({ status: 'idle', downloaded: 0, payment: { paid_units: 0 } });
  });

  it('names the host that it was asked by', async () => {
    const contentId = await content();
    const url = at(`/ace/getstream?id=${contentId}&format=json`).replace('127.0.0.1', 'localhost');
    expect((await json<Opened>(url)).response.playback_url).toContain('http://localhost:');
  });

  it.each([
    ['a content that nobody has', `content_id=${UNKNOWN_ID}`, /Nobody who has this content/],
    ['no content', '', /lacks content_id/],
    ['an infohash', 'infohash=0a4848271c91ce2d8965ce416267c25047dc8141', /no infohash/],
    ['a magnet link', 'magnet=magnet:?xt=urn:btih:abc', /no magnet/],
    ['an id of another network', 'id=94c2fd8fb9bc8f2fc71a2cbe9d4b866f227a0209', /another Ace Stream network/],
    ['an id that is none', 'id=x', /"x" is not a content id/],
  ])('says in the answer what is wrong with %s', async (_what, query, why) => {
    for (const path of ['getstream', 'manifest.m3u8']) {
      const answer = await json(at(`/ace/${path}?${query}&format=json`));
      expect(answer).toEqual({ response: null, error: expect.stringMatching(why) });
    }
  });
});

describe('stat_url', () => {
  it('tells speed, peers and what was paid while a player reads', async () => {
    const contentId = await content(UNITS);
    const { playback_url, stat_url } = await open(contentId);
    const player = await startPlaying(playback_url);
    await waitFor('something was paid', async () => {
      const { response } = await json<Stat>(stat_url);
      return response.payment.paid_units >= 8 && response.peers === 1;
    });
    const { response, error } = await json<Stat>(stat_url);
    expect(error).toBeNull();
    const paid = node.peer.store.payerChannels.revealedUnits();
    expect(response.payment.paid_units).toBeGreaterThanOrEqual(8);
    expect(response.payment.paid_units).toBeLessThanOrEqual(paid);
    expect(response.downloaded).toBeGreaterThanOrEqual(response.payment.paid_units * MIB - MIB);
    expect(response.speed_down).toBeGreaterThan(100);
    expect(response.speed_down, 'KiB per second').toBeLessThanOrEqual(response.downloaded / 256);
    expect(response.total_progress).toBeGreaterThan(0);
    expect(response.total_progress).toBeLessThan(100);
    expect(Number(response.payment.spent_xac)).toBeGreaterThan(0);
    expect(response).toMatchObject({
      status: 'dl',
      is_live: 0,
      client_session_id: -1,
      payment: { credit_limit_units: 10_240, unit_price_xac: expect.stringMatching(/^\d+\.\d{7}$/) },
    });
    player.destroy();
    await waitFor('it is idle', async () => (await json<Stat>(stat_url)).response.status === 'idle');
  });

  it('counts from the beginning of the session', async () => {
    const contentId = await content();
    await (await fetch(at(`/content/${contentId}`))).arrayBuffer();
    const { stat_url } = await open(contentId);
    const { response } = await json<Stat>(stat_url);
    expect(response).toMatchObject({ downloaded: 0, total_progress: 100, payment: { paid_units: 0 } });
  });

  it.each(['stat', 'cmd'])('of an unknown session says so at /ace/%s', async (kind) => {
    const contentId = await content();
    const answer = await json(at(`/ace/${kind}/${contentId}/${'0'.repeat(32)}?method=stop`));
    expect(answer).toEqual({ response: null, error: expect.stringMatching(/no such playback session/) });
  });

  it('of another content’s session says that there is none', async () => {
    const [mine, other] = [await content(), await content()];
    const { playback_session_id: id } = await open(mine);
    const answer = await json(at(`/ace/stat/${other}/${id}`));
    expect(answer.response).toBeNull();
  });
});

describe('command_url', () => {
  it('stops: the stream ends, nothing more is fetched, and a second stop is no error', async () => {
    const contentId = await content(UNITS);
    const { playback_url, stat_url, command_url } = await open(contentId);
    const player = await startPlaying(playback_url);
    const ended = new Promise((resolve) => player.once('close', resolve));
    expect(await json(`${command_url}?method=stop`)).toEqual({ response: 'ok', error: null });
    player.resume();
    await ended;
    expect(await json(`${command_url}?method=stop`)).toEqual({ response: 'ok', error: null });
    expect((await json(stat_url)).response).toBeNull();
    const again = await fetch(playback_url);
    expect(again.status).toBe(404);
    expect(await again.text()).toMatch(/open the content again/);
    // What was under way may still arrive; then the transfer rests.
    const transfer = await node.peer.library.transfer(contentId);
    const last = await standsStill('what was received', () => transfer.receivedBytes);
    expect(last).toBeLessThan(UNITS * MIB);
  });

  it('leaves other players of the same content alone', async () => {
    const contentId = await content(UNITS);
    const [first, second] = [await open(contentId), await open(contentId)];
    const other = fetch(second.playback_url);
    await startPlaying(first.playback_url);
    await json(`${first.command_url}?method=stop`);
    expect((await (await other).arrayBuffer()).byteLength).toBe(UNITS * MIB);
  });

  it.each(['', '?method=seek'])('knows no other method: "%s"', async (query) => {
    const { command_url } = await open(await content());
    const answer = await json(command_url + query);
    expect(answer).toEqual({ response: null, error: expect.stringMatching(/this node knows method=stop/) });
  });
});

describe('sessions', () => {
  it('are bounded: the longest unused makes room', async () => {
    const contentId = await content();
    const first = await open(contentId);
    const second = await open(contentId);
    for (let i = 2; i < MAX_SESSIONS; i++) await open(contentId);
    await json(first.stat_url); // used again
    await open(contentId);
    expect((await json(first.stat_url)).error).toBeNull();
    expect((await json(second.stat_url)).error).toMatch(/no such playback session/);
  });
});

describe('manifest.m3u8', () => {
  it('leads players of a file that is no HLS segment to the file', async () => {
    const contentId = await content();
    const plain = await fetch(at(`/ace/manifest.m3u8?content_id=${contentId}`), { redirect: 'manual' });
    expect(plain.status).toBe(302);
    expect(plain.headers.get('location')).toBe(`/content/${contentId}`);
    const { playback_url } = await open(contentId, 'manifest.m3u8');
    expect(playback_url).toMatch(/\/ace\/m\/.*\.m3u8$/);
    const response = await fetch(playback_url, { headers: { range: 'bytes=0-9' } });
    expect(response.status).toBe(206);
    expect(response.url).toMatch(/\/ace\/r\//);
    expect(Buffer.from(await response.arrayBuffer()).toString('latin1', 0, 4)).toBe('RIFF');
  });
});

describe('/webui/api/service', () => {
  it('tells the version', async () => {
    const answer = await (await fetch(at('/webui/api/service?method=get_version'))).json();
    expect(answer).toEqual({
      result: { version: '0.1.0', code: 10_000, platform: process.platform },
      error: null,
    });
  });

  it('knows no other method', async () => {
    const answer = await json(at('/webui/api/service?method=get_api_access_token'));
    expect(answer).toEqual({
      result: null,
      error: expect.stringMatching(/"get_api_access_token".*get_version/),
    });
    const lacking = await json(at('/webui/api/service'));
    expect(lacking).toEqual({ result: null, error: expect.stringMatching(/lacks a method.*get_version/) });
  });
});
