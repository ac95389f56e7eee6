/**
 * Malleated or non-canonical signatures, keys and encodings. Whoever makes a second form of a record or its signature
 * must not get a second record by it: nothing is leased, paid, proven or charged.
 */
import { verify } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import { contentIdOf, makeTransportFile, readTransportFile } from '../../main/content/transport-file.ts';
import { decodeGossip, encodeGossip } from '../../main/p2p/protocols/gossip/messages.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { grantLease } from '../../main/validator/leasing.ts';
import { signOperation } from '../../main/wallet/account.ts';
import {
  decodeCertificate,
  encodeCertificate,
  issueCertificate,
  verifyCertificate,
} from '../../main/wallet/certificate.ts';
import { createDevice, devicePublicKey, verifyDevice } from '../../main/wallet/device.ts';
import { checkProof, checkpointProof, decodeProof, encodeProof } from '../../shared/channel/equivocation.ts';
import {
  decodeCheckpoint,
  decodeTerms,
  encodeCheckpoint,
  encodeTerms,
} from '../../shared/channel/records.ts';
import { isDeviceKey } from '../../shared/device-key.ts';
import { amount } from '../../shared/economy/money.ts';
import { decodeSignedOperation, encodeSignedOperation } from '../../shared/economy/operation.ts';
import { AceError } from '../../shared/errors.ts';
import { decodeBatch, encodeBatch } from '../../shared/settlement/batch.ts';
import { expectAceError, expectAceRejection } from '../helpers/ace-error.ts';
import { entry, nextBatch, sign, testSettings } from '../helpers/chain.ts';
import { party, START_MS, TestShard } from '../helpers/shard.ts';
import {
  highS,
  malleated,
  SMALL_ORDER_KEYS,
  secondEncodings,
  UNIVERSAL_SIGNATURE,
} from '../helpers/signatures.ts';
import { Stage, serveUnits } from '../helpers/stage.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const [payer, payee] = [party(1), party(2)];
const UNITS = 3;

/** Three units are served and paid. */
async function paid() {
  const stage = new Stage([payer]);
  const provider = stage.provider(2);
  const leased = await stage.shard.lease(payer, payee, 20);
  const channel = await provider.open(leased);
  for (let unit = 1; unit <= UNITS; unit++) {
    serveUnits(channel, 1, unit);
    channel.receiveTick(unit, leased.chain.tick(unit));
  }
  channel.commit();
  return { stage, provider, leased };
}

const link = () => issueCertificate(payer.account, stageSettings, payer.device.publicKey, START_MS);
const stageSettings = testSettings();

