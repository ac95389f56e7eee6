/** The processes of the streaming bench; see run.ts. Each prints one JSON or address line when it is ready or done. */
import { DataDir } from '../../main/data-dir/data-dir.ts';
import '../../main/process/heap.ts';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { startNode } from '../../main/node/node.ts';
import { createHost, openStream, parseMultiaddr } from '../../main/p2p/host.ts';
import { startPeer } from '../../main/peer/peer.ts';
import { createLog } from '../../main/process/log.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { saveWallet } from '../../main/wallet/keystore.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { DEFAULT_DEVNET } from '../../shared/devnet-profile.ts';
import { isNear } from './delay-line.ts';

const MIB = 1_048_576;
/** As much at a time as the piece exchange hands to its stream. */
const SEND_BYTES = 8 * 65_536;
const BARE_PROTOCOL = '/ace-bench/bare/1.0.0';
const LIMITS = { maxFrameBytes: 70_000, maxBufferedBytes: 4 * MIB };

const [name, ...args] = process.argv.slice(2) as [string, ...string[]];
const say = (value: unknown) =>
  process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`);

const roles: Readonly<Record<string, () => Promise<void>>> = {
  async 'bare-receiver'() {
    const host = await createHost({ deviceSeed: createDevice().seed(), listen: ['/ip4/127.0.0.1/tcp/0'] });
    const totalBytes = Number(args[0]) * MIB;
    await host.handle(BARE_PROTOCOL, (stream) => {
      let receivedBytes = 0;
      let startedAtMs = 0;
      let cpuBefore = process.cpuUsage();
      stream.addEventListener('message', (event) => {
        if (receivedBytes === 0) {
          startedAtMs = performance.now();
          cpuBefore = process.cpuUsage();
        }
        receivedBytes += event.data.byteLength;
        if (receivedBytes < totalBytes) return;
        const seconds = (performance.now() - startedAtMs) / 1_000;
        const mib = totalBytes / MIB;
        say({ mibPerSecond: mib / seconds, cpuMsPerMib: cpuMsSince(cpuBefore) / mib });
      });
    });
    say(host.getMultiaddrs()[0]?.toString() ?? '');
  },

  async 'bare-sender'() {
    const host = await createHost({ deviceSeed: createDevice().seed(), listen: ['/ip4/127.0.0.1/tcp/0'] });
    const frames = await openStream(host, [parseMultiaddr(args[0] ?? '')], BARE_PROTOCOL, LIMITS);
    say('ready');
    const chunk = new Uint8Array(SEND_BYTES).fill(7);
    for (let sent = 0; sent < Number(args[1]) * MIB; sent += SEND_BYTES) {
      if (!frames.stream.send(chunk)) await once(frames.stream as never, 'drain');
    }
  },

  /** Node's plain HTTP, disk to disk: nothing encrypted, hashed or paid. */
  async 'http-server'() {
    const server = createServer((_, res) => {
      pipeline(createReadStream(args[0] ?? '', { highWaterMark: SEND_BYTES }), res).catch(() =>
        res.destroy(),
      );
    });
    server.listen(0, '127.0.0.1', () => say(String((server.address() as AddressInfo).port)));
  },

  async 'http-client'() {
    const request = get({ port: Number(args[0]), host: '127.0.0.1' });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const startedAtMs = performance.now();
    const cpuBefore = process.cpuUsage();
    await pipeline(response, createWriteStream(args[1] ?? ''));
    const mib = Number(args[2]);
    const mibPerSecond = mib / ((performance.now() - startedAtMs) / 1_000);
    say({ mibPerSecond, cpuMsPerMib: cpuMsSince(cpuBefore) / mib });
  },

  /** Two wallets of one account: between own devices the same transfer costs nothing. */
  async 'own-devices'() {
    const phrase = createPhrase(12);
    for (const dir of args) {
      mkdirSync(dir, { recursive: true });
      const secrets = { phrase, deviceSeed: createDevice().seed() };
      await saveWallet(`${dir}/wallet.json`, secrets, { protection: 'none', devnet: true });
    }
    say('made');
  },

  /**
   * A viewer with players: for each content id that it reads, how long the player of that content waited for its first
   * byte. The provider is connected already.
   */
  async player() {
    const [dir = '', joinMultiaddr = '', ...contentIds] = args;
    const none = `${dir}/none`;
    const node = await startNode({
      dataDir: dir,
      joinMultiaddr,
      httpPort: 0,
      resourcesDir: none,
      pagesDir: none,
    });
    isNear(node.http.port); // the player is on its user's machine
    const waitedMs: number[] = [];
    for (const contentId of contentIds) {
      const startedAtMs = performance.now();
      const { body } = await fetch(new URL(`content/${contentId}`, node.http.url));
      const reader = body?.getReader();
      await reader?.read();
      waitedMs.push(performance.now() - startedAtMs);
      await reader?.cancel();
      // What was asked for and not withdrawn in time is on its way still, and not what is measured.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    say({ waitedMs });
  },

  async validator() {
    mkdirSync(args[0] ?? '', { recursive: true });
    const { multiaddr } = await runDevnetValidator({
      dataDir: args[0] ?? '',
      port: 0,
      profile: DEFAULT_DEVNET,
    });
    say(multiaddr);
  },

  async provider() {
    const [dir = '', shard = '', ...files] = args;
    const peer = await peerIn(dir, shard);
    const contentIds: string[] = [];
    for (const path of files) contentIds.push((await peer.import({ path })).contentId);
    say(contentIds.join(' '));
  },

  async viewer() {
    const peer = await peerIn(args[0] ?? '', args[1] ?? '');
    const transfer = await peer.library.transfer(args[2] ?? '');
    const startedAtMs = performance.now();
    const cpuBefore = process.cpuUsage();
    /** Most memory up to each quarter of the file. */
    const quarterRssMib: number[] = [];
    transfer.download();
    while (transfer.state !== 'done') {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const quarters = Math.floor((4 * transfer.haveBytes) / transfer.file.sizeBytes);
      while (quarterRssMib.length < quarters) quarterRssMib.push(peakRssMib());
    }
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const cpuMs = cpuMsSince(cpuBefore);
    await transfer.stop();
    const totals = peer.meter.totals();
    const mib = transfer.file.sizeBytes / MIB;
    say({
      // As for the bare stream: from the first request to the last byte, here stored and paid.
      mibPerSecond: mib / (transfer.fetchingMs / 1_000),
      startupMs: Math.round(seconds * 1_000 - transfer.fetchingMs),
      paymentBytesPerMib: totals.paymentBytes / mib,
      protocolBytesPerMib: totals.protocolBytes / mib,
      cpuMsPerMib: cpuMs / mib,
      quarterRssMib: [...quarterRssMib, ...Array(4).fill(peakRssMib())].slice(0, 4),
      paidUnits: transfer.paidUnits,
    });
  },
};

const role = roles[name];
if (!role) throw new Error(`No role ${name}`);
await role();

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function peakRssMib(): number {
  return Math.round(process.resourceUsage().maxRSS / 1_024);
}

async function peerIn(dir: string, shardMultiaddr: string) {
  mkdirSync(dir, { recursive: true });
  return startPeer({ dataDir: new DataDir(dir), shardMultiaddr, p2pPort: 0, log: createLog(null) });
}
