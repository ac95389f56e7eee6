/** Takes the operations that accounts sign to the main chain, after a look at what their funds are promised to. */
import { plainPayment } from '../../shared/batch-result.ts';
import { affordableUnits, afterPayment, coveredUnits, creditLeftUnits } from '../../shared/credit.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { type Balances, type TokenAmount, ZERO } from '../../shared/money.ts';
import { decodeSignedOperation, type Operation } from '../../shared/operation.ts';
import { planPayment } from '../../shared/payment.ts';
import { ratio } from '../../shared/ratio.ts';
import type { MainChain, Market, OperationReceipt } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { OPERATIONS_TOLD } from '../p2p/protocols/shard/constants.ts';
import { priceSnapshot } from './accounts.ts';
import { checkHome } from './check-home.ts';

export interface OperationContext {
  readonly chain: MainChain;
  readonly store: ValidatorStore;
  readonly shard: number;
}

/**
 * Submits an operation, canonical bytes. Runs alone on the shard, so that no lease comes between look and act.
 * @throws AceError `WrongShard`, `FundsReserved` (what is left would not cover the account's open channels), `MessageMalformed`, and
 * what `MainChain.submit` throws
 */
export async function submitOperation(
  { chain, store, shard }: OperationContext,
  bytes: Uint8Array,
): Promise<{ readonly receipt: OperationReceipt; readonly accounts: readonly string[] }> {
  const { operation, signature } = decodeSignedOperation(bytes);
  checkHome(chain.settings(), shard, operation.from);
  await checkReserved(chain, store, operation);
  const receipt = await chain.submit({
    operation,
    signature: `0x${Buffer.from(signature).toString('hex')}`,
  });
  const accounts = receipt.changes.map(({ holder }) => holder).filter((holder) => holder.startsWith('0x'));
  return { receipt, accounts: [...new Set([operation.from, ...accounts])] };
}

/** What operations did to an account, from `fromHeight` on, as its node is told. */
export async function toldOperations(
  chain: MainChain,
  faucet: string | null,
  account: string,
  fromHeight: number,
) {
  const rows = await chain.accountOperations(account, fromHeight, OPERATIONS_TOLD);
  return rows.map(({ payment, deltas, ...row }) => ({
    ...row,
    deltas: { ...deltas },
    payment: payment && plainPayment(payment),
    faucet:
      faucet !== null &&
      account !== faucet &&
      row.operation !== null &&
      decodeSignedOperation(row.operation).operation.from === faucet,
  }));
}

/**
 * A lease is the shard's word that a payee will be paid: funds behind open channels stay where they are, and so do funds
 * that the next settlement takes for a loan.
 */
async function checkReserved(chain: MainChain, store: ValidatorStore, operation: Operation): Promise<void> {
  const reservedUnits = store.leases.reservedUnits(operation.from);
  const account = await chain.account(operation.from);
  if (reservedUnits === 0 && account.creditUsedUnits === 0) return;
  const market = await chain.market();
  const left = fundsAfter(operation, account.balances, market);
  if (left === account.balances) return;
  // By the time the chain looks, the rate may be another: what cannot be paid now is not taken to it.
  if (left === null) throw new AceError('InsufficientFunds', 'The funds do not reach for this');
  const price = priceSnapshot(market);
  if (account.creditUsedUnits > 0 && affordableUnits(account.balances, price, 1) > 0) {
    throw new AceError(
      'FundsReserved',
      'These funds repay a loan with the next settlement: try again after it',
      {
        details: { owedUnits: account.creditUsedUnits },
      },
    );
  }
  const coveredBy =
    coveredUnits(left, price, reservedUnits) +
    creditLeftUnits(chain.settings().trafficCreditLimitUnits, account.creditUsedUnits);
  if (coveredBy >= reservedUnits) return;
  throw new AceError(
    'FundsReserved',
    `${reservedUnits} MiB of open channels are paid from these funds: stop what plays, or keep more`,
    { details: { reservedUnits, coveredUnits: coveredBy } },
  );
}

/** What the account can pay with afterwards, at worst; `null` when it has not enough for the operation itself. */
function fundsAfter(operation: Operation, balances: Balances, market: Market): Balances | null {
  const moved = (out: keyof Balances, amount: bigint): Balances | null =>
    balances[out] < amount ? null : { ...balances, [out]: (balances[out] - amount) as TokenAmount };
  switch (operation.kind) {
    case 'transfer':
      return operation.token === 'XAB' || operation.amount === 0n
        ? balances
        : moved(operation.token, operation.amount);
    case 'swap': {
      const left = moved(operation.sell, operation.amount);
      const { buy, minReceived } = operation;
      return left && { ...left, [buy]: (left[buy] + minReceived) as TokenAmount };
    }
    case 'access':
    case 'reward': {
      const price = operation.kind === 'access' ? operation.priceXac : operation.amountXac;
      try {
        const payment = planPayment(balances, price, market.rates, ratio(0), ZERO);
        return { ...balances, ...afterPayment(balances, payment) };
      } catch (error) {
        if (isAceError(error, 'InsufficientFunds')) return null;
        throw error;
      }
    }
    // They pay with XAB, or with nothing.
    case 'mint':
    case 'link':
    case 'unlink':
    case 'feed':
      return balances;
    default:
      return operation satisfies never;
  }
}
