/**
 * Random histories of a whole economy on a real embedded chain. A step is made of random shares and choices, and turned
 * into something that fits the books as they are then: so most of it succeeds, however long the history is. The book of
 * loans is kept here, as the second level keeps it.
 */
import { expect } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { signOperation } from '../../main/wallet/account.ts';
import type { ChainAccount, SignedBatch, SignedOperation } from '../../shared/chain.ts';
import { EXCHANGE_POOLS, swapOutput } from '../../shared/economy/exchange.ts';
import { amount, MAX_AMOUNT, type Token, type TokenAmount } from '../../shared/economy/money.ts';
import { type Operation, REWARD_PURPOSES } from '../../shared/economy/operation.ts';
import { purchasingPowerXac } from '../../shared/economy/payment.ts';
import { type ExchangeRates, mintCostXab, trafficRate, unitPriceXac } from '../../shared/economy/price.ts';
import { divide, multiply, overDown, type Ratio } from '../../shared/economy/ratio.ts';
import type { Genesis, NetworkSettings } from '../../shared/economy/settings.ts';
import { type ErrorCode, isAceError } from '../../shared/errors.ts';
import type { BatchEntry, BatchResult } from '../../shared/settlement/batch.ts';
import { DEVICES, entry, nextBatch, sign, snapshot } from '../helpers/chain.ts';
import {
  ACCOUNTS,
  addressOf,
  genesisOf,
  type Kind,
  type Share,
  type Step,
  settingsOf,
  TREASURY,
  type World,
} from './history-world.ts';

/** These are wrong on purpose: they succeed when they are refused by the right name. */
const REFUSED_AS: Partial<Record<Kind, ErrorCode>> = {
  replayOperation: 'WrongNonce',
  overspend: 'InsufficientFunds',
  overrepay: 'InvariantViolated',
};
/** Shares that come out as too little or too much may end like this, and change nothing. */
const MAY_BE_REFUSED: readonly ErrorCode[] = [
  'SlippageExceeded',
  'NoMarket',
  'InsufficientFunds',
  'InvalidAmount',
  // A withdrawal while loans are owed.
  'FundsReserved',
  // What was bought for ever.
  'AccessBought',
];

/** What happened in one step. */
export interface Outcome {
  readonly kind: Kind;
  readonly done: boolean;
  /** What it was priced with. */
  readonly rates: ExchangeRates;
  readonly batch?: { readonly signed: SignedBatch; readonly result: BatchResult };
  readonly operation?: Operation;
}

type Done = Omit<Outcome, 'rates'>;
/** Finds an account that has something of a kind. */
type PayerChoice = (has: (account: ChainAccount) => bigint, not?: string) => Promise<ChainAccount>;

export class Economy {
  readonly settings: NetworkSettings;
  readonly genesis: Genesis;
  /** Units owed, by payer + payee. */
  readonly loans = new Map<string, number>();
  readonly #path: string;
  readonly #batches: { signed: SignedBatch; result: BatchResult }[] = [];
  readonly #operations: SignedOperation[] = [];
  #chain: MainChain;
  #nowMs = 1_700_000_000_000;

  constructor(path: string, start: World) {
    this.#path = path;
    this.settings = settingsOf(start);
    this.genesis = genesisOf(start);
    this.#chain = this.#open();
  }

  get chain(): MainChain {
    return this.#chain;
  }

  close(): Promise<void> {
    return this.#chain.close();
  }

  /** Does a step; what is refused has changed nothing. `null` when there is nothing that it could be done with. */
  async take(each: Step): Promise<Outcome | null> {
    this.#nowMs += each.waitMs;
    const { rates } = await this.#chain.market();
    const outcome = await this.#take(each);
    return outcome && { ...outcome, rates };
  }

