/**
 * Books what the home shard says operations did to this node's account, each with its journal entry in one transaction.
 * That they were signed is checked here, and their entries hold what they moved against what was signed. What a signature leaves
 * open, such as what a swap got beyond its least, is the shard's word, which `journal verify` holds against the account.
 */

import { decodeSignedOperation } from '../../shared/economy/operation.ts';
import { AceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import type { OperationRow } from '../db/node/operations.ts';
import type { NodeStore } from '../db/node/store.ts';
import { bookOperation } from '../journal/records.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { paymentFromPlain } from '../p2p/protocols/shard/messages.ts';
import {
  operationTypedData,
  type SigningNetwork,
  typedDataHash,
  verifyTypedData,
} from '../wallet/typed-data.ts';

export interface OperationBookContext {
  readonly store: NodeStore;
  readonly network: SigningNetwork;
  /** This node's account, lower case. */
  readonly account: string;
}

const NO_HASH = new Uint8Array(32);

/**
 * Asks for everything that is not booked yet.
 * @throws AceError `MessageMalformed`, `InvalidSignature`, `StoreFailed`, and what the shard refuses with
 */
export async function pullOperations(
  { store, network, account }: OperationBookContext,
  line: Pick<ShardClient, 'call'>,
): Promise<void> {
  for (;;) {
    const fromHeight = store.operations.nextHeight();
    const { operations } = await line.call('operations', { account, fromHeight });
    if (operations.length === 0) return;
    let last = fromHeight - 1;
    const rows: OperationRow[] = [];
    for (const { payment, ...row } of operations) {
      if (row.height <= last) {
        throw new AceError('MessageMalformed', 'The shard told operations out of order', {
          reaction: 'drop-peer',
        });
      }
      // What nobody signed costs a shard nothing, and would fill the disk.
      if (row.operation === null && row.height > 0) {
        throw new AceError('MessageMalformed', 'The shard told an operation that nobody signed', {
          reaction: 'drop-peer',
        });
      }
      last = row.height;
      const hash = row.operation === null ? NO_HASH : await signedHash(network, row.operation);
      rows.push({ ...row, hash, payment: payment && paymentFromPlain(payment) });
    }
    store.commit(() => {
      for (const row of rows) bookOperation(store, account, row);
    });
  }
}

/** EIP-712 hash of a signed operation. @throws AceError `MessageMalformed`, `InvalidInput`, `InvalidSignature` */
async function signedHash(network: SigningNetwork, bytes: Uint8Array): Promise<Uint8Array> {
  const { operation, signature } = decodeSignedOperation(bytes);
  const typedData = operationTypedData(network, operation);
  await verifyTypedData(typedData, `0x${toHex(signature)}`, operation.from);
  return fromHex(typedDataHash(typedData).slice(2));
}
