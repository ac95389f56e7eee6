/** The processes of the streaming bench; see run.ts. Each prints one JSON or address line when it is ready or done. */
import '../../main/heap.ts';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { DEFAULT_DEVNET } from '../../main/config.ts';
import { createLog } from '../../main/log.ts';
import { createHost, openStream, parseMultiaddr } from '../../main/p2p/host.ts';
import { startPeer } from '../../main/peer.ts';
import { runDevnetValidator } from '../../main/shard/devnet.ts';
import { createDevice } from '../../main/wallet/device.ts';

const MIB = 1_048_576;
/** As much at a time as the piece exchange hands to its stream. */
const SEND_BYTES = 8 * 65_536;
const BARE_PROTOCOL = '/ace-bench/bare/1.0.0';
const LIMITS = { maxFrameBytes: 70_000, maxBufferedBytes: 4 * MIB };
const NO_EVENTS = { onChange: () => {}, onContents: () => {}, onSettlements: () => {} };

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
        const cpu = process.cpuUsage(cpuBefore);
        const mib = totalBytes / MIB;
        say({ mibPerSecond: mib / seconds, cpuMsPerMib: (cpu.user + cpu.system) / 1_000 / mib });
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
    const peer = await peerIn(args[0] ?? '', args[1] ?? '');
    const { contentId } = await peer.import({ path: args[2] ?? '' });
    say(contentId);
  },

  async viewer() {
    const peer = await peerIn(args[0] ?? '', args[1] ?? '');
    const transfer = await peer.library.transfer(args[2] ?? '');
    const startedAtMs = performance.now();
    const cpuBefore = process.cpuUsage();
    transfer.download();
    while (transfer.state !== 'done') await new Promise((resolve) => setTimeout(resolve, 5));
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const cpu = process.cpuUsage(cpuBefore);
    await transfer.stop();
    const totals = peer.meter.totals();
    const mib = transfer.file.sizeBytes / MIB;
    say({
      // As for the bare stream: from the first request to the last byte, here stored and paid.
      mibPerSecond: mib / (transfer.fetchingMs / 1_000),
      startupMs: Math.round(seconds * 1_000 - transfer.fetchingMs),
      paymentBytesPerMib: totals.paymentBytes / mib,
      protocolBytesPerMib: totals.protocolBytes / mib,
      cpuMsPerMib: (cpu.user + cpu.system) / 1_000 / mib,
      peakRssMib: Math.round(process.resourceUsage().maxRSS / 1_024),
    });
  },
};

const role = roles[name];
if (!role) throw new Error(`No role ${name}`);
await role();

async function peerIn(dir: string, shardMultiaddr: string) {
  mkdirSync(dir, { recursive: true });
  return startPeer({ dir, shardMultiaddr, p2pPort: 0, log: createLog(null), events: NO_EVENTS });
}
