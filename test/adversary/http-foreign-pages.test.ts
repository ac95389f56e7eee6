/** A page of any site can point a <video> or a script at loopback: that must not spend the user's money. */
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { Devnet, joinedNode, MIB, type TestPeer } from '../helpers/devnet.ts';
import { makeMedia } from '../helpers/files.ts';

let net: Devnet;
let provider: TestPeer;
let node: RunningNode;
let contentId: string;

beforeAll(async () => {
  net = await Devnet.start();
  provider = await net.peer('provider');
  const path = await makeMedia(join(net.dir, 'film.wav'), 3 * MIB, 30_000);
  contentId = (await provider.import({ path })).contentId;
  node = await startNode(joinedNode(net));
});

afterAll(async () => {
  await node?.stop();
  await net?.stop();
});

/** Not `fetch`: it does not let a caller set Host and Sec-Fetch headers. */
function ask(path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port: node.http.port, path, headers }, (res) => {
      let body = '';
      res.setEncoding('latin1').on('data', (data: string) => {
        body += data;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body }));
    });
    req.on('error', reject).end();
  });
}

const PATHS = () => [
  `/content/${contentId}`,
  `/content/${contentId}.m3u`,
  `/ace/getstream?content_id=${contentId}`,
  `/ace/getstream?content_id=${contentId}&format=json`,
  `/ace/manifest.m3u8?content_id=${contentId}`,
  '/webui/api/service?method=get_version',
];

const VIDEO = { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'video' };
const FOREIGN: [string, Record<string, string>][] = [
  ['a <video> of another site', { ...VIDEO, 'sec-fetch-site': 'cross-site' }],
  ['a <video> of another port of this machine', { ...VIDEO, 'sec-fetch-site': 'same-site' }],
  ['a <script>', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }],
  ['a link', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
  ['a frame', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
  ['fetch()', { origin: 'https://evil.example' }],
  ['a sandboxed frame', { origin: 'null' }],
  ['a name that was bound anew to 127.0.0.1', { host: 'evil.example:6878' }],
];

describe('a foreign page', () => {
  it.each(FOREIGN)('gets nothing and costs nothing by %s', async (_what, headers) => {
    for (const path of PATHS()) {
      const { status, body } = await ask(path, headers);
      expect(status, path).toBe(403);
      expect(body).not.toContain(contentId);
    }
    expect(node.peer.library.active()).toEqual([]);
    expect(node.peer.store.payerChannels.revealedUnits()).toBe(0);
  });
});

describe('a player', () => {
  it('needs no token and no origin', async () => {
    for (const path of PATHS()) {
      const { status } = await ask(path, { 'user-agent': 'VLC/3.0.21 LibVLC/3.0.21', range: 'bytes=0-9' });
      expect([200, 206, 302], path).toContain(status);
    }
  });
});
