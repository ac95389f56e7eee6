/**
 * How fast a paid, verified file streams between two processes from disk to disk, beside a bare libp2p stream of the same
 * bytes, Node's plain HTTP and, where it is installed, WebTorrent; and how many bytes payment costs on the wire. Prints
 * a table, or JSON with --json. Nothing here is asserted on time.
 *
 *   npm run bench [-- --size 200] [--rounds 3] [--webtorrent DIR] [--json]
 *
 * WebTorrent: in an empty folder DIR, `npm init -y && npm install --ignore-scripts webtorrent@2.8.5
 * uint8-util@2.2.5` (later versions of the latter do not go with it).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { touchMemory, writeNoise } from './files.ts';
import { endRoles, startRole } from './processes.ts';
import { machine, median, tell } from './report.ts';

const ROLES = 'stream-roles.ts';
const GOAL_OF_BARE = 0.8;
const GOAL_OF_WEBTORRENT = 1.5;
const GOAL_PAYMENT_BYTES = 48;

interface Speed {
  readonly mibPerSecond: number;
}

interface PaidRound extends Speed {
  readonly startupMs: number;
  readonly paymentBytesPerMib: number;
  readonly protocolBytesPerMib: number;
  readonly quarterRssMib: number;
  readonly peakRssMib: number;
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    webtorrent: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const sizeMib = Number(values.size);
const rounds = Number(values.rounds);
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));

try {
  const file = join(dir, 'file.bin');
  await writeNoise(file, sizeMib);
  const http: Speed[] = [];
  const bare: Speed[] = [];
  const paid: PaidRound[] = [];
  const webtorrent: Speed[] = [];
  for (let round = 0; round < rounds; round++) {
    http.push(await httpRound(file));
    bare.push(await bareRound());
    paid.push(await paidRound(file, round));
    if (values.webtorrent !== undefined) webtorrent.push(await webtorrentRound(values.webtorrent, file));
  }
  report(http, bare, paid, webtorrent);
} finally {
  endRoles();
  rmSync(dir, { recursive: true, force: true });
}

/** One request between two processes, the file written as it comes. */
async function httpRound(file: string): Promise<Speed> {
  const server = await startRole(ROLES, ['http-server', file]);
  touchMemory(join(dir, 'touch.bin'), sizeMib);
  const copy = join(dir, 'http.bin');
  const client = await startRole(ROLES, ['http-client', server.ready, copy, String(sizeMib)]);
  for (const role of [client, server]) role.end();
  rmSync(copy);
  return JSON.parse(client.ready) as Speed;
}

/** Two processes, one libp2p stream, the same number of bytes; nothing hashed, stored or paid. */
async function bareRound(): Promise<Speed> {
  const receiver = await startRole(ROLES, ['bare-receiver', String(sizeMib)]);
  const sender = await startRole(ROLES, ['bare-sender', receiver.ready, String(sizeMib)]);
  const result = JSON.parse(await receiver.nextLine()) as Speed;
  for (const role of [sender, receiver]) role.end();
  return result;
}

async function paidRound(file: string, round: number): Promise<PaidRound> {
  const base = join(dir, `round-${round}`);
  const validator = await startRole(ROLES, ['validator', join(base, 'validator')]);
  const provider = await startRole(ROLES, ['provider', join(base, 'provider'), validator.ready, file]);
  touchMemory(join(dir, 'touch.bin'), sizeMib);
  const viewer = await startRole(ROLES, ['viewer', join(base, 'viewer'), validator.ready, provider.ready]);
  for (const role of [viewer, provider, validator]) role.end();
  rmSync(base, { recursive: true, force: true });
  return JSON.parse(viewer.ready) as PaidRound;
}

async function webtorrentRound(folder: string, file: string): Promise<Speed> {
  const seeder = await startRole('webtorrent-roles.ts', ['seeder', folder, file]);
  const [port = '', torrent = ''] = seeder.ready.split(' ');
  touchMemory(join(dir, 'touch.bin'), sizeMib);
  const copy = join(dir, 'webtorrent');
  const leecher = await startRole('webtorrent-roles.ts', ['leecher', folder, port, torrent, copy]);
  for (const role of [leecher, seeder]) role.end();
  rmSync(copy, { recursive: true, force: true });
  return JSON.parse(leecher.ready) as Speed;
}

function report(
  http: readonly Speed[],
  bare: readonly Speed[],
  paid: readonly PaidRound[],
  webtorrent: readonly Speed[],
): void {
  const speed = (of: readonly Speed[]) => round1(median(of.map((r) => r.mibPerSecond)));
  const all = (of: readonly Speed[]) => of.map((r) => round1(r.mibPerSecond)).join(', ');
  const ratio = (of: readonly Speed[]) => Math.round((speed(paid) / speed(of)) * 100) / 100;
  const figures = {
    ...machine,
    sizeMib,
    rounds,
    httpMibPerSecond: speed(http),
    bareMibPerSecond: speed(bare),
    paidMibPerSecond: speed(paid),
    webtorrentMibPerSecond: webtorrent.length > 0 ? speed(webtorrent) : null,
    ofBare: ratio(bare),
    ofWebtorrent: webtorrent.length > 0 ? ratio(webtorrent) : null,
    startupMs: median(paid.map((r) => r.startupMs)),
    paymentBytesPerMib: round1(median(paid.map((r) => r.paymentBytesPerMib))),
    otherProtocolBytesPerMib: round1(median(paid.map((r) => r.protocolBytesPerMib))),
    viewerQuarterRssMib: Math.max(...paid.map((r) => r.quarterRssMib)),
    viewerPeakRssMib: Math.max(...paid.map((r) => r.peakRssMib)),
  };
  const rows: [string, string][] = [
    [
      'machine',
      `${machine.cpu}, ${machine.cores} cores; ${sizeMib} MiB, median of ${rounds} rounds, loopback`,
    ],
    ['plain HTTP, disk to disk', `${figures.httpMibPerSecond} MiB/s   (${all(http)})`],
    ['bare libp2p stream, no disk', `${figures.bareMibPerSecond} MiB/s   (${all(bare)})`],
    ['paid and verified, disk to disk', `${figures.paidMibPerSecond} MiB/s   (${all(paid)})`],
    ['  of the bare stream', `${figures.ofBare}   (goal ${GOAL_OF_BARE})`],
  ];
  if (webtorrent.length > 0) {
    rows.push(
      ['WebTorrent, disk to disk', `${figures.webtorrentMibPerSecond} MiB/s   (${all(webtorrent)})`],
      ['  paid and verified, of that', `${figures.ofWebtorrent}   (goal ${GOAL_OF_WEBTORRENT})`],
    );
  } else
    rows.push([
      'WebTorrent',
      'not measured: give its folder with --webtorrent (see the head of this script)',
    ]);
  rows.push(
    [
      'payment on the wire',
      `${figures.paymentBytesPerMib} bytes per MiB   (goal ${GOAL_PAYMENT_BYTES} or less)`,
    ],
    ['other protocol', `${figures.otherProtocolBytesPerMib} bytes per MiB`],
    [
      'viewer, most memory',
      `${figures.viewerPeakRssMib} MiB; after a quarter of the file it was ${figures.viewerQuarterRssMib} MiB`,
    ],
  );
  tell(figures, rows, values.json);
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
