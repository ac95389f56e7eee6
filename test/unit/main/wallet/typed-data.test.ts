import { it } from 'vitest';
import { accountFromPhrase, signOperation } from '../../../../main/wallet/account.ts';
import { createPhrase } from '../../../../main/wallet/phrase.ts';
import { type Hex, operationTypedData, verifyTypedData } from '../../../../main/wallet/typed-data.ts';
import { amount } from '../../../../shared/economy/money.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';

const NETWORK = { networkId: 'test', chainId: 6_878 };
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

it('takes the low of the two signatures that anyone can make of one, and refuses the high', async () => {
  const account = accountFromPhrase(createPhrase());
  for (let nonce = 0; nonce < 8; nonce++) {
    const operation = {
      kind: 'transfer' as const,
      place: 'services' as const,
      from: account.address,
      to: `0x${'1'.repeat(40)}`,
      token: 'XAT' as const,
      amount: amount(1n),
      nonce,
    };
    const typed = operationTypedData(NETWORK, operation);
    const { signature } = await signOperation(account, NETWORK as never, operation);
    await verifyTypedData(typed, signature as Hex, account.address);
    const s = (ORDER - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0');
    const v = signature.slice(130) === '1b' ? '1c' : '1b';
    const high = `${signature.slice(0, 66)}${s}${v}` as Hex;
    await expectAceRejection('InvalidSignature', verifyTypedData(typed, high, account.address));
  }
});
