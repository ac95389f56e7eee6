/** What each operation that an account signs does to the ledger. */

import type { BoughtAccess } from '../../../shared/chain.ts';
import { tradedToken } from '../../../shared/economy/exchange.ts';
import { checkFunds, checkOwesNothing } from '../../../shared/economy/held-funds.ts';
import type { Place } from '../../../shared/economy/holdings.ts';
import { formatAmount, MAX_AMOUNT } from '../../../shared/economy/money.ts';
import type {
  AccessOperation,
  DepositOperation,
  MintOperation,
  Operation,
  RewardOperation,
  SwapOperation,
  TransferOperation,
  WithdrawOperation,
} from '../../../shared/economy/operation.ts';
import { type Payment, planPayment } from '../../../shared/economy/payment.ts';
import { mintCostXab, trafficRate } from '../../../shared/economy/price.ts';
import { ratio, ratioFromDecimal } from '../../../shared/economy/ratio.ts';
import type { NetworkSettings } from '../../../shared/economy/settings.ts';
import { AceError } from '../../../shared/errors.ts';
import type { ChainStore } from '../../db/chain/store.ts';
import { observePrice, quoteSwap, ratesAt } from './exchange.ts';
import type { Ledger, LedgerAccount } from './ledger.ts';

/** Base units of a token that a chain can emit in all: what SQLite's integers hold. */
const MAX_EVER = 2n ** 63n - 1n;

/** Where an operation happens. */
export interface OperationContext {
  readonly store: ChainStore;
  readonly ledger: Ledger;
  readonly settings: NetworkSettings;
  /** The chain's time, which is later than that of everything before. */
  readonly atMs: number;
}

/**
 * Applies an operation whose form and signature were checked. The answer is what one that pays for a service moved.
 * @throws AceError `WrongNonce`, `InsufficientFunds`, `NotAllowed`, `NoMarket`, `SlippageExceeded`, `DeadlinePassed`,
 * `InvalidAmount`, `AccessBought`
 */
export function applyOperation(context: OperationContext, operation: Operation): Payment | null {
  const from = context.ledger.account(operation.from);
  if (operation.nonce !== from.nonce) {
    throw new AceError(
      'WrongNonce',
      `The account's next operation is number ${from.nonce}, not ${operation.nonce}`,
      { details: { expected: from.nonce, got: operation.nonce } },
    );
  }
  from.nonce += 1;
  switch (operation.kind) {
    case 'transfer':
      transfer(context, from, operation);
      break;
    case 'deposit':
    case 'withdraw':
      move(context, from, operation);
      break;
    case 'mint':
      mint(context, from, operation);
      break;
    case 'swap':
      swap(context, from, operation);
      break;
    case 'access':
      return buyAccess(context, from, operation);
    case 'reward':
      return reward(context, from, operation);
    case 'link':
    case 'unlink':
      context.store.devices.put(operation.from, operation.device, operation.kind === 'link');
      break;
    case 'feed':
      expectRole(from, context.settings.feedAccount, 'Only the network’s market feed reports prices');
      context.store.feed.put(ratioFromDecimal(operation.aceBytePriceUsd));
      break;
    default:
      operation satisfies never;
  }
  return null;
}

function transfer(
  { ledger }: OperationContext,
  from: LedgerAccount,
  { to, token, amount, place }: TransferOperation,
): void {
  checkFunds(from, 'main', token, amount);
  ledger.transfer(from, ledger.account(to), place, token, amount);
}

/** docs/economy.md#places: what services holds belongs to loans first. What open leases need is the second level's to know. */
function move(
  { ledger }: OperationContext,
  from: LedgerAccount,
  { kind, token, amount }: DepositOperation | WithdrawOperation,
): void {
  const [out, into]: [Place, Place] = kind === 'deposit' ? ['main', 'services'] : ['services', 'main'];
  if (kind === 'withdraw') checkOwesNothing(from);
  checkFunds(from, out, token, amount);
  ledger.move(from, out, into, token, amount);
}

