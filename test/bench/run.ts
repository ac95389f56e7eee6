/**
 * How fast a paid, verified file streams between two processes from disk to disk, beside a bare libp2p stream of the same
 * bytes, WebTorrent and Node's plain HTTP, with the CPU time that each costs; and how many bytes payment costs on the
 * wire. Prints one table with the goals, or JSON with --json. Nothing here is asserted on time.
 *
 *   npm run bench [-- --size 200] [--rounds 3] [--large] [--webtorrent DIR] [--json]
 *
 * --large: one round of 2 GiB, which shows whether the viewer's memory stays flat; takes 6 GiB of disk.
 * --webtorrent: measured only when a folder is given. It is no dependency of the project; where the folder has none, npm
 * puts it there as `WEBTORRENT` says, without its install scripts. Without it the rest is measured alike.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { touchMemory, writeNoise } from './files.ts';
import { endRoles, type Role, startRole } from './processes.ts';
import { machine, median, tell } from './report.ts';

const ROLES = 'stream-roles.ts';
/** Later versions of the second do not go with the first. */
const WEBTORRENT = ['webtorrent@2.8.5', 'uint8-util@2.2.5'];
const LARGE_MIB = 2_048;
const GOAL_OF_BARE = 0.8;
const GOAL_OF_WEBTORRENT = 1.5;
const GOAL_PAYMENT_BYTES = 48;
/** What the viewer's memory may grow by from the first quarter of the file to its end. */
const GOAL_GROWTH_MIB = 32;

/** One contender's round. CPU time is that of all threads of a process. */
interface Round {
  readonly mibPerSecond: number;
  readonly receiverCpuMsPerMib: number;
  /** `null` where the system does not tell. */
  readonly senderCpuMsPerMib: number | null;
}

interface PaidRound extends Round {
  readonly startupMs: number;
  readonly paymentBytesPerMib: number;
  readonly protocolBytesPerMib: number;
  /** Most memory of the viewer up to each quarter of the file. */
  readonly quarterRssMib: readonly number[];
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    large: { type: 'boolean', default: false },
    webtorrent: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const sizeMib = values.large ? LARGE_MIB : Number(values.size);
const rounds = values.large ? 1 : Number(values.rounds);
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));

try {
  const webtorrentDir = values.webtorrent === undefined ? null : webtorrentIn(values.webtorrent);
  const file = join(dir, 'file.bin');
  await writeNoise(file, sizeMib);
  const paid: PaidRound[] = [];
  const bare: Round[] = [];
  const webtorrent: Round[] = [];
  const http: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    http.push(await httpRound(file));
    bare.push(await bareRound());
    paid.push(await paidRound(file, round));
    if (webtorrentDir !== null) webtorrent.push(await webtorrentRound(webtorrentDir, file));
  }
  report(paid, bare, webtorrent, http);
} finally {
  endRoles();
  rmSync(dir, { recursive: true, force: true });
}

/** The folder, with WebTorrent in it. */
function webtorrentIn(folder: string): string {
  const path = resolve(folder);
  if (existsSync(join(path, 'node_modules/webtorrent'))) return path;
  mkdirSync(path, { recursive: true });
  // Its own: npm would go up to the next one.
  writeFileSync(join(path, 'package.json'), '{ "private": true }\n');
  execFileSync('npm', ['install', '--ignore-scripts', ...WEBTORRENT], { cwd: path, stdio: 'ignore' });
  return path;
}

/** Waits for the receiver's word, while the sender's CPU time is taken. */
async function measured<R extends { readonly mibPerSecond: number; readonly cpuMsPerMib: number }>(
  sender: Role,
  receive: () => Promise<string>,
): Promise<R & Round> {
  const before = sender.cpuMs();
  const result = JSON.parse(await receive()) as R;
  const after = sender.cpuMs();
  return {
    ...result,
    receiverCpuMsPerMib: result.cpuMsPerMib,
    senderCpuMsPerMib: before === null || after === null ? null : (after - before) / sizeMib,
  };
}

/** One request between two processes, the file written as it comes. */
async function httpRound(file: string): Promise<Round> {
  const server = await startRole(ROLES, ['http-server', file]);
  touchMemory(join(dir, 'touch.bin'), sizeMib);
  const copy = join(dir, 'http.bin');
  const result = await measured(server, async () => {
    const client = await startRole(ROLES, ['http-client', server.ready, copy, String(sizeMib)]);
    client.end();
    return client.ready;
  });
  server.end();
  rmSync(copy);
  return result;
}

/** Two processes, one libp2p stream, the same number of bytes; nothing hashed, stored or paid. */
async function bareRound(): Promise<Round> {
  const receiver = await startRole(ROLES, ['bare-receiver', String(sizeMib)]);
  const sender = await startRole(ROLES, ['bare-sender', receiver.ready, String(sizeMib)]);
  const result = await measured(sender, receiver.nextLine);
  for (const role of [sender, receiver]) role.end();
  return result;
}

