/**
 * How fast a paid, verified file streams between two processes, beside a bare libp2p stream of the same bytes, and how
 * many bytes payment costs on the wire. Prints a table, or JSON with --json. Nothing here is asserted on time.
 *
 *   npm run bench [-- --size 200] [--rounds 3] [--json]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createWriteStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const MIB = 1_048_576;
const ROLES = join(import.meta.dirname, 'stream-roles.ts');

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const sizeMib = Number(values.size);
const rounds = Number(values.rounds);
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));
const children: ChildProcess[] = [];

try {
  const file = join(dir, 'file.bin');
  await writeNoise(file, sizeMib);
  const bare: number[] = [];
  const paid: PaidRound[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await bareRound());
    paid.push(await paidRound(file, round));
  }
  report(bare, paid);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}

/** Two processes, one libp2p stream, the same number of bytes; nothing hashed, stored or paid. */
async function bareRound(): Promise<number> {
  const receiver = await role('bare-receiver', [String(sizeMib)]);
  const sender = await role('bare-sender', [receiver.ready, String(sizeMib)]);
  const result = JSON.parse(await receiver.nextLine()) as { mibPerSecond: number };
  sender.end();
  receiver.end();
  return result.mibPerSecond;
}

async function paidRound(file: string, round: number): Promise<PaidRound> {
  const base = join(dir, `round-${round}`);
  const validator = await role('validator', [join(base, 'validator')]);
  const provider = await role('provider', [join(base, 'provider'), validator.ready, file]);
  touchMemory(join(dir, 'touch.bin'), sizeMib * 2);
  const viewer = await role('viewer', [join(base, 'viewer'), validator.ready, provider.ready]);
  const result = JSON.parse(viewer.ready) as PaidRound;
  for (const child of [viewer, provider, validator]) child.end();
  rmSync(base, { recursive: true, force: true });
  return result;
}

interface PaidRound {
  readonly mibPerSecond: number;
  readonly startupMs: number;
  readonly paymentBytesPerMib: number;
  readonly protocolBytesPerMib: number;
  readonly peakRssMib: number;
}

interface Role {
  readonly ready: string;
  nextLine(): Promise<string>;
  end(): void;
}

async function role(name: string, args: readonly string[]): Promise<Role> {
  const child = spawn(process.execPath, [ROLES, name, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const waiting: string[] = [];
  lines.on('line', (line) => waiting.push(line));
  const nextLine = async (): Promise<string> => {
    while (waiting.length === 0) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
      await Promise.race([once(lines, 'line'), once(child, 'exit')]);
    }
    return waiting.shift() ?? '';
  };
  return { ready: await nextLine(), nextLine, end: () => child.kill('SIGKILL') };
}

/**
 * Writes a file of this size and removes it, so that the pages the viewer's file will lie in are backed by real memory.
 * A virtual machine may have given free memory back to its host; getting it again costs 2 ms for each MiB, as much as a
 * third of what is measured here, and neither side of the comparison is to blame for it.
 */
function touchMemory(path: string, mib: number): void {
  const fd = openSync(path, 'w');
  const block = new Uint8Array(MIB).fill(1);
  for (let i = 0; i < mib; i++) writeSync(fd, block);
  closeSync(fd);
  rmSync(path);
}

/** Bytes that do not compress and are not all the same, written without holding them. */
async function writeNoise(path: string, mib: number): Promise<void> {
  const out = createWriteStream(path);
  const block = new Uint8Array(MIB);
  let state = 0x9e3779b9;
  for (let i = 0; i < mib; i++) {
    const words = new Uint32Array(block.buffer);
    for (let w = 0; w < words.length; w++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[w] = state;
    }
    if (!out.write(Buffer.from(block))) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

function report(bare: readonly number[], results: readonly PaidRound[]): void {
  const bareSpeed = median(bare);
  const paidSpeed = median(results.map((r) => r.mibPerSecond));
  const summary = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    sizeMib,
    rounds,
    bareMibPerSecond: round1(bareSpeed),
    paidMibPerSecond: round1(paidSpeed),
    ratio: Math.round((paidSpeed / bareSpeed) * 100) / 100,
    goalRatio: 0.5,
    startupMs: median(results.map((r) => r.startupMs)),
    paymentBytesPerMib: round1(median(results.map((r) => r.paymentBytesPerMib))),
    goalPaymentBytesPerMib: 64,
    otherProtocolBytesPerMib: round1(median(results.map((r) => r.protocolBytesPerMib))),
    viewerPeakRssMib: Math.max(...results.map((r) => r.peakRssMib)),
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    return;
  }
  const rows: [string, string][] = [
    [
      'machine',
      `${summary.cpu}, ${summary.cores} cores; ${sizeMib} MiB, median of ${rounds} rounds, loopback`,
    ],
    ['bare libp2p stream', `${summary.bareMibPerSecond} MiB/s   (${bare.map(round1).join(', ')})`],
    [
      'paid and verified, disk to disk',
      `${summary.paidMibPerSecond} MiB/s   (${results.map((r) => round1(r.mibPerSecond)).join(', ')})`,
    ],
    ['ratio', `${summary.ratio}   (goal ${summary.goalRatio})`],
    [
      'payment on the wire',
      `${summary.paymentBytesPerMib} bytes per MiB   (goal ${summary.goalPaymentBytesPerMib} or less)`,
    ],
    ['other protocol', `${summary.otherProtocolBytesPerMib} bytes per MiB`],
    ['viewer, most memory', `${summary.viewerPeakRssMib} MiB`],
  ];
  process.stdout.write(`${rows.map(([label, text]) => `${label.padEnd(34)} ${text}`).join('\n')}\n`);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
