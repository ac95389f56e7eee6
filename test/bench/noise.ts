/**
 * What Noise's cipher costs: how fast each of those that it can have seals and opens messages, and how fast a paid file streams
 * between two nodes with it. Electron's main process has no cipher of OpenSSL's for Noise: `wasm` is what it would take there.
 * Nothing here is asserted on time.
 *
 *   node test/bench/noise.ts [--size 200] [--rounds 3] [--json]
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { ICryptoInterface } from '@chainsafe/libp2p-noise';
import { asCrypto, nodeCrypto } from '@chainsafe/libp2p-noise/crypto';
import { noiseCrypto } from '../../main/p2p/noise-cipher.ts';
import { CIPHERS, type CipherName } from './ciphers.ts';
import { touchMemory, writeNoise } from './files.ts';
import { endRoles, startRole } from './processes.ts';
import { machine, median, tell } from './report.ts';

/** The largest message of Noise, one of gossip, one of a tick. */
const MESSAGE_BYTES = [65_519, 1_000, 64] as const;
/** Long enough for the optimizing compiler, short enough for three ciphers, three sizes and some rounds. */
const AT_LEAST_MS = 150;

type Cipher = Pick<ICryptoInterface, 'chaCha20Poly1305Encrypt' | 'chaCha20Poly1305Decrypt'>;
interface Stream {
  readonly mibPerSecond: number;
  readonly viewerCpuMsPerMib: number;
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const sizeMib = Number(values.size);
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));
const ciphers: Readonly<Record<CipherName, Cipher>> = {
  libsodium: noiseCrypto(),
  openssl: nodeCrypto,
  wasm: asCrypto,
};

try {
  const file = join(dir, 'file.bin');
  await writeNoise(file, sizeMib);
  const messages = new Map<string, number[]>();
  const streams = new Map<CipherName, Stream[]>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const sizeBytes of MESSAGE_BYTES) {
      for (const name of CIPHERS) {
        for (const [what, run] of Object.entries(callsOf(ciphers[name], sizeBytes)))
          push(messages, `${name} ${what} ${sizeBytes}`, microseconds(run));
      }
    }
    for (const name of CIPHERS) push(streams, name, await stream(name, file));
  }
  report(messages, streams);
} finally {
  endRoles();
  rmSync(dir, { recursive: true, force: true });
}

function callsOf(cipher: Cipher, sizeBytes: number): Readonly<Record<'seal' | 'open', () => void>> {
  const [key, nonce, text, ad] = [
    randomBytes(32),
    randomBytes(12),
    randomBytes(sizeBytes),
    new Uint8Array(0),
  ];
  const sealed = Buffer.from(cipher.chaCha20Poly1305Encrypt(text, nonce, ad, key).subarray());
  return {
    seal: () => void cipher.chaCha20Poly1305Encrypt(text, nonce, ad, key),
    open: () => void cipher.chaCha20Poly1305Decrypt(sealed, nonce, ad, key),
  };
}

/** CPU time of one call: what else the machine does is none of it. */
function microseconds(run: () => void): number {
  for (let i = 0; i < 50; i++) run();
  const before = process.cpuUsage();
  const startedAtMs = performance.now();
  let calls = 0;
  for (; performance.now() - startedAtMs < AT_LEAST_MS; calls++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function stream(cipher: CipherName, file: string): Promise<Stream> {
  const base = join(dir, cipher);
  const hiding = pathToFileURL(join(import.meta.dirname, 'ciphers.ts')).href;
  const env = { BENCH_CIPHER: cipher, NODE_OPTIONS: `--import=${hiding}` };
  const start = (...args: string[]) => startRole('stream-roles.ts', args, env);
  const validator = await start('validator', join(base, 'validator'));
  const provider = await start('provider', join(base, 'provider'), validator.ready, file);
  touchMemory(join(dir, 'touch.bin'), sizeMib);
  const viewer = await start('viewer', join(base, 'viewer'), validator.ready, provider.ready);
  const { mibPerSecond, cpuMsPerMib } = JSON.parse(viewer.ready) as {
    mibPerSecond: number;
    cpuMsPerMib: number;
  };
  for (const role of [viewer, provider, validator]) role.end();
  rmSync(base, { recursive: true, force: true });
  return { mibPerSecond, viewerCpuMsPerMib: cpuMsPerMib };
}

function report(messages: Map<string, number[]>, streams: Map<CipherName, Stream[]>): void {
  const figures = {
    ...machine,
    sizeMib,
    microsecondsPerMessage: Object.fromEntries([...messages].map(([name, us]) => [name, median(us)])),
    streams: Object.fromEntries(streams),
  };
  const rows = MESSAGE_BYTES.flatMap((sizeBytes) =>
    CIPHERS.map((name) => {
      const cell = (what: string) => {
        const us = median(messages.get(`${name} ${what} ${sizeBytes}`) ?? []);
        return `${what} ${us.toFixed(1).padStart(8)} µs ${(sizeBytes / us).toFixed(0).padStart(6)} MB/s`;
      };
      return [`${sizeBytes} bytes, ${name}`, `${cell('seal')}   ${cell('open')}`] as const;
    }),
  );
  const rates = [...streams].map(([name, rounds]) => {
    const of = (pick: (round: Stream) => number) => median(rounds.map(pick)).toFixed(1);
    const each = rounds.map(({ mibPerSecond }) => mibPerSecond.toFixed(0)).join(', ');
    return [
      `paid stream, ${name}`,
      `${of((r) => r.mibPerSecond)} MiB/s, viewer ${of((r) => r.viewerCpuMsPerMib)} CPU ms per MiB   (${each})`,
    ] as const;
  });
  tell(figures, [['machine', `${machine.cpu}, ${machine.cores} cores`], ...rows, ...rates], values.json);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}