  async #take(each: Step): Promise<Done | null> {
    const { kind } = each;
    switch (kind) {
      case 'batch':
      case 'overrepay':
        return this.#settle(each);
      case 'replayBatch':
        return this.#replayBatch(each);
      case 'restart': {
        const before = await snapshot(this.#chain);
        await this.#chain.close();
        this.#chain = this.#open();
        expect(await snapshot(this.#chain)).toEqual(before);
        return { kind, done: true };
      }
      case 'replayOperation': {
        const old = this.#operations[each.pick % Math.max(1, this.#operations.length)];
        return old ? this.#attempt(kind, () => this.#chain.submit(old)) : null;
      }
      default:
        return this.#operate(each);
    }
  }

  /** Units that an account owes to all. */
  owedBy(payer: string): number {
    return [...this.loans].reduce((sum, [pair, units]) => sum + (pair.startsWith(payer) ? units : 0), 0);
  }

  #open(): MainChain {
    const { settings, genesis } = this;
    return openEmbeddedChain({ path: this.#path, settings, genesis, nowMs: () => this.#nowMs });
  }

  async #operate(each: Step): Promise<Done | null> {
    const fields = await this.#fieldsOf(each);
    const signer = fields && ACCOUNTS.find(({ address }) => address === fields.from);
    if (!fields || !signer) return null;
    const { nonce } = await this.#chain.account(fields.from);
    const operation = { ...fields, nonce } as Operation;
    const signed = await signOperation(signer, this.settings, operation);
    const outcome = await this.#attempt(each.kind, () => this.#chain.submit(signed));
    if (outcome.done && !REFUSED_AS[each.kind]) this.#operations.push(signed);
    return { ...outcome, operation };
  }

  /** An operation, without its nonce, that the books as they are allow. */
  async #fieldsOf(each: Step): Promise<({ from: string } & Record<string, unknown>) | null> {
    const chain = this.#chain;
    const { kind, token } = each;
    const to = addressOf(each.to);
    const room = async (of: Token) => {
      const { genesis, emitted, burned } = (await chain.supply())[of];
      return MAX_AMOUNT - (genesis + emitted - burned);
    };
    /** The account of the step, or the treasury where that one has nothing. */
    const payer: PayerChoice = async (has, not = '') => {
      const own = await chain.account(addressOf(each.who));
      return has(own) > 0n && own.address !== not
        ? own
        : chain.account(TREASURY === not ? addressOf(each.who) : TREASURY);
    };
    switch (kind) {
      case 'topup':
      case 'transfer': {
        const from = kind === 'topup' ? await chain.account(TREASURY) : await payer((a) => a.main[token], to);
        const what = kind === 'topup' ? 'XAT' : token;
        const sum = part(from.main[what], each.share);
        if (from.address === to) return null;
        // The treasury goes on paying: all that it has would end the history.
        const most = from.address === TREASURY && each.pick % 10 > 0 ? from.main[what] / 100n : sum;
        return {
          kind: 'transfer',
          place: what === 'XAB' || (kind === 'transfer' && each.flag) ? 'main' : 'services',
          from: from.address,
          to,
          token: what,
          amount: atLeastOne(smaller(sum, most)),
        };
      }
      case 'overspend': {
        const from = await chain.account(addressOf(each.who));
        if (from.address === to || from.main[token] >= MAX_AMOUNT) return null;
        return {
          kind: 'transfer',
          place: 'main',
          from: from.address,
          to,
          token,
          amount: from.main[token] + 1n,
        };
      }
      case 'deposit':
      case 'withdraw': {
        const place = kind === 'deposit' ? 'main' : 'services';
        const moved = token === 'XAB' ? 'XAT' : token;
        const from = await payer((a) => a[place][moved]);
        const sum = part(from[place][moved], each.share);
        // As with what it gives away, the treasury keeps most of what pays.
        const most = from.address === TREASURY && each.pick % 10 > 0 ? from[place][moved] / 100n : sum;
        return { kind, from: from.address, token: moved, amount: atLeastOne(smaller(sum, most)) };
      }
      case 'mint': {
        const from = await payer((a) => a.main.XAB);
        const { totals, aceBytePriceUsd } = await chain.market();
        const price = divide(multiply(trafficRate(totals), this.settings.trafficPriceUsd), aceBytePriceUsd);
        const afforded = overDown(part(from.main.XAB, each.share), price);
        const amountXat = amount(atLeastOne(smaller(afforded, (await room('XAT')) / 10n)));
        const cost = mintCostXab(
          amountXat,
          trafficRate(totals),
          this.settings.trafficPriceUsd,
          aceBytePriceUsd,
        );
        return { kind, from: from.address, amountXat, maxXab: cost };
      }
      case 'swap': {
        const there = await this.#swapOf(each, each.flag, payer);
        // A reserve may have come so low that only the other way gets anything.
        return there.minReceived > 0n ? there : this.#swapOf(each, !each.flag, payer);
      }
      case 'access':
      case 'reward': {
        const { rates } = await chain.market();
        const power = (a: ChainAccount) => purchasingPowerXac(a.services, rates);
        const from = kind === 'reward' ? await chain.account(TREASURY) : await payer(power, to);
        if (from.address === to) return null;
        const price = atLeastOne(smaller(part(power(from), each.share), (await room('XAC')) / 100n));
        if (kind === 'access')
          return {
            ...{ kind, from: from.address, to, contentId: 'bafy', priceXac: price },
            ...{ premium: each.flag, lastsMs: each.waitMs },
          };
        return { kind, from: from.address, to, amountXac: price, purpose: REWARD_PURPOSES[each.pick % 3] };
      }
      case 'link':
        return {
          kind: each.flag ? 'link' : 'unlink',
          from: addressOf(each.who),
          device: DEVICES[each.pick % DEVICES.length],
        };
      case 'feed':
        return { kind, from: TREASURY, aceBytePriceUsd: ['0.000001', '0.3', '1', '1000000'][each.pick % 4] };
      default:
        return null;
    }
  }

  async #swapOf(each: Step, sellsXac: boolean, payer: PayerChoice) {
    const [sell, buy] = sellsXac ? (['XAC', each.pair] as const) : ([each.pair, 'XAC'] as const);
    const from = await payer((a) => a.main[sell]);
    const reserves = (await this.#chain.pools())[EXCHANGE_POOLS[each.pair]];
    const most = smaller(from.main[sell], reserves[sell] * 2n);
    // So much that it gets something; one in ten is what it is.
    const least = each.pick % 10 === 0 ? 1n : (3n * reserves[sell]) / atLeastOne(reserves[buy]) + 3n;
    const sold = amount(atLeastOne(larger(part(most, each.share), smaller(least, from.main[sell]))));
    const minReceived = outputOf(sold, reserves[sell], reserves[buy], this.settings.swapFee);
    const deadlineMs = this.#nowMs + 10_000;
    return { kind: 'swap', from: from.address, sell, buy, amount: sold, minReceived, deadlineMs };
  }

  /**
   * A batch of consumption and of repayments, never more than is owed to the payee; or one unit more than is owed to
   * all.
   */
  async #settle(each: Step): Promise<Done | null> {
    const chain = this.#chain;
    const { totals, rates } = await chain.market();
    const { genesis, emitted, burned } = (await chain.supply()).XAC;
    const room = (MAX_AMOUNT - (genesis + emitted - burned)) / 100n;
    const most = Number(smaller(overDown(room, unitPriceXac(totals, rates)), 10n ** 9n));
    const entries = new Map<string, BatchEntry>();
    for (const { payer, payee, units } of each.pairs) {
      const [from, to] = [addressOf(payer), addressOf(payee)];
      const consumed = Math.min(units, most);
      if (from !== to && consumed > 0) entries.set(from + to, entry(from, to, consumed));
    }
    const owed = [...this.loans].filter(([, units]) => units > 0);
    for (const [pair, units] of owed.slice(0, 1 + (each.pick % 6))) {
      const repaid = Math.ceil((units * each.repayPercent) / 100);
      const known = entries.get(pair) ?? entry(pair.slice(0, 42), pair.slice(42), 0);
      if (repaid + known.consumeUnits > 0) entries.set(pair, { ...known, repayUnits: repaid });
    }
    if (each.kind === 'overrepay') {
      const [from, to] = [addressOf(each.who), addressOf(each.to)];
      if (from === to) return null;
      entries.set(from + to, entry(from, to, 0, this.owedBy(from) + 1));
    }
    const signed = sign(await nextBatch(chain, [...entries.values()], { watched: each.watched }));
    let result: BatchResult | undefined;
    const outcome = await this.#attempt(each.kind, async () => {
      result = await chain.applyBatch(signed);
    });
    if (!result) return outcome;
    for (const { payer, payee, creditUnits, repaidUnits } of result.entries) {
      this.loans.set(payer + payee, (this.loans.get(payer + payee) ?? 0) + creditUnits - repaidUnits);
    }
    const batch = { signed, result };
    this.#batches.push(batch);
    return { ...outcome, batch };
  }

  /** Rule 6: any batch there ever was, again, gives its old answer and changes nothing. */
  async #replayBatch(each: Step): Promise<Done | null> {
    const old = this.#batches[each.pick % Math.max(1, this.#batches.length)];
    if (!old) return null;
    const before = await snapshot(this.#chain);
    expect(await this.#chain.applyBatch(old.signed)).toEqual(old.result);
    expect(await snapshot(this.#chain)).toEqual(before);
    return { kind: each.kind, done: true };
  }

  /** Rule 7: what is refused is refused by an expected name, and nothing has changed. */
  async #attempt(kind: Kind, act: () => Promise<unknown>): Promise<Done> {
    const before = await snapshot(this.#chain);
    const wanted = REFUSED_AS[kind];
    try {
      await act();
    } catch (error) {
      const expected = wanted ? [wanted] : MAY_BE_REFUSED;
      if (!expected.some((code) => isAceError(error, code))) throw error;
      expect(await snapshot(this.#chain)).toEqual(before);
      return { kind, done: wanted !== undefined };
    }
    expect(wanted, `${kind} was not refused`).toBeUndefined();
    return { kind, done: true };
  }
}

/** 0 where the exchange refuses: then it is the chain that says so. */
function outputOf(
  sold: TokenAmount,
  reserveSold: TokenAmount,
  reserveBought: TokenAmount,
  fee: Ratio,
): TokenAmount {
  try {
    return swapOutput(sold, reserveSold, reserveBought, fee);
  } catch {
    return amount(0n);
  }
}

function part(whole: bigint, of: Share): bigint {
  if (of === 'all') return whole;
  return of === 'one' ? 1n : (whole * BigInt(of[0])) / 10n ** BigInt(of[1]);
}

function atLeastOne(sum: bigint): bigint {
  return sum > 0n ? sum : 1n;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
