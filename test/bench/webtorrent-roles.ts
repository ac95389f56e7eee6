/**
 * WebTorrent's side of the streaming bench, over plain TCP on loopback, from disk to disk. It is no dependency of the
 * project: one of its own (WebRTC for browsers) fetches a binary when it is installed. `run.ts --help` says how to
 * install it beside; here that part is left out, for nothing is sent over it.
 */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Torrent {
  readonly torrentFile: Uint8Array;
  readonly downloaded: number;
  readonly length: number;
  addPeer(address: string): void;
  on(event: 'done' | 'wire' | 'download', listener: () => void): void;
}
interface Client {
  readonly torrentPort: number;
  seed(path: string, options: object, ready: (torrent: Torrent) => void): void;
  add(torrentFile: Uint8Array, options: object, ready: (torrent: Torrent) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

const NO_WEBRTC =
  'data:text/javascript,export const RTCPeerConnection=null,RTCSessionDescription=null,RTCIceCandidate=null;export default {}';
registerHooks({
  resolve: (name, context, next) =>
    name === 'webrtc-polyfill' ? { url: NO_WEBRTC, shortCircuit: true } : next(name, context),
});

const [name, folder = '', ...args] = process.argv.slice(2) as [string, string, ...string[]];
const entry = join(folder, 'node_modules/webtorrent/index.js');
const { default: WebTorrent } = (await import(pathToFileURL(entry).href)) as {
  default: new (options: object) => Client;
};
const client = new WebTorrent({
  dht: false,
  lsd: false,
  tracker: false,
  utp: false,
  natUpnp: false,
  natPmp: false,
});
client.on('error', (error) => {
  throw error;
});
const say = (line: string) => process.stdout.write(`${line}\n`);

if (name === 'seeder') {
  const [file = ''] = args;
  client.seed(file, { announce: [], pieceLength: 1_048_576 }, ({ torrentFile }) =>
    say(`${client.torrentPort} ${Buffer.from(torrentFile).toString('base64')}`),
  );
} else {
  const [port = '', torrentFile = '', path = ''] = args;
  client.add(Buffer.from(torrentFile, 'base64'), { path, announce: [] }, (torrent) => {
    let startedAtMs = 0;
    let cpuBefore = process.cpuUsage();
    torrent.on('download', () => {
      if (startedAtMs > 0) return;
      startedAtMs = performance.now();
      cpuBefore = process.cpuUsage();
    });
    torrent.on('done', () => {
      const seconds = (performance.now() - startedAtMs) / 1_000;
      const { user, system } = process.cpuUsage(cpuBefore);
      const mib = torrent.length / 1_048_576;
      say(JSON.stringify({ mibPerSecond: mib / seconds, cpuMsPerMib: (user + system) / 1_000 / mib }));
    });
    torrent.addPeer(`127.0.0.1:${port}`);
  });
}