describe('a malleated Ed25519 signature (S + L)', () => {
  it('of a claim’s checkpoint is refused, whichever side’s it is, and nothing is claimed or disputed', async () => {
    const { stage, leased } = await paid();
    const good = stage.shard.checkpoint(leased, { units: UNITS });
    for (const side of ['payerSignature', 'payeeSignature'] as const) {
      const checkpoint = { ...good, [side]: malleated(good[side] ?? new Uint8Array(0)) };
      expectAceError('InvalidSignature', () => stage.shard.claim(leased, UNITS, { checkpoint }));
    }
    expect(stage.shard.store.leases.get(leased.channelId)?.claimedUnits).toBe(0);
    expect(stage.shard.store.disputes.get(payer.device.publicKey)).toBeFalsy();
    stage.shard.claim(leased, UNITS, { checkpoint: good });
    await stage.settleAll();
    await stage.expectPaid(payer, payee, UNITS);
  });

  it('of a checkpoint is not countersigned', async () => {
    const { stage, provider, leased } = await paid();
    const { record, payerSignature } = stage.shard.checkpoint(leased, { units: UNITS });
    const who = { account: payer.account.address, device: payer.device.publicKey };
    await expectAceRejection(
      'InvalidSignature',
      provider.service.countersign(who, record, malleated(payerSignature)),
    );
    expect(provider.store.payeeChannels.get(leased.channelId)?.lastCheckpoint).toBeNull();
    // The one that the payer made is.
    expect((await provider.service.countersign(who, record, payerSignature)).number).toBe(1);
  });

  it('of terms gets no lease, and of a lease opens no channel', async () => {
    const { stage, provider } = await paid();
    const channel = stage.shard.terms(payer, payee, 5);
    const terms = encodeTerms(channel.terms);
    const termsSignature = payer.device.sign(terms);
    const certificate = encodeCertificate(await link());
    await expectAceRejection(
      'InvalidSignature',
      grantLease(stage.shard.context, { terms, termsSignature: malleated(termsSignature), certificate }),
    );
    expect(stage.shard.store.leases.get(channel.channelId)).toBeNull();
    const leaseSignature = await grantLease(stage.shard.context, { terms, termsSignature, certificate });
    const who = { account: payer.account.address, device: payer.device.publicKey };
    const shown = { terms, termsSignature, leaseSignature };
    expectAceError('ChannelUnleased', () =>
      provider.service.open(who, { ...shown, leaseSignature: malleated(leaseSignature) }),
    );
    expectAceError('InvalidSignature', () =>
      provider.service.open(who, { ...shown, termsSignature: malleated(termsSignature) }),
    );
    provider.service.open(who, shown).detach();
  });

  it('makes no proof of cheating out of one honest checkpoint', async () => {
    const { stage, leased } = await paid();
    const { record, payerSignature } = stage.shard.checkpoint(leased, { units: UNITS });
    const other = encodeCheckpoint({ ...decodeCheckpoint(record), watchMs: 1 });
    const terms = encodeTerms(leased.terms);
    const { networkId } = stage.shard.settings;
    const check = (a: Uint8Array, aSignature: Uint8Array, b: Uint8Array, bSignature: Uint8Array) => () =>
      checkProof(
        encodeProof(
          checkpointProof(terms, { record: a, signature: aSignature }, { record: b, signature: bSignature }),
        ),
        networkId,
        sha256,
        verifyDevice,
      );
    // One record and its second signature are one record.
    expectAceError('ProofInvalid', check(record, payerSignature, record, malleated(payerSignature)));
    const otherSignature = payer.device.sign(other);
    expectAceError('InvalidSignature', check(record, malleated(payerSignature), other, otherSignature));
    expect(check(record, payerSignature, other, otherSignature)().kind).toBe('checkpoint');
  });

  it('of a batch is refused by the main chain, and the batch itself is applied once', async () => {
    const shard = new TestShard(tempDir());
    const good = sign(await nextBatch(shard.chain, [entry(payer.account.address, payee.account.address, 3)]));
    await expectAceRejection(
      'BatchWrongSigner',
      shard.chain.applyBatch({ ...good, signature: malleated(good.signature) }),
    );
    const used = async () => (await shard.chain.account(payer.account.address)).creditUsedUnits;
    expect(await used()).toBe(0);
    for (let again = 0; again < 2; again++) await shard.chain.applyBatch(good);
    expect(await used()).toBe(3);
    await shard.close();
  });

  it('of a transport file names no second content', () => {
    const file = {
      name: 'a.bin',
      kind: 'vod' as const,
      mimeType: 'video/mp4',
      sizeBytes: 10,
      durationMs: 0,
      pieceHashes: [new Uint8Array(32)],
    };
    const { contentId, bytes } = makeTransportFile(file, payer.device);
    expect(readTransportFile(contentId, bytes).name).toBe('a.bin');
    const [tag, body, signature] = dagCbor.decode(bytes) as [string, Uint8Array, Uint8Array];
    const second = dagCbor.encode([tag, body, malleated(signature)]);
    expectAceError('TransportFileInvalid', () => readTransportFile(contentIdOf(second), second));
    for (const [, other] of secondEncodings(body)) {
      const own = dagCbor.encode([tag, other, payer.device.sign(other)]);
      expectAceError('TransportFileInvalid', () => readTransportFile(contentIdOf(own), own));
    }
  });
});

