/**
 * What an account does with its funds and its devices: quotes, computed by the rules that will apply, and operations,
 * signed here and handed to the account's home shard. One operation at a time, each with the account's next number, so
 * that none is ever booked twice: one whose answer was lost is not sent again by itself.
 */

import { tradedToken } from '../../shared/economy/exchange.ts';
import { isServicesToken, PLACES, tokensOf } from '../../shared/economy/holdings.ts';
import {
  amount,
  type Balances,
  formatAmount,
  type Token,
  type TokenAmount,
  ZERO,
} from '../../shared/economy/money.ts';
import {
  type AccessOperation,
  checkOperation,
  type DepositOperation,
  encodeSignedOperation,
  type LinkOperation,
  type MintOperation,
  type Operation,
  type SwapOperation,
  type UnlinkOperation,
  type WithdrawOperation,
} from '../../shared/economy/operation.ts';
import {
  leastReceived,
  mintCost,
  type OperationBasis,
  quoteAccess,
  quoteMint,
  quoteMove,
  quoteSwap,
  quoteTransfer,
} from '../../shared/economy/operation-quote.ts';
import type { Funds } from '../../shared/economy/payment.ts';
import { AceError, type ErrorCode, isAceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import type {
  OperationQuoteView,
  OperationResultView,
  RepaymentView,
  WalletOutputs,
} from '../../shared/rpc/wallet.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import type { AccountPicture } from '../account/account-sync.ts';
import type { RunningPeer } from '../peer/peer.ts';
import type { CheckedInput } from '../rpc/service.ts';
import { serializer } from '../util/serialize.ts';
import { operationTypedData, typedDataHash } from '../wallet/typed-data.ts';
import { accessTerms, checkPurchase } from './access.ts';
import { accessView, effectView, repaymentView, swapView } from './operation-views.ts';
import { inFaucetWords, inOperationWords } from './operation-words.ts';
import {
  accessOf,
  moveOf,
  parsePercent,
  positive,
  swapOf,
  transferOf,
  type Unsigned,
} from './typed-operations.ts';
import { holdingsView } from './views.ts';

/** After one of these it is not known whether the operation was booked. */
export const ANSWER_LOST: readonly ErrorCode[] = ['RequestTimeout', 'PeerClosed', 'ShardUnavailable'];
const REPAYMENTS_TOLD = 100;
/** Of a quote: any signature is for the number that the account then has. */
const ANY_NONCE = 0;

/** Of a deposit that nobody is asked about. */
export interface UnaskedDeposit {
  /** What to move, by the account as it is when it is this operation's turn; `null`: nothing after all. */
  amountXat(picture: AccountPicture): TokenAmount | null;
  /** It is signed, and will be sent when this returns. */
  onSigned(signed: {
    readonly nonce: number;
    readonly hash: Uint8Array;
    readonly amountXat: TokenAmount;
  }): void;
}

/** The procedures are fields: what a service answers is spread into the node's (`node-service.ts`). */
export class OperationService {
  readonly #peer: RunningPeer;
  readonly #nowMs: () => number;
  readonly #alone = serializer();

  constructor(peer: RunningPeer, nowMs: () => number) {
    this.#peer = peer;
    this.#nowMs = nowMs;
  }

  readonly receive = async (): Promise<WalletOutputs['receive']> => {
    return { address: shownAddress(this.#peer.account.address) };
  };

  readonly repayments = async ({ limit }: CheckedInput<'repayments'>): Promise<RepaymentView[]> => {
    return this.#peer.store.settlements.repayments(0, limit).map(repaymentView);
  };

  readonly quoteSend = async (input: CheckedInput<'quoteSend'>): Promise<WalletOutputs['quoteSend']> => {
    const operation = this.#whole(transferOf(input));
    const [[basis, asOfMs], isSeen] = await Promise.all([this.#basis(), this.#isSeen(operation.to)]);
    const effect = quoteTransfer(operation, basis);
    return { ...effectView('transfer', effect, asOfMs), to: shownAddress(operation.to), isSeen };
  };

  readonly send = async (input: CheckedInput<'send'>): Promise<OperationResultView> => {
    return this.#act(input.expiresAtMs, transferOf(input), quoteTransfer);
  };

  readonly quoteDeposit = (input: CheckedInput<'quoteDeposit'>) => this.#quoteMove('deposit', input);

  readonly deposit = ({ expiresAtMs, ...input }: CheckedInput<'deposit'>): Promise<OperationResultView> => {
    return this.#act(expiresAtMs, moveOf('deposit', input), quoteMove);
  };

  readonly quoteWithdraw = (input: CheckedInput<'quoteWithdraw'>) => this.#quoteMove('withdraw', input);

  readonly withdraw = ({ expiresAtMs, ...input }: CheckedInput<'withdraw'>): Promise<OperationResultView> => {
    return this.#act(expiresAtMs, moveOf('withdraw', input), quoteMove);
  };

  async #quoteMove(
    kind: 'deposit' | 'withdraw',
    input: CheckedInput<'quoteDeposit'>,
  ): Promise<OperationQuoteView> {
    const operation = this.#whole<DepositOperation | WithdrawOperation>(moveOf(kind, input));
    const [basis, asOfMs] = await this.#basis();
    return effectView(kind, quoteMove(operation, basis), asOfMs);
  }

  readonly quoteMint = async ({
    amountXat,
  }: CheckedInput<'quoteMint'>): Promise<WalletOutputs['quoteMint']> => {
    const wanted = positive(amountXat);
    const [basis, asOfMs] = await this.#basis();
    const { costXab, maxXab } = mintCost(wanted, basis);
    const effect = quoteMint(this.#whole({ kind: 'mint', amountXat: wanted, maxXab }), basis);
    const one = mintCost(amount(10_000_000n), basis).costXab;
    return {
      ...effectView('mint', effect, asOfMs),
      costXab: formatAmount(costXab),
      xabPerXat: formatAmount(one),
      maxXab: formatAmount(maxXab),
    };
  };

  readonly mint = async ({
    amountXat,
    maxXab,
    expiresAtMs,
  }: CheckedInput<'mint'>): Promise<OperationResultView> => {
    const operation: Unsigned<MintOperation> = {
      kind: 'mint',
      amountXat: positive(amountXat),
      maxXab: positive(maxXab),
    };
    return this.#act(expiresAtMs, operation, quoteMint);
  };

  readonly quoteSwap = async (input: CheckedInput<'quoteSwap'>): Promise<WalletOutputs['quoteSwap']> => {
    const slippage = parsePercent(input.slippagePercent);
    const operation = this.#whole(swapOf(input, ZERO, this.#nowMs()));
    checkOperation(operation);
    const [[basis, asOfMs], reserves] = await Promise.all([this.#basis(), this.#reserves(operation)]);
    const quote = quoteSwap(operation, reserves, basis);
    return swapView(quote, leastReceived(quote.received, slippage), slippage, asOfMs);
  };

  readonly swap = async (input: CheckedInput<'swap'>): Promise<OperationResultView> => {
    const least = positive(input.leastReceived);
    // The chain itself refuses it after the quote's time.
    const operation = swapOf(input, least, input.expiresAtMs);
    checkOperation(this.#whole(operation));
    const reserves = await this.#reserves(operation);
    return this.#act(input.expiresAtMs, operation, (whole, basis) => quoteSwap(whole, reserves, basis));
  };

  readonly quoteAccess = async (
    input: CheckedInput<'quoteAccess'>,
  ): Promise<WalletOutputs['quoteAccess']> => {
    const { to, priceXac } = input;
    const terms =
      to === undefined || priceXac === undefined ? await accessTerms(this.#peer, input.contentId) : null;
    const operation = this.#whole<AccessOperation>(
      terms ?? accessOf({ ...input, to: to ?? '', priceXac: priceXac ?? '' }),
    );
    checkPurchase(operation, this.#peer.access.state(operation.contentId));
    const [basis, asOfMs] = await this.#basis();
    const quote = quoteAccess(operation, basis);
    return {
      ...accessView(quote, asOfMs),
      to: shownAddress(operation.to),
      contentId: operation.contentId,
      priceXac: formatAmount(operation.priceXac),
      premium: operation.premium,
      lastsMs: operation.lastsMs,
    };
  };

  readonly buyAccess = async (input: CheckedInput<'buyAccess'>): Promise<OperationResultView> => {
    const operation = accessOf(input);
    const { access, limits, log } = this.#peer;
    const wasOpen = access.state(operation.contentId)?.state === 'open';
    try {
      return await this.#act<AccessOperation>(input.expiresAtMs, operation, async (whole, basis) => {
        // After the account's number was read: whatever is booked from here on, this is not booked besides.
        await access.refresh(whole.contentId);
        checkPurchase(whole, access.state(whole.contentId), wasOpen);
        limits.checkSpending(whole.priceXac);
        return quoteAccess(whole, basis);
      });
    } finally {
      // Also where it was refused: another device may have bought it. What does not come now is asked for again.
      await access.refresh(operation.contentId).catch((error: unknown) => {
        log.warn({ err: error }, 'the certificate of what was bought did not come yet');
      });
    }
  };

  /** Signs and submits an operation that costs nothing. */
  act(operation: Unsigned<LinkOperation> | Unsigned<UnlinkOperation>): Promise<OperationResultView> {
    return this.#act<LinkOperation | UnlinkOperation>(Number.MAX_SAFE_INTEGER, operation, () => undefined);
  }

  /** Devnet: from the faucet. @throws AceError `InvalidAmount`, `TooManyRequests`, `InsufficientFunds`, `NotOnThisNetwork` */
  readonly topUp = async ({ amountXat, token = 'XAT', place }: CheckedInput<'topUp'>) => {
    const { shardClient, account, store } = this.#peer;
    const asked = positive(amountXat);
    const beforeSeq = store.settlements.newestSeq();
    await shardClient
      .call('faucet', {
        account: account.address,
        amountXat: asked,
        token,
        place: place ?? (isServicesToken(token) ? 'services' : 'main'),
      })
      .catch((error: unknown) => Promise.reject(inFaucetWords(error)));
    return this.#after(beforeSeq);
  };

  /**
   * The same rules as for the quote are applied once more with the figures of now, before anything is signed.
   * @throws AceError `DeadlinePassed`, `WalletLocked`, what the rules, the shard and the chain refuse with
   */
  #act<T extends Operation>(
    expiresAtMs: number,
    operation: Unsigned<T>,
    check: (operation: T, basis: OperationBasis) => unknown,
  ): Promise<OperationResultView> {
    return this.#alone(async () => {
      this.#checkInTime(expiresAtMs);
      const [basis, , picture] = await this.#basis();
      return this.#submit(operation, picture.account.nonce, (whole) => check(whole, basis));
    });
  }

  /**
   * Signs and submits a deposit that nobody is asked about; it keeps no wallet open. One operation at a time: what another
   * one did is seen by `amountXat`. @throws AceError as {@link #act}
   */
  depositUnasked({ amountXat, onSigned }: UnaskedDeposit): Promise<OperationResultView | null> {
    return this.#alone(async () => {
      const [basis, , picture] = await this.#basis();
      const moved = amountXat(picture);
      if (moved === null) return null;
      const { nonce } = picture.account;
      return this.#submit<DepositOperation>(
        { kind: 'deposit', token: 'XAT', amount: moved },
        nonce,
        (whole) => quoteMove(whole, basis),
        (hash) => onSigned({ nonce, hash, amountXat: moved }),
      );
    });
  }

  /** `onSigned` is called for what nobody was asked about. */
  async #submit<T extends Operation>(
    operation: Unsigned<T>,
    nonce: number,
    check: (whole: T) => unknown,
    onSigned?: (hash: Uint8Array) => void,
  ): Promise<OperationResultView> {
    const { account, settings, shardClient, store } = this.#peer;
    const whole = { ...operation, from: account.address, nonce } as unknown as T;
    checkOperation(whole);
    await check(whole);
    const beforeSeq = store.settlements.newestSeq();
    const typedData = operationTypedData(settings, whole);
    const signature = await account.signTypedData(typedData, { unasked: onSigned !== undefined });
    onSigned?.(fromHex(typedDataHash(typedData).slice(2)));
    const bytes = encodeSignedOperation(whole, fromHex(signature.slice(2)));
    const { height, hash } = await shardClient
      .call('submit', { operation: bytes })
      .catch((error: unknown) => this.#refused(error, nonce));
    const after = await this.#after(beforeSeq);
    return { height, hash: `0x${toHex(hash)}`, got: this.#gotAt(height), ...after };
  }

  /** As the home shard has told it; `null` while it has not. */
  #gotAt(height: number): OperationResultView['got'] {
    const row = this.#peer.store.operations.get(height);
    if (row === null) return null;
    return PLACES.flatMap((place) =>
      tokensOf(place).flatMap((token) => {
        const moved = (row.deltas[place] as Partial<Record<Token, bigint>>)[token] ?? 0n;
        return moved > 0n ? [{ place, token, amount: formatAmount(moved) }] : [];
      }),
    );
  }

  async #refused(error: unknown, nonce: number): Promise<never> {
    if (!isAceError(error) || !ANSWER_LOST.includes(error.code)) throw inOperationWords(error);
    const now = await this.#peer.sync.refresh().catch(() => null);
    const text =
      now !== null && now.account.nonce > nonce
        ? 'The shard’s answer was lost, but an operation of this account was booked since: look at what you have before you try again'
        : 'The shard did not answer, and it is not known yet whether the operation was booked: look at what you have before you try again';
    throw new AceError(error.code, text, { cause: error, details: { nonce } });
  }

  /** The account as it is now, and the loans that were repaid since. What waited for funds goes on. */
  async #after(beforeSeq: number) {
    const { sync, library, store } = this.#peer;
    const { account } = await sync.refresh();
    library.retryAll();
    return {
      holdings: holdingsView(account),
      creditUsedUnits: account.creditUsedUnits,
      repaid: store.settlements.repayments(beforeSeq, REPAYMENTS_TOLD).map(repaymentView),
    };
  }

  #checkInTime(expiresAtMs: number): void {
    if (this.#nowMs() <= expiresAtMs) return;
    throw new AceError('DeadlinePassed', 'The quote is over: ask for a new one', {
      details: { expiresAtMs },
    });
  }

  #whole<T extends Operation>(operation: Unsigned<T>): T {
    return { ...operation, from: this.#peer.account.address, nonce: ANY_NONCE } as unknown as T;
  }

  async #basis(): Promise<[basis: OperationBasis, asOfMs: number, picture: AccountPicture]> {
    const { sync, settings } = this.#peer;
    const picture = await sync.refresh();
    const { account, market, unitPriceXac, asOfMs } = picture;
    const basis = {
      account: {
        main: account.main as Balances,
        services: account.services as Funds,
        creditUsedUnits: account.creditUsedUnits,
        reservedUnits: account.reservedUnits,
      },
      loans: account.loans,
      price: { rates: market, unitPriceXac },
      totals: market,
      aceBytePriceUsd: market.aceBytePriceUsd,
      settings,
    };
    return [basis, asOfMs, picture];
  }

  /** The account has something, owes something, or has signed something. */
  async #isSeen(address: string): Promise<boolean> {
    const account = await this.#peer.shardClient.call('account', { address });
    const { main, services, nonce, creditUsedUnits } = account;
    const held = [...Object.values(main), ...Object.values(services)];
    return nonce > 0 || creditUsedUnits > 0 || held.some((amount) => amount > 0n);
  }

  async #reserves({ sell, buy }: Pick<SwapOperation, 'sell' | 'buy'>) {
    const pair = (await this.#peer.shardClient.call('exchange', {}))[tradedToken(sell, buy)];
    return { XAC: amount(pair.XAC), token: amount(pair.token) };
  }
}
