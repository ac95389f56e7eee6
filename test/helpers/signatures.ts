/** Second forms of things that have one: signatures, keys and encodings. */
import * as dagCbor from '@ipld/dag-cbor';

const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The other S of an Ed25519 signature: S + L. Some libraries take it for valid. */
export function malleated(signature: Uint8Array): Uint8Array {
  const bytes = Buffer.from(signature);
  let s = 0n;
  for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(bytes[i] ?? 0);
  s += ED25519_ORDER;
  for (let i = 32; i < 64; i++, s >>= 8n) bytes[i] = Number(s & 255n);
  return new Uint8Array(bytes);
}

/** The other signature that anyone can make of a secp256k1 one: n − s, and the other parity. 65 bytes. */
export function highS(signature: Uint8Array): Uint8Array {
  const bytes = Buffer.from(signature);
  const s = SECP256K1_ORDER - BigInt(`0x${bytes.subarray(32, 64).toString('hex')}`);
  bytes.write(s.toString(16).padStart(64, '0'), 32, 'hex');
  bytes[64] = bytes[64] === 27 ? 28 : 27;
  return new Uint8Array(bytes);
}

/** All encodings of the points of Ed25519 whose order is 1, 2, 4 or 8, canonical and not. */
export const SMALL_ORDER_KEYS: readonly Uint8Array[] = [
  `00${'00'.repeat(31)}`,
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
].flatMap((hex) => {
  const key = Uint8Array.from(Buffer.from(hex, 'hex'));
  return [key, key.map((byte, i) => (i === 31 ? byte | 0x80 : byte))];
});

/** R is the neutral point and S is 0: under a key of small order this passes for the signature of nearly anything. */
export const UNIVERSAL_SIGNATURE: Uint8Array = Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 1 : 0));

/** Other bytes that a careless decoder reads as the same dag-cbor list of fewer than 24 items. */
export function secondEncodings(list: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  const items = (list[0] ?? 0) & 0x1f;
  const rest = list.subarray(1);
  return [
    ['a list without a length', Buffer.concat([Buffer.of(0x9f), rest, Buffer.of(0xff)])],
    ['a length in two bytes', Buffer.concat([Buffer.of(0x98, items), rest])],
    ['a length in three bytes', Buffer.concat([Buffer.of(0x99, 0, items), rest])],
    ['a byte more', Buffer.concat([list, Buffer.of(0)])],
    ['a tag around it', Buffer.concat([Buffer.of(0xd8, 0x18), list])],
    ...floats(list),
  ];
}

/** The list with one of its numbers as a float, for each number in it. */
function floats(list: Uint8Array): (readonly [string, Uint8Array])[] {
  const items = dagCbor.decode(list) as unknown[];
  return items.flatMap((value, at) => {
    if (typeof value !== 'number') return [];
    const float = Buffer.alloc(9);
    float[0] = 0xfb;
    float.writeDoubleBE(value, 1);
    const encoded = items.map((item, i) => (i === at ? float : dagCbor.encode(item)));
    return [[`item ${at} as a float`, Buffer.concat([list.subarray(0, 1), ...encoded])] as const];
  });
}
