import { Uint8ArrayList } from 'uint8arraylist';
import { describe, expect, it } from 'vitest';
import { chunkHashesOf, pieceHash } from '../../../../main/content/transport-file.ts';
import { type ExpectedPiece, PieceReceiver } from '../../../../main/pieces/piece-receiver.ts';
import { CHUNK_BYTES, PIECE_BYTES } from '../../../../shared/economy/units.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

interface Sample {
  readonly bytes: Uint8Array;
  readonly hashes: Uint8Array;
  readonly expected: ExpectedPiece;
}

function sample(lengthBytes: number, pieceIndex = 3): Sample {
  const bytes = Uint8Array.from(
    { length: lengthBytes },
    (_, i) => (i * 7 + (i >> 8) + (i >> 16) * 13 + pieceIndex) & 0xff,
  );
  const hashes = chunkHashesOf(bytes);
  return { bytes, hashes, expected: { pieceIndex, lengthBytes, hash: pieceHash(hashes) } };
}

function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.byteLength / CHUNK_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
}

/** Receives a whole piece; every chunk but the last gives null. */
function receive(receiver: PieceReceiver, { bytes, hashes, expected }: Sample): Uint8Array | null {
  receiver.begin(expected, hashes);
  const answers = chunksOf(bytes).map((chunk) => receiver.add(chunk));
  expect(answers.slice(0, -1).every((answer) => answer === null)).toBe(true);
  return answers.at(-1) ?? null;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('PieceReceiver', () => {
  it.each([1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, PIECE_BYTES - 1, PIECE_BYTES])(
    'puts a piece of %i bytes together',
    (lengthBytes) => {
      const receiver = new PieceReceiver();
      const piece = sample(lengthBytes);
      expect(Buffer.from(receive(receiver, piece) ?? [])).toEqual(Buffer.from(piece.bytes));
      expect(receiver.busy).toBe(false);
    },
  );

  it('takes a chunk that lies in several buffers', () => {
    const receiver = new PieceReceiver();
    const { bytes, hashes, expected } = sample(1_000);
    receiver.begin(expected, hashes);
    const parts = new Uint8ArrayList(bytes.subarray(0, 1), bytes.subarray(1, 999), bytes.subarray(999));
    expect(Buffer.from(receiver.add(parts) ?? [])).toEqual(Buffer.from(bytes));
  });

  it('is busy between the first chunk and the last', () => {
    const receiver = new PieceReceiver();
    const { bytes, hashes, expected } = sample(CHUNK_BYTES + 1);
    expect(receiver.busy).toBe(false);
    receiver.begin(expected, hashes);
    expect(receiver.busy).toBe(true);
    receiver.add(bytes.subarray(0, CHUNK_BYTES));
    expect(receiver.busy).toBe(true);
    receiver.add(bytes.subarray(CHUNK_BYTES));
    expect(receiver.busy).toBe(false);
  });

  it.each([0, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 9])(
    'refuses the chunk in which byte %i is wrong, at that chunk',
    (at) => {
      const receiver = new PieceReceiver();
      const { bytes, hashes, expected } = sample(2 * CHUNK_BYTES + 10);
      receiver.begin(expected, hashes);
      chunksOf(flipped(bytes, at)).forEach((chunk, i) => {
        if (i < Math.floor(at / CHUNK_BYTES)) expect(receiver.add(chunk)).toBeNull();
        else if (i === Math.floor(at / CHUNK_BYTES)) {
          const error = expectAceError('PieceCorrupt', () => receiver.add(chunk));
          expect(error.reaction).toBe('drop-peer');
        }
      });
    },
  );

  it('refuses right chunks in the wrong order', () => {
    const receiver = new PieceReceiver();
    const { bytes, hashes, expected } = sample(2 * CHUNK_BYTES);
    receiver.begin(expected, hashes);
    expectAceError('PieceCorrupt', () => receiver.add(bytes.subarray(CHUNK_BYTES)));
  });

  it.each([
    ['shorter', (b: Uint8Array) => b.subarray(0, CHUNK_BYTES - 1)],
    ['longer', (b: Uint8Array) => b.subarray(0, CHUNK_BYTES + 1)],
    ['nothing rather', (b: Uint8Array) => b.subarray(0, 0)],
  ])('refuses a chunk that is %s than its place', (_what, part) => {
    const receiver = new PieceReceiver();
    const { bytes, hashes, expected } = sample(2 * CHUNK_BYTES);
    receiver.begin(expected, hashes);
    expectAceError('PieceCorrupt', () => receiver.add(part(bytes)));
  });

  it('refuses a last chunk that goes beyond a short last piece', () => {
    const receiver = new PieceReceiver();
    const { bytes, hashes, expected } = sample(CHUNK_BYTES + 10);
    receiver.begin(expected, hashes);
    receiver.add(bytes.subarray(0, CHUNK_BYTES));
    expectAceError('PieceCorrupt', () => receiver.add(new Uint8Array(CHUNK_BYTES)));
  });

  it.each([
    ['of other bytes', (h: Uint8Array) => flipped(h, 40)],
    ['one too few', (h: Uint8Array) => h.subarray(32)],
    ['one too many', (h: Uint8Array) => Buffer.concat([h, new Uint8Array(32)])],
    ['cut', (h: Uint8Array) => h.subarray(0, h.byteLength - 1)],
    ['missing', () => new Uint8Array()],
  ])('refuses chunk hashes that are %s, before any data', (_what, wrong) => {
    const receiver = new PieceReceiver();
    const { hashes, expected } = sample(2 * CHUNK_BYTES);
    expectAceError('PieceCorrupt', () => receiver.begin(expected, wrong(hashes)));
    expect(receiver.busy).toBe(false);
  });

  it('refuses a chunk when no piece was begun, and after the last', () => {
    const receiver = new PieceReceiver();
    expectAceError('MessageUnexpected', () => receiver.add(new Uint8Array(1)));
    receive(receiver, sample(10));
    expectAceError('MessageUnexpected', () => receiver.add(new Uint8Array(1)));
  });

  it('fills a recycled buffer again, and the short piece before leaves nothing behind', () => {
    const receiver = new PieceReceiver();
    const short = receive(receiver, sample(10));
    receiver.recycle(short ?? new Uint8Array());
    const whole = sample(PIECE_BYTES, 4);
    const next = receive(receiver, whole);
    expect(next?.buffer).toBe(short?.buffer);
    expect(Buffer.compare(next ?? new Uint8Array(), whole.bytes)).toBe(0);
  });

  it('never fills the buffer of a piece that is still in use', () => {
    const receiver = new PieceReceiver();
    const [a, b] = [sample(100, 1), sample(100, 2)];
    const first = receive(receiver, a);
    const second = receive(receiver, b);
    expect(second?.buffer).not.toBe(first?.buffer);
    expect(Buffer.from(first ?? [])).toEqual(Buffer.from(a.bytes));
  });
});
