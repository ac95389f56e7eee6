/**
 * What an account signs, as EIP-712 typed data: the same definitions for the wallet that signs and the chain that
 * checks. The network's id is in every message, so a signature of one network is worth nothing on another.
 */
import type { TypedDataDefinition } from 'viem';
// Not the whole of viem: 10 MiB of memory and a twentieth of a second at every start.
import { hashTypedData, recoverTypedDataAddress } from 'viem/utils';
import { type Operation, operationMessage, operationType } from '../../shared/economy/operation.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';

/** The network that a signature is for. */
export type SigningNetwork = Pick<NetworkSettings, 'networkId' | 'chainId'>;

/** 0x-hex. */
export type Hex = `0x${string}`;

const SIGNATURE = /^0x[0-9a-f]{130}$/i;
/** Half the order of secp256k1. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

const LINK_DEVICE_TYPES = {
  LinkDevice: [
    { name: 'networkId', type: 'string' },
    { name: 'account', type: 'address' },
    { name: 'devicePublicKey', type: 'bytes32' },
    { name: 'issuedAtMs', type: 'uint256' },
  ],
} as const;

/** What the account signs to link a device. */
export interface LinkDevice {
  /** Address, lower case. */
  readonly account: string;
  /** Ed25519, 32 raw bytes. */
  readonly devicePublicKey: Uint8Array;
  readonly issuedAtMs: number;
}

export function operationTypedData(network: SigningNetwork, operation: Operation): TypedDataDefinition {
  const { name, fields } = operationType(operation.kind);
  const types: Record<string, unknown> = { [name]: [{ name: 'networkId', type: 'string' }, ...fields] };
  return {
    domain: domain(network),
    types: types as TypedDataDefinition['types'],
    primaryType: name,
    message: { networkId: network.networkId, ...operationMessage(operation) },
  };
}

/** The `chainId` of a device link is that of the network the certificate names. */
export function linkDeviceTypedData(network: SigningNetwork, link: LinkDevice): TypedDataDefinition {
  return {
    domain: domain(network),
    types: LINK_DEVICE_TYPES,
    primaryType: 'LinkDevice',
    message: {
      networkId: network.networkId,
      account: link.account,
      devicePublicKey: `0x${toHex(link.devicePublicKey)}`,
      issuedAtMs: BigInt(link.issuedAtMs),
    },
  };
}

/** EIP-712 hash of what is signed, 0x-hex. */
export function typedDataHash(typedData: TypedDataDefinition): Hex {
  return hashTypedData(typedData);
}

/**
 * Checks that `account` (lower case) signed this.
 * @throws AceError `InvalidSignature`
 */
export async function verifyTypedData(
  typedData: TypedDataDefinition,
  signature: Hex,
  account: string,
): Promise<void> {
  const signer = await recoverSigner(typedData, signature);
  if (signer !== account) {
    throw new AceError('InvalidSignature', `The signature is not by ${account}`);
  }
}

async function recoverSigner(typedData: TypedDataDefinition, signature: Hex): Promise<string> {
  if (!SIGNATURE.test(signature)) throw new AceError('InvalidSignature', 'Not a signature of 65 bytes');
  // Of the two signatures (r, s) and (r, n − s) that anyone can make of one, only the low one counts, as on Ethereum.
  if (BigInt(`0x${signature.slice(66, 130)}`) > HALF_ORDER) {
    throw new AceError('InvalidSignature', 'The signature is not in its canonical form (high s)');
  }
  try {
    const signer = await recoverTypedDataAddress({ ...typedData, signature });
    return signer.toLowerCase();
  } catch (cause) {
    throw new AceError('InvalidSignature', 'The signature cannot be read', { cause });
  }
}

function domain({ chainId }: SigningNetwork) {
  return { name: 'Ace Network', version: '1', chainId } as const;
}