describe('a key of small order', () => {
  it('would have one signature for many messages', () => {
    const spki = Buffer.from('302a300506032b6570032100', 'hex');
    const takes = SMALL_ORDER_KEYS.filter((raw) => {
      const key = { key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' } as const;
      return Array.from({ length: 64 }, (_, i) => Uint8Array.of(i)).some((message) =>
        verify(null, message, key, UNIVERSAL_SIGNATURE),
      );
    });
    // What the library takes is what has to be refused before it is asked.
    expect(takes.length).toBeGreaterThanOrEqual(8);
  });

  it.each(SMALL_ORDER_KEYS.map((key) => [Buffer.from(key).toString('hex'), key] as const))(
    '%s is no device: not in a certificate, in terms or in a signature',
    async (_hex, key) => {
      expect(isDeviceKey(key)).toBe(false);
      expectAceError('InvalidInput', () => devicePublicKey(key));
      for (let i = 0; i < 64; i++) {
        expect(verifyDevice(key, Uint8Array.of(i), UNIVERSAL_SIGNATURE)).toBe(false);
      }
      const certificate = await issueCertificate(payer.account, stageSettings, key, START_MS);
      expectAceError('InvalidCertificate', () => decodeCertificate(encodeCertificate(certificate)));
      const { terms } = new TestShard(tempDir()).terms(payer, payee, 5);
      for (const side of ['payerDevice', 'payeeDevice'] as const) {
        expectAceError('MessageMalformed', () => decodeTerms(encodeTerms({ ...terms, [side]: key })));
      }
    },
  );

  it('that an account links gets no lease, so nobody can sign checkpoints for its channel', async () => {
    const shard = new TestShard(tempDir());
    const device = {
      ...payer.device,
      publicKey: SMALL_ORDER_KEYS[2] as Uint8Array,
      sign: () => UNIVERSAL_SIGNATURE,
    };
    await expectAceRejection('MessageMalformed', shard.lease({ ...payer, device }, payee, 5));
    expect(shard.store.leases.openCount(payer.account.address)).toBe(0);
    await shard.close();
  });

  it('no honest device has', () => {
    for (let n = 0; n < 100; n++) expect(isDeviceKey(createDevice().publicKey)).toBe(true);
  });
});

describe('a secp256k1 signature with a high s', () => {
  it('is no certificate, and gets no lease', async () => {
    const good = await link();
    await verifyCertificate(good, stageSettings);
    const bad = { ...good, signature: highS(good.signature) };
    await expectAceRejection('InvalidCertificate', verifyCertificate(bad, stageSettings));
    const shard = new TestShard(tempDir());
    const terms = encodeTerms(shard.terms(payer, payee, 5).terms);
    const request = {
      terms,
      termsSignature: payer.device.sign(terms),
      certificate: encodeCertificate(bad),
    };
    await expectAceRejection('InvalidCertificate', grantLease(shard.context, request));
    await shard.close();
  });

  it('moves no money', async () => {
    const stage = new Stage([payer]);
    const { chain, settings } = stage.shard;
    const operation = {
      kind: 'withdraw' as const,
      from: payer.account.address,
      token: 'XAT' as const,
      amount: amount(5n),
      nonce: 0,
    };
    const good = await signOperation(payer.account, settings, operation);
    const raw = Buffer.from(good.signature.slice(2), 'hex');
    const bad = `0x${Buffer.from(highS(raw)).toString('hex')}` as const;
    await expectAceRejection('InvalidSignature', chain.submit({ ...good, signature: bad }));
    expect(await stage.spent(payer)).toBe(0n);
    await chain.submit(good);
    await expectAceRejection('WrongNonce', chain.submit(good));
    expect(await stage.spent(payer)).toBe(5n);
    await stage.expectConserved();
  });
});

describe('a second encoding', () => {
  it('of any signed record is refused by its decoder', async () => {
    const { stage, leased } = await paid();
    const { record, payerSignature } = stage.shard.checkpoint(leased, { units: UNITS });
    const terms = encodeTerms(leased.terms);
    const termsSignature = payer.device.sign(terms);
    const operation = {
      kind: 'transfer' as const,
      place: 'services' as const,
      from: payer.account.address,
      to: payee.account.address,
      token: 'XAT' as const,
      amount: amount(5n),
      nonce: 0,
    };
    const told = { terms, termsSignature, leaseSignature: termsSignature, record, payerSignature };
    const said = { record, signature: payerSignature };
    const batch = await nextBatch(stage.shard.chain, [
      entry(payer.account.address, payee.account.address, 3),
    ]);
    const records: [string, Uint8Array, (bytes: Uint8Array) => unknown][] = [
      ['terms', terms, decodeTerms],
      ['checkpoint', record, decodeCheckpoint],
      ['certificate', encodeCertificate(await link()), decodeCertificate],
      ['gossip', encodeGossip(told), decodeGossip],
      ['proof', encodeProof(checkpointProof(terms, said, { ...said, record: terms })), decodeProof],
      ['operation', encodeSignedOperation(operation, new Uint8Array(65)), decodeSignedOperation],
      ['batch', encodeBatch(batch), decodeBatch],
    ];
    const taken: string[] = [];
    for (const [name, bytes, decode] of records) {
      decode(bytes);
      for (const [how, second] of secondEncodings(bytes)) {
        try {
          decode(second);
          taken.push(`${name}: ${how}`);
        } catch (error) {
          expect(error).toBeInstanceOf(AceError);
        }
      }
    }
    expect(taken).toEqual([]);
  });

  it('of a number, as a float or in more bytes than it needs, is refused', async () => {
    const { stage, leased } = await paid();
    const { record } = stage.shard.checkpoint(leased, { units: UNITS, number: 7 });
    const at = Buffer.from(record).indexOf(7, 17 + 34);
    expect(record[at]).toBe(7);
    const float = Buffer.alloc(9);
    float[0] = 0xfb;
    float.writeDoubleBE(7, 1);
    for (const number of [float, Buffer.of(0x18, 7), Buffer.of(0x19, 0, 7), Buffer.of(0x1a, 0, 0, 0, 7)]) {
      const second = Buffer.concat([record.subarray(0, at), number, record.subarray(at + 1)]);
      expectAceError('MessageMalformed', () => decodeCheckpoint(second));
    }
    // A zero that is negative: as a float it equals 0, and its bytes do not.
    const minusZero = Buffer.alloc(9);
    minusZero[0] = 0xfb;
    minusZero.writeDoubleBE(-0, 1);
    const watchMs = record.byteLength - 36;
    expect(record[watchMs]).toBe(0);
    const second = Buffer.concat([record.subarray(0, watchMs), minusZero, record.subarray(watchMs + 1)]);
    expectAceError('MessageMalformed', () => decodeCheckpoint(second));
  });

  it('of a request that names a field twice is refused', () => {
    const twice = Buffer.concat([Buffer.of(0xa2), Buffer.from('6269640162696402', 'hex')]);
    expect(() => dagCbor.decode(twice)).toThrow(/repeat map key/);
  });
});
