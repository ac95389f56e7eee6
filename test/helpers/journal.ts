/** What a node is told of its account, made of a chain's history: for journals without a network. */
import type { MainChain } from '../../main/chain/port.ts';
import type { OperationRow } from '../../main/db/node/operations.ts';
import type { NewSettlement } from '../../main/db/node/settlements.ts';
import type { NodeStore } from '../../main/db/node/store.ts';
import { bookOperation, bookSettlement } from '../../main/journal/records.ts';
import { operationTypedData, typedDataHash } from '../../main/wallet/typed-data.ts';
import { decodeSignedOperation } from '../../shared/economy/operation.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import type { BatchResult } from '../../shared/settlement/batch.ts';
import { sumsOf } from '../../shared/settlement/statement.ts';

export interface Records {
  readonly operations: readonly OperationRow[];
  readonly settlements: readonly NewSettlement[];
}

export interface AppliedBatch {
  readonly result: BatchResult;
  readonly atMs: number;
}

/** Everything that a chain and its one shard tell of an account. `channelOf`: the channel of a counterparty. */
export async function recordsOf(
  chain: MainChain,
  settings: NetworkSettings,
  account: string,
  batches: readonly AppliedBatch[],
  channelOf: (counterparty: string) => Uint8Array | null = () => null,
): Promise<Records> {
  const operations: OperationRow[] = [];
  for (;;) {
    const page = await chain.accountOperations(account, (operations.at(-1)?.height ?? -1) + 1, 7);
    if (page.length === 0) break;
    for (const told of page) {
      const signed = told.operation && decodeSignedOperation(told.operation).operation;
      const hash = signed
        ? new Uint8Array(Buffer.from(typedDataHash(operationTypedData(settings, signed)).slice(2), 'hex'))
        : new Uint8Array(32);
      operations.push({ ...told, hash, faucet: false });
    }
  }
  const settlements: NewSettlement[] = [];
  for (const { result, atMs } of batches) {
    for (const entry of result.entries) {
      if (entry.payer !== account && entry.payee !== account) continue;
      const { repayment, payment, payer, payee, ...units } = entry;
      const counterparty = payer === account ? payee : payer;
      const channelId = channelOf(counterparty);
      const consumed = units.paidUnits + units.creditUnits + units.refusedUnits;
      settlements.push({
        ...units,
        ...sumsOf(entry),
        shard: 0,
        shardSeq: settlements.length + 1,
        batchNumber: result.number,
        batchHash: result.hash,
        atMs,
        direction: payer === account ? 'paid' : 'earned',
        counterparty,
        price: result.unitPriceXac,
        signature: null,
        detail: {
          repayment,
          payment,
          channels: channelId && consumed > 0 ? [{ channelId, units: consumed }] : [],
        },
      });
    }
  }
  return { operations, settlements };
}

/** Books them as a node does; the account and network are noted, too. */
export function bookRecords(store: NodeStore, account: string, { operations, settlements }: Records): void {
  store.commit(() => {
    store.meta.set('account', account);
    store.meta.set('network', 'test');
    for (const row of operations) bookOperation(store, account, row);
    for (const row of settlements) bookSettlement(store, row);
  });
}
