/** Takes the operations that accounts sign to the main chain, after a look at what their funds are promised to. */

import type { OperationReceipt } from '../../shared/chain.ts';
import { checkHeld } from '../../shared/economy/held-funds.ts';
import { decodeSignedOperation, type Operation } from '../../shared/economy/operation.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import { plainPayment } from '../../shared/settlement/batch-result.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { OPERATIONS_TOLD } from '../p2p/protocols/shard/constants.ts';
import { priceSnapshot } from './accounts.ts';
import { checkHome } from './check-home.ts';
import { unlinking } from './unlinking.ts';

export interface OperationContext {
  readonly chain: MainChain;
  readonly store: ValidatorStore;
  readonly shard: number;
  readonly nowMs: () => number;
}

/**
 * Submits an operation, canonical bytes. Runs alone on the shard, so that no lease comes between look and act.
 * @throws AceError `WrongShard`, `FundsReserved` (what is left would not cover the account's open channels), `MessageMalformed`, and
 * what `MainChain.submit` throws
 */
export async function submitOperation(
  context: OperationContext,
  bytes: Uint8Array,
): Promise<{ readonly receipt: OperationReceipt; readonly accounts: readonly string[] }> {
  const { chain, store, shard, nowMs } = context;
  const { operation, signature } = decodeSignedOperation(bytes);
  checkHome(chain.settings(), shard, operation.from);
  // The chain's time may be an early one (see `SteadyClock.nowMs`), which would take what is late for timely.
  if (operation.kind === 'swap' && nowMs() > operation.deadlineMs) {
    throw new AceError('DeadlinePassed', 'The swap came after its deadline');
  }
  await checkReserved(chain, store, operation);
  const submit = () =>
    chain.submit({ operation, signature: `0x${toHex(signature)}` }).catch((cause: unknown) => {
      // In time by this clock: the chain's last record is dated ahead.
      if (!isAceError(cause, 'DeadlinePassed') || operation.kind !== 'swap' || nowMs() > operation.deadlineMs)
        throw cause;
      throw new AceError('ClockWrong', 'The chain’s last record is dated ahead: no swap is in time', {
        cause,
      });
    });
  const { submitted: receipt, payees } =
    operation.kind === 'unlink'
      ? await unlinking(context, operation.from, operation.device, submit)
      : { submitted: await submit(), payees: [] };
  const accounts = receipt.changes.map(({ holder }) => holder).filter((holder) => holder.startsWith('0x'));
  return { receipt, accounts: [...new Set([operation.from, ...accounts, ...payees])] };
}

/** What operations did to an account, from `fromHeight` on, as its node is told. */
export async function accountOperations(
  chain: MainChain,
  faucet: string | null,
  account: string,
  fromHeight: number,
) {
  const rows = await chain.accountOperations(account, fromHeight, OPERATIONS_TOLD);
  const isGift = (bytes: Uint8Array) => {
    // The faucet's account is the treasury of its devnet, too: a reward is none of its gifts.
    const { kind, from } = decodeSignedOperation(bytes).operation;
    return kind === 'transfer' && from === faucet;
  };
  return rows.map(({ payment, ...row }) => ({
    ...row,
    payment: payment && plainPayment(payment),
    faucet: account !== faucet && row.operation !== null && isGift(row.operation),
  }));
}

/**
 * A lease is the shard's word that a payee will be paid: funds behind open channels stay where they are, and so do funds
 * that the next settlement takes for a loan.
 */
async function checkReserved(chain: MainChain, store: ValidatorStore, operation: Operation): Promise<void> {
  const reservedUnits = store.leases.reservedUnits(operation.from);
  const { main, services, creditUsedUnits } = await chain.account(operation.from);
  if (reservedUnits === 0 && creditUsedUnits === 0) return;
  const price = priceSnapshot(await chain.market());
  checkHeld(operation, { main, services, creditUsedUnits, reservedUnits }, price);
}
