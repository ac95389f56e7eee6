import { createHash, hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const BLOCK_BYTES = 65_536;

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
