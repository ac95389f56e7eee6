import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { durationApart, tracksApart } from '../../main/content/media-thread.ts';
import { longestWorkMs } from '../helpers/event-loop.ts';

const u16 = (n: number) => Buffer.of(n >> 8, n & 0xff);
const u32 = (n: number) => Buffer.concat([u16(n >>> 16), u16(n & 0xffff)]);

function box(type: string, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.byteLength + 8), Buffer.from(type), body]);
}

/** With a version, 0, and flags. */
const full = (type: string, flags: number, ...parts: Uint8Array[]) => box(type, u32(flags), ...parts);

/** Fragmented MP4 of some 900 bytes. A run of samples that says nothing of each takes no bytes for them. */
function fileOfSamples(codec: string, samples: number): Buffer {
  const zeros = (count: number) => Buffer.alloc(count);
  const matrix = Buffer.concat([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30].map(u32));
  const entry = box(codec, zeros(6), u16(1), zeros(16), u16(320), u16(240), zeros(50));
  const tables = ['stts', 'stsc', 'stco'].map((type) => full(type, 0, u32(0)));
  const stbl = box('stbl', full('stsd', 0, u32(1), entry), ...tables, full('stsz', 0, zeros(8)));
  const dinf = box('dinf', full('dref', 0, u32(1), full('url ', 1)));
  const mdia = box(
    'mdia',
    full('mdhd', 0, zeros(8), u32(1_000), u32(0), u16(0x55c4), u16(0)),
    full('hdlr', 0, u32(0), Buffer.from('vide'), zeros(12), Buffer.from('v\0')),
    box('minf', full('vmhd', 1, zeros(8)), dinf, stbl),
  );
  const tkhd = full('tkhd', 3, zeros(8), u32(1), zeros(24), matrix, u32(320 << 16), u32(240 << 16));
  return Buffer.concat([
    box('ftyp', Buffer.from('isom'), u32(512), Buffer.from('isomiso6mp41')),
    box(
      'moov',
      full(
        'mvhd',
        0,
        zeros(8),
        u32(1_000),
        u32(0),
        u32(1 << 16),
        u16(256),
        zeros(10),
        matrix,
        zeros(24),
        u32(2),
      ),
      box('trak', tkhd, mdia),
      box('mvex', full('trex', 0, ...[1, 1, 10, 1, 0].map(u32))),
    ),
    box(
      'moof',
      full('mfhd', 0, u32(1)),
      box(
        'traf',
        full('tfhd', 0x20000, u32(1)),
        full('tfdt', 0, u32(0)),
        full('trun', 1, u32(samples), u32(0)),
      ),
    ),
    box('mdat', zeros(100)),
  ]);
}

const reading = (bytes: Buffer) => async (start: number, end: number) =>
  new Uint8Array(bytes.subarray(start, end));

it('a file that claims four billion samples takes neither the time nor the memory of the node', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ace-media-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const bytes = fileOfSamples('av01', 0xff_ff_ff_f0);
  const path = join(dir, 'film.mp4');
  writeFileSync(path, bytes);
  const before = process.memoryUsage().heapUsed;
  const lagMs = await longestWorkMs(async () => {
    expect(await tracksApart(reading(bytes), bytes.byteLength)).toBeNull();
    expect(await durationApart(path, 'video/mp4')).toBe(0);
  });
  expect(lagMs).toBeLessThan(1_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1_048_576);
});

it('the same file with few samples is understood', async () => {
  const bytes = fileOfSamples('av01', 50);
  expect(await tracksApart(reading(bytes), bytes.byteLength)).toMatchObject([{ kind: 'video', name: 'AV1' }]);
});
