import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import type { Sold } from '../../../../main/content/sold-terms.ts';
import { AccessGate } from '../../../../main/pieces/access-gate.ts';
import { MAX_SHOWN } from '../../../../main/pieces/constants.ts';
import { sha256 } from '../../../../main/util/sha256.ts';
import { deviceFromSeed } from '../../../../main/wallet/device.ts';
import type { AccessTerms } from '../../../../shared/economy/access-terms.ts';
import { parseAmount } from '../../../../shared/economy/money.ts';
import { toHex } from '../../../../shared/hex.ts';
import { homeShard } from '../../../../shared/home-shard.ts';
import {
  type AccessCertificate,
  encodeAccess,
  MAX_ACCESS_BYTES,
} from '../../../../shared/settlement/access-certificate.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const SHARDS = 4;
const KEYS = Array.from({ length: SHARDS }, (_, i) => deviceFromSeed(new Uint8Array(32).fill(i + 1)));
const BUYER = `0x${'12'.repeat(20)}`;
const SELLER = `0x${'ab'.repeat(20)}`;
const HOME = homeShard(BUYER, SHARDS, sha256);
const START_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const TOLERANCE_MS = 600_000;
const PRICE = parseAmount('3');

function world(lastsMs = HOUR_MS, fromMs = 0) {
  const clock = { nowMs: START_MS };
  const terms: AccessTerms = {
    seller: SELLER,
    premium: false,
    offers: [{ fromMs, priceXac: PRICE, lastsMs }],
  };
  const sold: Sold = { contentId: 'film', terms };
  const gate = new AccessGate({
    settings: { networkId: 'net', validatorKeys: KEYS.map(({ publicKey }) => toHex(publicKey)) },
    sold: { of: (id) => (id === 'film' || id === 'segment' ? sold : null) },
    nowMs: () => clock.nowMs,
    toleranceMs: TOLERANCE_MS,
  });
  const bought: AccessCertificate = {
    ...{ networkId: 'net', shard: HOME, account: BUYER, contentId: 'film', seller: SELLER, priceXac: PRICE },
    ...{ premium: false, lastsMs, boughtAtMs: START_MS, untilMs: lastsMs === 0 ? 0 : START_MS + lastsMs },
  };
  return { clock, gate, bought };
}

function signed(access: AccessCertificate, shard = HOME) {
  const record = encodeAccess(access);
  return { record, signature: KEYS[shard]?.sign(record) ?? new Uint8Array(64) };
}

describe('what is sold', () => {
  it('opens to who shows what it bought, with all segments, and to its seller', () => {
    const { gate, bought } = world();
    const visitor = gate.visitor(BUYER);
    expect(visitor.obstacle('film')).toBe('AccessNeeded');
    visitor.shows(signed(bought));
    expect([visitor.obstacle('film'), visitor.obstacle('segment')]).toEqual([null, null]);
    expect(gate.visitor(SELLER).obstacle('film')).toBeNull();
    expect(gate.visitor(BUYER).obstacle('free')).toBeNull();
  });

  it('does not open to another account that shows it, however often', () => {
    const { gate, bought } = world();
    gate.visitor(BUYER).shows(signed(bought));
    const thief = gate.visitor(`0x${'34'.repeat(20)}`);
    thief.shows(signed(bought));
    expect(thief.obstacle('film')).toBe('AccessInvalid');
  });

  it('does not open by the word of another shard than the account’s home, whichever it names', () => {
    const { gate, bought } = world();
    for (let shard = 0; shard < SHARDS; shard++) {
      if (shard === HOME) continue;
      const visitor = gate.visitor(BUYER);
      visitor.shows(signed({ ...bought, shard }, shard));
      expect(visitor.obstacle('film')).toBe('AccessInvalid');
      visitor.shows(signed(bought, shard));
      expect(visitor.obstacle('film')).toBe('AccessInvalid');
    }
  });

  it('is closed again where something worse is shown after it, and open where it is shown anew', () => {
    const { gate, bought } = world();
    const visitor = gate.visitor(BUYER);
    visitor.shows(signed(bought));
    visitor.shows({ ...signed(bought), signature: new Uint8Array(64) });
    expect(visitor.obstacle('film')).toBe('AccessInvalid');
    visitor.shows(signed(bought));
    expect(visitor.obstacle('film')).toBeNull();
  });

  it('keeps so many certificates of a stream, those that were shown last', () => {
    const { gate, bought } = world();
    const visitor = gate.visitor(BUYER);
    visitor.shows(signed(bought));
    for (let i = 0; i < MAX_SHOWN; i++) visitor.shows(signed({ ...bought, contentId: `other ${i}` }));
    expect(visitor.obstacle('film')).toBe('AccessNeeded');
  });

  it('does not hear what is too long, and no other bytes than those of a certificate', () => {
    const { gate, bought } = world();
    const { record, signature } = signed(bought);
    const plain = dagCbor.decode(record) as unknown[];
    const longest = { ...bought, networkId: 'n'.repeat(128), contentId: 'c'.repeat(128) };
    expect(encodeAccess(longest).byteLength).toBeLessThanOrEqual(MAX_ACCESS_BYTES);
    const malformed = [
      new Uint8Array(0),
      new Uint8Array(MAX_ACCESS_BYTES + 1),
      Buffer.concat([record, new Uint8Array(1)]),
      dagCbor.encode(plain.slice(1)),
      dagCbor.encode([...plain, 1]),
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((i) => dagCbor.encode(plain.with(i, -1))),
      dagCbor.encode(plain.with(6, 10n ** 19n)),
      dagCbor.encode(plain.with(10, 2 ** 53)),
      dagCbor.encode(plain.with(4, 'c'.repeat(129))),
    ];
    for (const bytes of malformed) {
      const error = expectAceError('MessageMalformed', () =>
        gate.visitor(BUYER).shows({ record: bytes, signature }),
      );
      expect(error.reaction).toBe('drop-peer');
    }
    const short = gate.visitor(BUYER);
    short.shows({ record, signature: signature.subarray(1) });
    expect(short.obstacle('film')).toBe('AccessInvalid');
  });
});

describe('the end of what was bought', () => {
  it('is late by what clocks may be apart, and never by more than what was bought', () => {
    for (const [lastsMs, lateMs] of [
      [HOUR_MS, TOLERANCE_MS],
      // What was sold by the minute was open for eleven of them.
      [60_000, 60_000],
    ] as const) {
      const { clock, gate, bought } = world(lastsMs);
      const visitor = gate.visitor(BUYER);
      visitor.shows(signed(bought));
      clock.nowMs = START_MS + lastsMs + lateMs;
      expect(visitor.obstacle('film')).toBeNull();
      clock.nowMs += 1;
      expect(visitor.obstacle('film')).toBe('AccessExpired');
      // A clock that was wrong, and is set right, opens it again.
      clock.nowMs = START_MS;
      expect(visitor.obstacle('film')).toBeNull();
    }
  });

  it('never comes where access was bought for ever, by any clock', () => {
    const { clock, gate, bought } = world(0);
    const visitor = gate.visitor(BUYER);
    visitor.shows(signed(bought));
    for (const nowMs of [0, START_MS, Number.MAX_SAFE_INTEGER]) {
      clock.nowMs = nowMs;
      expect(visitor.obstacle('film')).toBeNull();
    }
  });
});
