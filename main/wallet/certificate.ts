/**
 * A device certificate: an account's signed word that a device signs terms and checkpoints for it. Peers show theirs when they
 * meet, so a peer knows on whose account a device acts without asking anyone.
 */

import * as dagCbor from '@ipld/dag-cbor';
import { isAddress } from '../../shared/address.ts';
import { sameBytes } from '../../shared/bytes.ts';
import { isCount } from '../../shared/count.ts';
import { isDeviceKey } from '../../shared/device-key.ts';
import { AceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import type { Account } from './account.ts';
import { type Hex, linkDeviceTypedData, type SigningNetwork, verifyTypedData } from './typed-data.ts';

export interface DeviceCertificate {
  readonly networkId: string;
  /** Address, lower case hex. */
  readonly account: string;
  /** Ed25519, 32 raw bytes. */
  readonly devicePublicKey: Uint8Array;
  /** When the account signed it. */
  readonly issuedAtMs: number;
  /** The account's EIP-712 signature of `LinkDevice`, 65 bytes. */
  readonly signature: Uint8Array;
}

const FORMAT = 'ace-device-certificate-1';
const SIGNATURE_BYTES = 65;

/** Links a device to the account. */
export async function issueCertificate(
  account: Account,
  network: SigningNetwork,
  devicePublicKey: Uint8Array,
  issuedAtMs: number,
): Promise<DeviceCertificate> {
  const link = { account: account.address, devicePublicKey, issuedAtMs };
  const signature = await account.signTypedData(linkDeviceTypedData(network, link));
  return {
    networkId: network.networkId,
    ...link,
    signature: fromHex(signature.slice(2)),
  };
}

/**
 * Checks that the account signed this certificate, for this network.
 * @throws AceError `InvalidCertificate` (reaction `drop-peer`)
 */
export async function verifyCertificate(
  certificate: DeviceCertificate,
  network: SigningNetwork,
): Promise<void> {
  checkShape(certificate);
  if (certificate.networkId !== network.networkId) throw invalid('it is for another network');
  const signature: Hex = `0x${toHex(certificate.signature)}`;
  try {
    await verifyTypedData(linkDeviceTypedData(network, certificate), signature, certificate.account);
  } catch (cause) {
    throw invalid('its account did not sign it', cause);
  }
}

/** Canonical bytes: one certificate has exactly one encoding. */
export function encodeCertificate(certificate: DeviceCertificate): Uint8Array {
  const { networkId, account, devicePublicKey, issuedAtMs, signature } = certificate;
  return dagCbor.encode([FORMAT, networkId, account, devicePublicKey, issuedAtMs, signature]);
}

/**
 * Reads a certificate; whether it is signed is for {@link verifyCertificate}.
 * @throws AceError `InvalidCertificate`
 */
export function decodeCertificate(bytes: Uint8Array): DeviceCertificate {
  const certificate = fromTuple(decodeCbor(bytes));
  checkShape(certificate);
  if (!sameBytes(encodeCertificate(certificate), bytes)) throw invalid('it is not in canonical form');
  return certificate;
}

function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return dagCbor.decode(bytes);
  } catch (cause) {
    throw invalid('it cannot be read', cause);
  }
}

function fromTuple(value: unknown): DeviceCertificate {
  if (!Array.isArray(value) || value.length !== 6 || value[0] !== FORMAT) throw invalid('it cannot be read');
  const [, networkId, account, devicePublicKey, issuedAtMs, signature] = value;
  return { networkId, account, devicePublicKey, issuedAtMs, signature };
}

function checkShape({ networkId, account, devicePublicKey, issuedAtMs, signature }: DeviceCertificate): void {
  if (typeof networkId !== 'string' || networkId === '') throw invalid('it names no network');
  if (!isAddress(account)) throw invalid('it names no account');
  if (!isDeviceKey(devicePublicKey)) throw invalid('it names no device');
  if (!isCount(issuedAtMs)) throw invalid('it has no time of issue');
  if (!hasLength(signature, SIGNATURE_BYTES)) throw invalid('it has no signature');
}

function hasLength(value: unknown, length: number): boolean {
  return value instanceof Uint8Array && value.length === length;
}

function invalid(why: string, cause?: unknown): AceError {
  return new AceError('InvalidCertificate', `The device certificate is refused: ${why}`, {
    reaction: 'drop-peer',
    ...(cause !== undefined && { cause }),
  });
}