async function paidRound(file: string, round: number): Promise<PaidRound> {
  const base = join(dir, `round-${round}`);
  const validator = await startRole(ROLES, ['validator', join(base, 'validator')]);
  const provider = await startRole(ROLES, ['provider', join(base, 'provider'), validator.ready, file]);
  touchMemory(join(dir, 'touch.bin'), sizeMib);
  const result = await measured<PaidRound & { cpuMsPerMib: number }>(provider, async () => {
    const viewer = await startRole(ROLES, ['viewer', join(base, 'viewer'), validator.ready, provider.ready]);
    viewer.end();
    return viewer.ready;
  });
  for (const role of [provider, validator]) role.end();
  rmSync(base, { recursive: true, force: true });
  return result;
}

async function webtorrentRound(folder: string, file: string): Promise<Round> {
  const script = 'webtorrent-roles.ts';
  const seeder = await startRole(script, ['seeder', folder, file]);
  const [port = '', torrent = ''] = seeder.ready.split(' ');
  touchMemory(join(dir, 'touch.bin'), sizeMib);
  const copy = join(dir, 'webtorrent');
  const result = await measured(seeder, async () => {
    const leecher = await startRole(script, ['leecher', folder, port, torrent, copy]);
    leecher.end();
    return leecher.ready;
  });
  seeder.end();
  rmSync(copy, { recursive: true, force: true });
  return result;
}

function report(
  paid: readonly PaidRound[],
  bare: readonly Round[],
  webtorrent: readonly Round[],
  http: readonly Round[],
): void {
  const figuresOf = (of: readonly Round[]) => ({
    mibPerSecond: round1(median(of.map((r) => r.mibPerSecond))),
    rounds: of.map((r) => round1(r.mibPerSecond)),
    receiverCpuMsPerMib: round1(median(of.map((r) => r.receiverCpuMsPerMib))),
    senderCpuMsPerMib: of.some((r) => r.senderCpuMsPerMib === null)
      ? null
      : round1(median(of.map((r) => r.senderCpuMsPerMib ?? 0))),
  });
  // Within one round: what else the machine does weighs on both alike.
  const ratio = (of: readonly Round[]) =>
    of.length === 0 ? null : round2(median(paid.map((r, i) => r.mibPerSecond / (of[i]?.mibPerSecond ?? 1))));
  const growthMib = (r: PaidRound) => (r.quarterRssMib[3] ?? 0) - (r.quarterRssMib[0] ?? 0);
  const fattest = paid.reduce((a, b) => (growthMib(b) > growthMib(a) ? b : a));
  const figures = {
    ...machine,
    sizeMib,
    rounds,
    paid: figuresOf(paid),
    bare: figuresOf(bare),
    webtorrent: webtorrent.length > 0 ? figuresOf(webtorrent) : null,
    http: figuresOf(http),
    ofBare: ratio(bare),
    ofWebtorrent: ratio(webtorrent),
    ofHttp: ratio(http),
    startupMs: median(paid.map((r) => r.startupMs)),
    paymentBytesPerMib: round1(median(paid.map((r) => r.paymentBytesPerMib))),
    otherProtocolBytesPerMib: round1(median(paid.map((r) => r.protocolBytesPerMib))),
    viewerQuarterRssMib: fattest.quarterRssMib,
  };
  const line = ({ mibPerSecond, receiverCpuMsPerMib, senderCpuMsPerMib, rounds }: typeof figures.paid) => {
    const cpu = `${cell(receiverCpuMsPerMib, 8)}${cell(senderCpuMsPerMib ?? '?', 8)}`;
    return `${cell(mibPerSecond, 7)} MiB/s${cpu}   ${rounds.join(', ')}`;
  };
  const against = (value: number | null, goal: number) =>
    `${cell(value ?? '?', 7)}         goal ${goal}: ${(value ?? 0) >= goal ? 'reached' : 'missed'}`;
  const { webtorrent: wt } = figures;
  tell(
    figures,
    [
      ['machine', `${machine.cpu}, ${machine.cores} cores; ${sizeMib} MiB, ${rounds} rounds, loopback`],
      ['', '   median   CPU ms per MiB: receiver, sender   rounds'],
      ['our node: paid, verified, disk to disk', line(figures.paid)],
      ['bare libp2p stream, no disk', line(figures.bare)],
      ['WebTorrent, disk to disk', wt ? line(wt) : '      not measured: give it a folder with --webtorrent'],
      ["Node's plain HTTP, disk to disk", line(figures.http)],
      ['our node, of the bare stream', against(figures.ofBare, GOAL_OF_BARE)],
      ...(wt
        ? [['our node, of WebTorrent', against(figures.ofWebtorrent, GOAL_OF_WEBTORRENT)] as const]
        : []),
      ['our node, of plain HTTP', cell(figures.ofHttp ?? '?', 7)],
      [
        'payment on the wire, bytes per MiB',
        `${cell(figures.paymentBytesPerMib, 7)}         goal ${GOAL_PAYMENT_BYTES} or less`,
      ],
      ['other protocol, bytes per MiB', cell(figures.otherProtocolBytesPerMib, 7)],
      [
        "viewer's memory, by quarters of the file",
        `   ${fattest.quarterRssMib.join(', ')} MiB; goal: grows by ${GOAL_GROWTH_MIB} MiB or less (${growthMib(fattest)})`,
      ],
    ],
    values.json,
  );
}

function cell(value: number | string, width: number): string {
  return String(value).padStart(width);
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