/** docs/economy.md#price: XAB burned at aceTimePrice becomes XAT. */
function mint(
  { store, ledger, settings }: OperationContext,
  from: LedgerAccount,
  { amountXat, maxXab }: MintOperation,
): void {
  const rate = trafficRate(store.totals.get());
  const costXab = mintCostXab(amountXat, rate, settings.trafficPriceUsd, store.feed.get());
  if (costXab > maxXab) {
    throw new AceError(
      'SlippageExceeded',
      `It costs ${formatAmount(costXab)} XAB now, more than the ${formatAmount(maxXab)} allowed`,
    );
  }
  checkFunds(from, 'main', 'XAB', costXab);
  const { genesis, emitted, burned } = ledger.supply('XAT');
  // The second: over the life of a chain its column holds no more, burned ones included.
  if (genesis + emitted - burned + amountXat > MAX_AMOUNT || genesis + emitted + amountXat > MAX_EVER) {
    throw new AceError('InvalidAmount', 'That is more XAT than can exist');
  }
  ledger.burn(from, 'XAB', costXab);
  ledger.emit(from, 'XAT', amountXat);
}

/** A swap, see docs/economy.md#exchange. */
function swap(
  { store, ledger, settings, atMs }: OperationContext,
  from: LedgerAccount,
  operation: SwapOperation,
): void {
  const { sell, buy, amount, minReceived, deadlineMs } = operation;
  if (atMs > deadlineMs) throw new AceError('DeadlinePassed', 'The swap came after its deadline');
  checkFunds(from, 'main', sell, amount);
  const received = quoteSwap(ledger, operation, settings.swapFee);
  if (received < minReceived) {
    throw new AceError(
      'SlippageExceeded',
      `It gets ${formatAmount(received)} ${buy} now, less than the ${formatAmount(minReceived)} asked for`,
    );
  }
  const token = tradedToken(sell, buy);
  ledger.swap(from, token, { sell, buy, sold: amount, bought: received });
  observePrice(store, ledger, token, atMs);
}

/** Access to a content, see docs/economy.md#access. */
function buyAccess(
  { store, ledger, settings, atMs }: OperationContext,
  from: LedgerAccount,
  { to, contentId, priceXac, premium, lastsMs }: AccessOperation,
): Payment {
  const bought = { contentId, seller: to, priceXac, premium, lastsMs };
  const before = store.access.get(from.address, contentId, to);
  if (before && isForEver(before, bought)) {
    throw new AceError('AccessBought', 'The account has this access already, for ever: nothing is paid');
  }
  const rates = ratesAt(store, settings, atMs);
  const fee = premium ? settings.premiumPoolAccessFee : settings.contentAccessFee;
  const funds = ledger.usableFunds(from, rates);
  const payment = planPayment(funds, priceXac, rates, fee, ledger.lockedPoolXat);
  ledger.pay(from, ledger.account(to), payment, rates, premium ? 'premiumFeePool' : 'contentAccessFeePool');
  store.access.put(from.address, prolonged(before, bought, atMs));
  return payment;
}

type Wanted = Omit<BoughtAccess, 'boughtAtMs' | 'untilMs'>;

/** Whether what is wanted would be paid for nothing. One that was bought for less may be bought again for what it costs. */
function isForEver(before: BoughtAccess, { priceXac, premium }: Wanted): boolean {
  return before.untilMs === 0 && before.premium === premium && before.priceXac >= priceXac;
}

/**
 * Bought again before its end it goes on from there, when each span before has cost as much as this one at least: what is
 * kept says of all of them what this one cost, at this one's time. Otherwise it begins anew.
 */
function prolonged(before: BoughtAccess | undefined, bought: Wanted, atMs: number): BoughtAccess {
  const { priceXac, premium, lastsMs } = bought;
  if (lastsMs === 0) return { ...bought, boughtAtMs: atMs, untilMs: 0 };
  const goesOn =
    before !== undefined &&
    before.untilMs > atMs &&
    before.priceXac >= priceXac &&
    before.premium === premium &&
    before.lastsMs === lastsMs;
  const fromMs = goesOn ? before.untilMs : atMs;
  return { ...bought, boughtAtMs: atMs, untilMs: Math.min(fromMs + lastsMs, Number.MAX_SAFE_INTEGER) };
}

/** docs/economy.md#paying: the network pays a participant. No fee: it would pay itself. */
function reward(
  { store, ledger, settings, atMs }: OperationContext,
  from: LedgerAccount,
  { to, amountXac }: RewardOperation,
): Payment {
  expectRole(from, settings.treasury, 'Only the network’s treasury pays rewards');
  const rates = ratesAt(store, settings, atMs);
  const funds = ledger.usableFunds(from, rates);
  const payment = planPayment(funds, amountXac, rates, ratio(0), ledger.lockedPoolXat);
  ledger.pay(from, ledger.account(to), payment, rates, 'txFeePool');
  return payment;
}

function expectRole(from: LedgerAccount, role: string | null, message: string): void {
  if (from.address !== role) throw new AceError('NotAllowed', message);
}
