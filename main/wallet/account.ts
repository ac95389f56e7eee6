/** The account: the secp256k1 key at BIP-44 `m/44'/60'/0'/0/0` of the recovery phrase, named by its EVM address. */
import { createECDH } from 'node:crypto';
import type { TypedDataDefinition } from 'viem';
import { HDKey, publicKeyToAddress, signTypedData } from 'viem/accounts';
import type { SignedOperation } from '../../shared/chain.ts';
import type { Operation } from '../../shared/economy/operation.ts';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import { parsePhrase, phraseToSeed } from './phrase.ts';
import { type Hex, operationTypedData, type SigningNetwork } from './typed-data.ts';

const ACCOUNT_PATH = "m/44'/60'/0'/0/0";

export interface Account {
  /** EVM address, lower case hex. */
  readonly address: string;
  /** Whether it can sign now, without anybody being asked. */
  canSign(): boolean;
  /**
   * EIP-712 signature, 65 bytes as 0x-hex. `unasked`: by the node itself, which does not keep a wallet open longer.
   * @throws AceError `WalletLocked`
   */
  signTypedData(typedData: TypedDataDefinition, how?: { readonly unasked: boolean }): Promise<Hex>;
}

/** An account whose key can be taken out of memory again. */
export interface OpenAccount extends Account {
  /** Overwrites the key: nothing can be signed any more. */
  close(): void;
}

/** @throws AceError `WalletInvalid` */
export function accountFromPhrase(phrase: string): OpenAccount {
  const seed = phraseToSeed(parsePhrase(phrase));
  const master = HDKey.fromMasterSeed(seed);
  const node = master.derive(ACCOUNT_PATH);
  // Only what is returned leaves: the key itself stays in this closure, in bytes that can be overwritten.
  const key = Buffer.from(node.privateKey ?? []);
  seed.fill(0);
  master.wipePrivateData();
  node.wipePrivateData();
  const privateKey = (): Hex => `0x${toHex(key)}`;
  let closed = false;
  return {
    address: addressOf(key),
    canSign: () => !closed,
    async signTypedData(typedData) {
      if (closed) throw locked();
      return signTypedData({ ...typedData, privateKey: privateKey() });
    },
    close() {
      closed = true;
      key.fill(0);
    },
  };
}

/** EVM address, lower case hex. By Node's own curve: the one in JavaScript has tables to make first. */
/** Whose phrase it is; no key of it stays. @throws AceError `WalletInvalid` */
export function addressOfPhrase(phrase: string): string {
  const account = accountFromPhrase(phrase);
  account.close();
  return account.address;
}

function addressOf(privateKey: Uint8Array): string {
  const pair = createECDH('secp256k1');
  pair.setPrivateKey(privateKey);
  return publicKeyToAddress(`0x${pair.getPublicKey('hex', 'uncompressed')}`).toLowerCase();
}

/** What an operation is answered with while the account's key is not in memory. */
export function locked(): AceError {
  return new AceError('WalletLocked', 'The wallet is locked: unlock it with its passphrase first', {
    details: { reason: 'locked' },
  });
}

export async function signOperation(
  account: Account,
  network: SigningNetwork,
  operation: Operation,
): Promise<SignedOperation> {
  const signature = await account.signTypedData(operationTypedData(network, operation));
  return { operation, signature };
}
