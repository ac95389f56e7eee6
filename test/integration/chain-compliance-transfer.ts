/** Compliance: operations that accounts sign. */
import { describe, expect, it } from 'vitest';
import { signOperation } from '../../main/wallet/account.ts';
import { amount, MAX_AMOUNT, parseAmount } from '../../shared/economy/money.ts';
import type { TransferOperation } from '../../shared/economy/operation.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { testSettings } from '../helpers/chain.ts';
import {
  type ChainUnderTest,
  expectUnchanged,
  PEER,
  POOR,
  RICH,
  TRANSFER,
} from './chain-compliance-context.ts';

export function transferCompliance({ name, open }: ChainUnderTest): void {
  describe(`${name}: a transfer`, () => {
    it('moves the amount and counts the nonce', async () => {
      const chain = await open();
      const receipt = await chain.submit(await signOperation(RICH, chain.settings(), TRANSFER));
      expect(receipt.height).toBe(1);
      expect(await chain.account(RICH.address)).toMatchObject({
        nonce: 1,
        main: { XAT: parseAmount('6') },
        services: { XAT: parseAmount('10') },
      });
      expect(await chain.account(PEER.address)).toMatchObject({
        nonce: 0,
        main: { XAT: parseAmount('4') },
        services: { XAT: 0n },
      });
    });

    it('arrives in services when it says so, and comes out of main all the same', async () => {
      const chain = await open();
      const toSpend = { ...TRANSFER, place: 'services' as const };
      const { changes } = await chain.submit(await signOperation(RICH, chain.settings(), toSpend));
      expect(changes).toEqual([
        { holder: RICH.address, place: 'main', token: 'XAT', delta: -parseAmount('4') },
        { holder: PEER.address, place: 'services', token: 'XAT', delta: parseAmount('4') },
      ]);
    });

    it('may move all there is, and not one base unit more', async () => {
      const chain = await open();
      const all = parseAmount('10');
      const tooMuch = { ...TRANSFER, amount: amount(all + 1n) };
      const signed = await signOperation(RICH, chain.settings(), tooMuch);
      await expectUnchanged(chain, 'InsufficientFunds', () => chain.submit(signed));
      await chain.submit(await signOperation(RICH, chain.settings(), { ...TRANSFER, amount: all }));
      expect((await chain.account(RICH.address)).main.XAT).toBe(0n);
    });

    const refused: readonly (readonly [
      string,
      ErrorCode,
      Partial<Record<keyof TransferOperation, unknown>>,
    ])[] = [
      ['of nothing', 'InvalidAmount', { amount: 0n }],
      ['of a negative amount', 'InvalidAmount', { amount: -1n }],
      ['of more than can exist', 'InvalidAmount', { amount: MAX_AMOUNT + 1n }],
      ['to itself', 'InvalidInput', { to: RICH.address }],
      ['to something that is no address', 'InvalidInput', { to: '0x12' }],
      ['to an unknown place', 'InvalidInput', { place: 'pocket' }],
      ['of XAB to services', 'InvalidInput', { token: 'XAB', place: 'services' }],
      ['of an unknown token', 'InvalidInput', { token: 'USD' }],
      ['of an unknown kind', 'InvalidInput', { kind: 'gift' }],
      ['with a nonce that is no number', 'InvalidInput', { nonce: -1 }],
      ['with a nonce of the future', 'WrongNonce', { nonce: 1 }],
    ];
    for (const [what, code, change] of refused) {
      it(`is refused ${what}`, async () => {
        const chain = await open();
        const operation = { ...TRANSFER, ...change } as TransferOperation;
        const signable = code === 'WrongNonce' ? operation : TRANSFER;
        const { signature } = await signOperation(RICH, chain.settings(), signable);
        await expectUnchanged(chain, code, () => chain.submit({ operation, signature }));
      });
    }

    it('is refused a second time', async () => {
      const chain = await open();
      const signed = await signOperation(RICH, chain.settings(), TRANSFER);
      await chain.submit(signed);
      await expectUnchanged(chain, 'WrongNonce', () => chain.submit(signed));
    });

    it('is refused when someone else signed it', async () => {
      const chain = await open();
      const signed = await signOperation(PEER, chain.settings(), TRANSFER);
      await expectUnchanged(chain, 'InvalidSignature', () => chain.submit(signed));
    });

    it('is refused when it was changed after signing', async () => {
      const chain = await open();
      const { signature } = await signOperation(RICH, chain.settings(), TRANSFER);
      const operation = { ...TRANSFER, to: POOR };
      await expectUnchanged(chain, 'InvalidSignature', () => chain.submit({ operation, signature }));
    });

    it.each([
      ['networkId', { networkId: 'other' }],
      ['chainId', { chainId: 1 }],
    ])('is refused when it was signed for another %s', async (_, other) => {
      const chain = await open();
      const signed = await signOperation(RICH, testSettings(other), TRANSFER);
      await expectUnchanged(chain, 'InvalidSignature', () => chain.submit(signed));
    });

    it.each(['0x', '0x12', `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(65)}`] as const)(
      'is refused with the signature %s',
      async (signature) => {
        const chain = await open();
        await expectUnchanged(chain, 'InvalidSignature', () =>
          chain.submit({ operation: TRANSFER, signature }),
        );
      },
    );
  });
}
