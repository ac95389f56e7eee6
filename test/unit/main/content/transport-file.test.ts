import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import {
  chunkHashesOf,
  contentIdOf,
  isContentName,
  MAX_CONTENT_BYTES,
  MAX_TRANSPORT_BYTES,
  makeTransportFile,
  parseContentId,
  pieceHash,
  readTransportFile,
  type TransportFile,
} from '../../../../main/content/transport-file.ts';
import { type DeviceIdentity, deviceFromSeed } from '../../../../main/wallet/device.ts';
import { CHUNK_BYTES, PIECE_BYTES } from '../../../../shared/economy/units.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const DEVICE = deviceFromSeed(new Uint8Array(32).fill(7));
const OTHER = deviceFromSeed(new Uint8Array(32).fill(8));
const FILE: Omit<TransportFile, 'broadcaster'> = {
  name: 'Рассвет.mp4',
  kind: 'vod',
  mimeType: 'video/mp4',
  sizeBytes: PIECE_BYTES + 1,
  durationMs: 9_000,
  pieceHashes: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)],
};
/** Frozen: another id for the same file would make every shared link worthless. */
const FILE_ID = 'bafyreidrdoef2bk3drsqp4fqieki5veirzr2wbutbuxlkaypzj5ouagosi';

const bodyFields = (file: Omit<TransportFile, 'broadcaster'> = FILE, device: DeviceIdentity = DEVICE) => [
  file.name,
  file.kind,
  file.mimeType,
  file.sizeBytes,
  file.durationMs,
  Buffer.concat(file.pieceHashes),
  device.publicKey,
];

/** A rightly signed transport file with this body, whatever it holds. */
function signed(fields: readonly unknown[], device: DeviceIdentity = DEVICE): Uint8Array {
  const body = dagCbor.encode(fields);
  return dagCbor.encode(['ace-transport-1', body, device.sign(body)]);
}

const read = (bytes: Uint8Array) => readTransportFile(contentIdOf(bytes), bytes);

/** The named field of the body replaced. */
function withField(index: number, value: unknown): Uint8Array {
  return signed(bodyFields().with(index, value as never));
}

