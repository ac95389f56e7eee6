import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it } from 'vitest';
import { accountFromPhrase } from '../../../../main/wallet/account.ts';
import {
  type DeviceCertificate,
  decodeCertificate,
  encodeCertificate,
  issueCertificate,
  verifyCertificate,
} from '../../../../main/wallet/certificate.ts';
import { createDevice } from '../../../../main/wallet/device.ts';
import { createPhrase } from '../../../../main/wallet/phrase.ts';
import { expectAceError, expectAceRejection } from '../../../helpers/ace-error.ts';

const NETWORK = { networkId: 'test', chainId: 6_878 };
const account = accountFromPhrase(createPhrase());
const certificate = await issueCertificate(account, NETWORK, createDevice().publicKey, 1_700_000_000_000);

describe('certificate', () => {
  it('holds when its account signed it', async () => {
    await verifyCertificate(certificate, NETWORK);
  });

  it('survives its encoding', async () => {
    const read = decodeCertificate(encodeCertificate(certificate));
    expect(read).toEqual(certificate);
    await verifyCertificate(read, NETWORK);
  });

  const changes: readonly (readonly [string, Partial<DeviceCertificate>])[] = [
    ['another network', { networkId: 'other' }],
    ['no network', { networkId: '' }],
    ['another account', { account: `0x${'1'.repeat(40)}` }],
    ['an account in upper case', { account: account.address.toUpperCase() }],
    ['another device', { devicePublicKey: createDevice().publicKey }],
    ['a cut device key', { devicePublicKey: new Uint8Array(31) }],
    ['another time', { issuedAtMs: 1 }],
    ['no time', { issuedAtMs: -1 }],
    ['a cut signature', { signature: certificate.signature.slice(1) }],
    ['an empty signature', { signature: new Uint8Array(65) }],
  ];
  it.each(changes)('is refused with %s', async (_, change) => {
    const changed = { ...certificate, ...change };
    const error = await expectAceRejection('InvalidCertificate', verifyCertificate(changed, NETWORK));
    expect(error.reaction).toBe('drop-peer');
  });

  it('is refused on another chain', async () => {
    const other = { ...NETWORK, chainId: 1 };
    await expectAceRejection('InvalidCertificate', verifyCertificate(certificate, other));
  });

  it('is refused when its bytes are cut, padded, or of something else', () => {
    const bytes = encodeCertificate(certificate);
    for (const bad of [
      bytes.slice(0, -1),
      Buffer.concat([bytes, bytes]),
      dagCbor.encode(['other']),
      new Uint8Array(),
    ]) {
      expectAceError('InvalidCertificate', () => decodeCertificate(bad));
    }
  });
});
