/** The account: the secp256k1 key at BIP-44 `m/44'/60'/0'/0/0` of the recovery phrase, named by its EVM address. */
import type { TypedDataDefinition } from 'viem';
import { HDKey, hdKeyToAccount } from 'viem/accounts';
import type { Operation } from '../../shared/operation.ts';
import type { SignedOperation } from '../chain/port.ts';
import { parsePhrase, phraseToSeed } from './phrase.ts';
import { type Hex, operationTypedData, type SigningNetwork } from './typed-data.ts';

export interface Account {
  /** EVM address, lower case hex. */
  readonly address: string;
  /** EIP-712 signature, 65 bytes as 0x-hex. */
  signTypedData(typedData: TypedDataDefinition): Promise<Hex>;
}

/** @throws AceError `WalletInvalid` */
export function accountFromPhrase(phrase: string): Account {
  const signer = hdKeyToAccount(HDKey.fromMasterSeed(phraseToSeed(parsePhrase(phrase))));
  // Only these two leave: the key itself stays in this closure.
  return {
    address: signer.address.toLowerCase(),
    signTypedData: (typedData) => signer.signTypedData(typedData),
  };
}

export async function signOperation(
  account: Account,
  network: SigningNetwork,
  operation: Operation,
): Promise<SignedOperation> {
  const signature = await account.signTypedData(operationTypedData(network, operation));
  return { operation, signature };
}
