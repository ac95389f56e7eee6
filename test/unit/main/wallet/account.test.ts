import { describe, expect, it } from 'vitest';
import { accountFromPhrase, signOperation } from '../../../../main/wallet/account.ts';
import { operationTypedData, typedDataHash, verifyTypedData } from '../../../../main/wallet/typed-data.ts';
import { parseAmount } from '../../../../shared/economy/money.ts';
import type { TransferOperation } from '../../../../shared/economy/operation.ts';
import { expectAceError, expectAceRejection } from '../../../helpers/ace-error.ts';

const JUNK = 'test test test test test test test test test test test junk';
const NETWORK = { networkId: 'test', chainId: 6_878 };
const account = accountFromPhrase(JUNK);
const transfer: TransferOperation = {
  kind: 'transfer',
  place: 'services',
  from: account.address,
  to: `0x${'1'.repeat(40)}`,
  token: 'XAT',
  amount: parseAmount('1'),
  nonce: 0,
};

describe('account', () => {
  it("is the first BIP-44 account of the phrase (Hardhat's and Foundry's first account)", () => {
    expect(account.address).toBe('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
  });

  it('shows nothing but its address, whether and how it signs, and how to forget the key', () => {
    expect(Object.keys(account).toSorted()).toEqual(['address', 'canSign', 'close', 'signTypedData']);
  });

  it('refuses a phrase that is none', () => {
    expectAceError('WalletInvalid', () => accountFromPhrase('test junk'));
  });

  it('signs an operation so that others can check it', async () => {
    const { signature } = await signOperation(account, NETWORK, transfer);
    await verifyTypedData(operationTypedData(NETWORK, transfer), signature, account.address);
  });

  it.each([
    ['network', { ...NETWORK, networkId: 'other' }, transfer],
    ['chain id', { ...NETWORK, chainId: 1 }, transfer],
    ['amount', NETWORK, { ...transfer, amount: parseAmount('2') }],
    ['nonce', NETWORK, { ...transfer, nonce: 1 }],
  ])('signs nothing that holds for another %s', async (_, network, operation) => {
    const { signature } = await signOperation(account, NETWORK, transfer);
    const typedData = operationTypedData(network, operation);
    expect(typedDataHash(typedData)).not.toBe(typedDataHash(operationTypedData(NETWORK, transfer)));
    await expectAceRejection('InvalidSignature', verifyTypedData(typedData, signature, account.address));
  });
});