describe('a transport file', () => {
  it('has the content id that it had on every other machine', () => {
    expect(makeTransportFile(FILE, DEVICE).contentId).toBe(FILE_ID);
  });

  it('is read as it was made', () => {
    const { contentId, bytes } = makeTransportFile(FILE, DEVICE);
    const file = readTransportFile(contentId, bytes);
    expect(file).toMatchObject({ ...FILE, pieceHashes: expect.anything(), broadcaster: expect.anything() });
    expect(file.pieceHashes.map((hash) => Buffer.from(hash))).toEqual(
      FILE.pieceHashes.map((hash) => Buffer.from(hash)),
    );
    expect(Buffer.from(file.broadcaster)).toEqual(Buffer.from(DEVICE.publicKey));
  });

  it('of another name, hash or device has another id', () => {
    const ids = [
      makeTransportFile(FILE, DEVICE),
      makeTransportFile({ ...FILE, name: 'Other' }, DEVICE),
      makeTransportFile({ ...FILE, pieceHashes: FILE.pieceHashes.toReversed() }, DEVICE),
      makeTransportFile(FILE, OTHER),
    ].map(({ contentId }) => contentId);
    expect(new Set(ids).size).toBe(4);
  });

  it('with any one byte changed is refused', () => {
    const { contentId, bytes } = makeTransportFile(FILE, DEVICE);
    for (let at = 0; at < bytes.byteLength; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const error = expectAceError('TransportFileInvalid', () => readTransportFile(contentId, changed));
      expect(error.message).toContain('its hash is not the content id');
    }
  });

  it.each<[string, string, () => Uint8Array]>([
    ['that is too large', 'too large', () => new Uint8Array(MAX_TRANSPORT_BYTES + 1)],
    ['that is noise', 'malformed', () => Uint8Array.of(255, 1, 2)],
    [
      'of another tag',
      'malformed',
      () => dagCbor.encode(['ace-transport-2', new Uint8Array(), new Uint8Array(64)]),
    ],
    ['without a signature', 'malformed', () => dagCbor.encode(['ace-transport-1', new Uint8Array()])],
    [
      'with a body that is no bytes',
      'malformed',
      () => dagCbor.encode(['ace-transport-1', 'x', new Uint8Array(64)]),
    ],
    [
      'with a short signature',
      'malformed',
      () => dagCbor.encode(['ace-transport-1', dagCbor.encode(bodyFields()), new Uint8Array(63)]),
    ],
    ['signed by another device', 'signature is wrong', () => signed(bodyFields(), OTHER)],
    [
      'with a signature of other bytes',
      'signature is wrong',
      () => dagCbor.encode(['ace-transport-1', dagCbor.encode(bodyFields()), DEVICE.sign(Uint8Array.of(1))]),
    ],
    [
      'with a body of noise',
      'malformed',
      () => {
        const body = Uint8Array.of(255);
        return dagCbor.encode(['ace-transport-1', body, DEVICE.sign(body)]);
      },
    ],
    ['with a field too few', 'malformed', () => signed(bodyFields().slice(0, 6))],
    ['with a field too many', 'malformed', () => signed([...bodyFields(), 1])],
    ['without a name', 'its name', () => withField(0, '')],
    ['with a name that is none', 'its name', () => withField(0, 5)],
    ['with a name of 256 characters', 'its name', () => withField(0, 'x'.repeat(256))],
    ['with a name that leads up', 'its name', () => withField(0, '../film.mp4')],
    ['with a name that leads up on Windows', 'its name', () => withField(0, '..\\film.mp4')],
    ['with a name that ends early', 'its name', () => withField(0, 'film\0.mp4')],
    ['of an unknown kind', 'its kind is unknown', () => withField(1, 'live')],
    ['with a MIME type of two lines', 'its MIME type', () => withField(2, 'video/mp4\r\nset-cookie: a=b')],
    ['with a MIME type that is none', 'its MIME type', () => withField(2, 'video')],
    ['of no bytes', 'its size is out of range', () => withField(3, 0)],
    ['of a negative size', 'its size is out of range', () => withField(3, -1)],
    ['of half a byte', 'its size is out of range', () => withField(3, 1.5)],
    ['above the largest size', 'its size is out of range', () => withField(3, MAX_CONTENT_BYTES + 1)],
    ['with a negative duration', 'its duration', () => withField(4, -1)],
    ['with a hash too few', 'one hash per piece', () => withField(5, new Uint8Array(32))],
    ['with a hash too many', 'one hash per piece', () => withField(5, new Uint8Array(96))],
    ['with a cut hash', 'one hash per piece', () => withField(5, new Uint8Array(63))],
    ['with a size of one piece more', 'one hash per piece', () => withField(3, 2 * PIECE_BYTES + 1)],
    ['with a broadcaster that is no key', 'its broadcaster', () => withField(6, new Uint8Array(31))],
  ])('%s is refused, and its sender dropped', (_what, says, make) => {
    const bytes = make();
    const error = expectAceError('TransportFileInvalid', () => read(bytes));
    expect(error.message).toContain(says);
    expect(error.reaction).toBe('drop-peer');
  });

  it('takes the limits themselves', () => {
    expect(read(withField(0, 'x'.repeat(255))).name).toHaveLength(255);
    expect(read(withField(3, 2 * PIECE_BYTES)).sizeBytes).toBe(2 * PIECE_BYTES);
    expect(read(withField(4, 0)).durationMs).toBe(0);
  });
});

describe('a content id', () => {
  it.each([
    ['bare', FILE_ID],
    ['in capitals', FILE_ID.toUpperCase()],
    ['with spaces around it', `  ${FILE_ID}\n`],
    ['as an ace: link', `ace:${FILE_ID}`],
    ['as an ace:// link', `ace://${FILE_ID}`],
    ['as an acestream:// link', `acestream://${FILE_ID}`],
  ])('is read %s', (_what, text) => {
    expect(parseContentId(text)).toBe(FILE_ID);
  });

  it.each([
    ['nothing', ''],
    ['a word', 'nonsense'],
    ['one that is cut', FILE_ID.slice(0, -1)],
    ['one of version 0', 'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n'],
    ['one of raw bytes', 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'],
    ['an address', `http://127.0.0.1/${FILE_ID}`],
  ])('is refused when it is %s', (_what, text) => {
    expectAceError('InvalidContentId', () => parseContentId(text));
  });
});

describe('a content’s name', () => {
  it.each(['a', 'Фильм с пробелами.mp4', 'x'.repeat(255), '..'])('may be %j', (name) => {
    expect(isContentName(name)).toBe(true);
  });

  it.each(['', 'x'.repeat(256), 'a/b', 'a\\b', 'a\0b'])('may not be %j', (name) => {
    expect(isContentName(name)).toBe(false);
  });
});

describe('chunk hashes', () => {
  it.each([
    [1, 1],
    [CHUNK_BYTES, 1],
    [CHUNK_BYTES + 1, 2],
    [PIECE_BYTES, 16],
  ])('of a piece of %i bytes are %i', (lengthBytes, count) => {
    expect(chunkHashesOf(new Uint8Array(lengthBytes))).toHaveLength(count * 32);
  });

  it('change the piece’s hash with the last byte', () => {
    const piece = new Uint8Array(CHUNK_BYTES + 1);
    const before = pieceHash(chunkHashesOf(piece));
    piece[CHUNK_BYTES] = 1;
    expect(Buffer.compare(pieceHash(chunkHashesOf(piece)), before)).not.toBe(0);
  });
});
