import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { durationMsOf, tracksOf } from '../../../../main/content/tracks.ts';
import { findProgram, type MediaOptions, makeVideo } from '../../../helpers/media.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ace-tracks-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Reads as from a content, and notes the furthest byte. */
function reading(bytes: Buffer) {
  const seen = { bytes: 0, upTo: 0 };
  const read = async (start: number, end: number) => {
    seen.bytes += end - start;
    seen.upTo = Math.max(seen.upTo, end);
    return new Uint8Array(bytes.subarray(start, end));
  };
  return { seen, read };
}

const film = async (name: string, options: Partial<MediaOptions> = {}) =>
  readFileSync(await makeVideo(join(dir, name), { seconds: 2, ...options }));

describe.skipIf(!findProgram('ffmpeg'))('tracksOf', () => {
  const H264 = {
    kind: 'video',
    name: 'H.264',
    type: expect.stringMatching(/^video\/mp4; codecs="avc1\.\w{6}"$/),
  };

  it.each([
    ['aac.mp4', 'aac', 'AAC', 'audio/mp4; codecs="mp4a.40.2"'],
    ['ac3.mp4', 'ac3', 'AC-3', 'audio/mp4; codecs="ac-3"'],
    ['ac3.mkv', 'ac3', 'AC-3', 'audio/mp4; codecs="ac-3"'],
    ['ac3.ts', 'ac3', 'AC-3', 'audio/mp4; codecs="ac-3"'],
    ['eac3.mp4', 'eac3', 'E-AC-3', 'audio/mp4; codecs="ec-3"'],
    ['eac3.mkv', 'eac3', 'E-AC-3', 'audio/mp4; codecs="ec-3"'],
    ['dts.mkv', 'dca', 'DTS', 'audio/mp4; codecs="dtsc"'],
    ['opus.mkv', 'libopus', 'Opus', 'audio/webm; codecs="opus"'],
  ])('tells the sound of %s', async (file, audio, name, type) => {
    const bytes = await film(file, { audio });
    const tracks = await tracksOf(reading(bytes).read, bytes.byteLength);
    expect(tracks).toEqual([H264, { kind: 'audio', name, type }]);
  });

  it('tells a picture of HEVC', async () => {
    const bytes = await film('hevc.mp4', { video: 'libx265', extra: ['-tag:v', 'hvc1'] });
    const tracks = await tracksOf(reading(bytes).read, bytes.byteLength);
    expect(tracks?.[0]).toMatchObject({ kind: 'video', name: 'HEVC' });
    expect(tracks?.[0]?.type).toMatch(/^video\/mp4; codecs="h(vc|ev)1\.[\w.]+"$/);
  });

  it('needs no more than the head of a long file that has its description in front', {
    tags: 'long',
  }, async () => {
    const options = { seconds: 20, bitrate: '2M', audio: 'ac3' };
    for (const [name, extra] of [
      ['front.mp4', ['-movflags', '+faststart']],
      ['front.mkv', []],
      ['front.ts', []],
    ] as const) {
      const bytes = await film(name, { ...options, extra: [...extra] });
      expect(bytes.byteLength).toBeGreaterThan(3 * 1_048_576);
      const { seen, read } = reading(bytes);
      expect(await tracksOf(read, bytes.byteLength), name).toHaveLength(2);
      expect(seen.upTo, name).toBeLessThanOrEqual(1_048_576);
    }
  });

  it('finds the description behind everything else, and reads little more than that', async () => {
    const bytes = await film('behind.mp4', { seconds: 20, bitrate: '2M', audio: 'ac3' });
    const { seen, read } = reading(bytes);
    expect(await tracksOf(read, bytes.byteLength)).toHaveLength(2);
    expect(seen.upTo).toBeGreaterThan(3 * 1_048_576);
    expect(seen.bytes).toBeLessThan(200_000);
  });

  it('says nothing of a file that is cut off, or of noise', async () => {
    const bytes = await film('cut.mp4');
    const half = bytes.subarray(0, bytes.byteLength / 2);
    expect(await tracksOf(reading(half).read, half.byteLength)).toBeNull();
    const noise = Buffer.from(bytes.map((byte, i) => byte ^ (i * 31)));
    expect(await tracksOf(reading(noise).read, noise.byteLength)).toBeNull();
  });

  it('gives up on a description that claims to be larger than any is', async () => {
    // A box of 3 GiB that is all description.
    const head = Buffer.alloc(64);
    head.writeUInt32BE(24, 0);
    head.write('ftypisom', 4, 'latin1');
    head.writeUInt32BE(3 * 1024 ** 3, 24);
    head.write('moov', 28, 'latin1');
    let readBytes = 0;
    const read = async (start: number, end: number) => {
      readBytes += end - start;
      const part = new Uint8Array(end - start);
      part.set(head.subarray(start, Math.max(start, Math.min(end, head.byteLength))));
      return part;
    };
    expect(await tracksOf(read, 4 * 1024 ** 3)).toBeNull();
    expect(readBytes).toBeLessThan(64 * 1_048_576);
  });

  it('answers for every damaged file, soon', { tags: 'long' }, async () => {
    const noise = vi.spyOn(console, 'error').mockImplementation(() => {}); // the reader tells of what it found
    onTestFinished(() => noise.mockRestore());
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (const name of ['damaged.mp4', 'damaged.mkv', 'damaged.ts']) {
      const whole = await film(name, { audio: 'ac3' });
      const describedAt = Math.max(0, whole.indexOf('moov'));
      for (let copy = 0; copy < 150; copy++) {
        const bytes = Buffer.from(whole);
        for (let i = 0; i <= copy % 12; i++) {
          const at = (i % 3 === 0 ? 0 : describedAt) + random(3_000);
          if (at + 4 <= bytes.byteLength)
            bytes.writeUInt32BE([0, 0xff_ff_ff_ff, random(2 ** 31)][i % 3] ?? 0, at);
        }
        const startedAtMs = performance.now();
        const tracks = await tracksOf(reading(bytes).read, bytes.byteLength);
        expect(tracks === null || tracks.length > 0).toBe(true);
        expect(performance.now() - startedAtMs, `${name}, copy ${copy}`).toBeLessThan(5_000);
      }
    }
  });

  it('says nothing when what it needs does not come', async () => {
    const late = async () => {
      throw new DOMException('not here', 'TimeoutError');
    };
    expect(await tracksOf(late, 5_000_000)).toBeNull();
  });
});

describe.skipIf(!findProgram('ffmpeg'))('durationMsOf', () => {
  it('is the time from the first picture to the last of an MPEG-TS', async () => {
    await film('plays.ts', { seconds: 7 });
    const durationMs = await durationMsOf(join(dir, 'plays.ts'), 'video/mp2t');
    expect(Math.abs(durationMs - 7_000)).toBeLessThan(100);
  });
});
