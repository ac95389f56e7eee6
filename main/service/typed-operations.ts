/** Operations out of what pages and the command line hand over as text: amounts, addresses and content ids are read here. */
import { parseAmount, type TokenAmount } from '../../shared/economy/money.ts';
import type {
  AccessOperation,
  DepositOperation,
  Operation,
  SwapOperation,
  TransferOperation,
  WithdrawOperation,
} from '../../shared/economy/operation.ts';
import { type Ratio, ratio, ratioFromDecimal } from '../../shared/economy/ratio.ts';
import { AceError } from '../../shared/errors.ts';
import { typedAddress } from '../../shared/typed/address.ts';
import { parseContentId } from '../content/transport-file.ts';
import type { CheckedInput } from '../rpc/service.ts';

/** An operation without who signs it, and with which number. */
export type Unsigned<T extends Operation> = Omit<T, 'from' | 'nonce'>;

export function transferOf({
  to,
  token,
  amount,
  place,
}: CheckedInput<'quoteSend'>): Unsigned<TransferOperation> {
  return { kind: 'transfer', to: typedAddress(to), token, amount: positive(amount), place };
}

export function moveOf(
  kind: 'deposit' | 'withdraw',
  { token, amount }: CheckedInput<'quoteDeposit'>,
): Unsigned<DepositOperation | WithdrawOperation> {
  return { kind, token, amount: positive(amount) };
}

export function swapOf(
  { sell, buy, amount }: Pick<CheckedInput<'quoteSwap'>, 'sell' | 'buy' | 'amount'>,
  minReceived: TokenAmount,
  deadlineMs: number,
): Unsigned<SwapOperation> {
  return { kind: 'swap', sell, buy, amount: positive(amount), minReceived, deadlineMs };
}

export function accessOf({
  to,
  contentId,
  priceXac,
  premium,
  lastsMs,
}: Omit<CheckedInput<'buyAccess'>, 'expiresAtMs'>): Unsigned<AccessOperation> {
  return {
    kind: 'access',
    to: typedAddress(to),
    contentId: parseContentId(contentId),
    priceXac: positive(priceXac),
    premium,
    lastsMs,
  };
}

/** @throws AceError `InvalidAmount` */
export function positive(text: string): TokenAmount {
  const parsed = parseAmount(text.trim());
  if (parsed === 0n) throw new AceError('InvalidAmount', 'The amount must be more than 0');
  return parsed;
}

/** 0 to 50 percent as a share. @throws AceError `InvalidInput` */
export function parsePercent(text: string): Ratio {
  if (/^\d{1,2}(\.\d{1,4})?$/.test(text.trim())) {
    const percent = ratioFromDecimal(text.trim());
    if (percent.num <= 50n * percent.den) return ratio(percent.num, percent.den * 100n);
  }
  throw new AceError('InvalidInput', 'The slippage is a percentage from 0 to 50, such as 0.5', {
    details: { field: 'slippagePercent', reason: 'slippage' },
  });
}
