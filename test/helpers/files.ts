import { createHash, hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const BLOCK_BYTES = 65_536;
const WAV_HEADER_BYTES = 44;

/** Writes a file of deterministic bytes that no compression shortens, without holding it in memory. */
export async function makeFile(path: string, sizeBytes: number, seed = 'a'): Promise<string> {
  await pipeline(Readable.from(blocks(sizeBytes, seed)), createWriteStream(path));
  return path;
}

function* blocks(sizeBytes: number, seed: string): Generator<Buffer> {
  // One block of noise, a different head in each, so that no two pieces are the same.
  const noise = Buffer.alloc(BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at += 32) hash('sha256', `${seed} ${at}`, 'buffer').copy(noise, at);
  for (let done = 0; done < sizeBytes; done += BLOCK_BYTES) {
    const block = Buffer.from(noise);
    block.writeBigUInt64LE(BigInt(done), 0);
    yield block.subarray(0, Math.min(BLOCK_BYTES, sizeBytes - done));
  }
}

/** Hex. */
export async function sha256OfFile(path: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(path), digest);
  return digest.digest('hex');
}

/** Writes sound of `durationMs` that nobody would like to hear: what has a time of play counts as viewed. */
export async function makeMedia(path: string, sizeBytes: number, durationMs: number): Promise<string> {
  await makeFile(path, sizeBytes, path);
  const bytesPerSecond = Math.round((sizeBytes - WAV_HEADER_BYTES) / (durationMs / 1_000));
  const file = await open(path, 'r+');
  try {
    await file.write(wavHeader(sizeBytes, bytesPerSecond), 0, WAV_HEADER_BYTES, 0);
  } finally {
    await file.close();
  }
  return path;
}

/** One channel of 8 bits. */
function wavHeader(sizeBytes: number, samplesPerSecond: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(sizeBytes - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // channels
  header.writeUInt32LE(samplesPerSecond, 24);
  header.writeUInt32LE(samplesPerSecond, 28); // bytes a second
  header.writeUInt16LE(1, 32); // bytes of a sample
  header.writeUInt16LE(8, 34); // bits of a sample
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(sizeBytes - WAV_HEADER_BYTES, 40);
  return header;
}
