/** A provider whose own home shard is away still hears from its payers' shards what they refused and settled. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { AccountSync } from '../../main/account/account-sync.ts';
import { ShardTrust } from '../../main/account/shard-trust.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { AceError } from '../../shared/errors.ts';
import { encodeStatement } from '../../shared/settlement/statement.ts';
import { party, START_MS } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} } as never;

const NOTHING_MOVED = { repayment: null, payment: null, channels: [] };

it.each(['not connected', 'connected, its chain away'])('home shard %s', async (how) => {
  const store = openNodeStore(join(tempDir(), 'node.db'));
  const payer = party(1).account.address;
  const row = {
    seq: 1,
    shard: 1,
    batchNumber: 1,
    batchHash: new Uint8Array(32),
    atMs: START_MS,
    direction: 'earned',
    counterparty: payer,
    paidUnits: 0,
    creditUnits: 0,
    refusedUnits: 40,
    repaidUnits: 0,
    grossXac: 0n,
    feeXac: 0n,
    xatBurned: 0n,
    xasPaid: 0n,
    feeXas: 0n,
    price: ratio(1n, 1n),
  } as const;
  const [networkId, account] = ['test', party(2).account.address];
  const key = party(9).device;
  const signature = key.sign(encodeStatement({ ...row, networkId, account, detail: NOTHING_MOVED }));
  const validatorKeys = Array(2).fill(Buffer.from(key.publicKey).toString('hex'));
  const away = async () => {
    throw new AceError('ShardUnavailable', 'away');
  };
  const home = { connected: how !== 'not connected', call: away };
  const other = {
    connected: true,
    call: async (method: string) =>
      method === 'statement'
        ? { rows: [{ ...row, ...NOTHING_MOVED, signature }], lastSeq: 1 }
        : { channels: [] },
  };
  const lines = home.connected
    ? [
        [0, home],
        [1, other],
      ]
    : [[1, other]];
  const told: number[] = [];
  const sync = new AccountSync({
    lines: { home, connected: () => lines, homeOf: () => 1 } as never,
    store,
    account: { account, certificate: new Uint8Array(0), networkId, chainId: 1, validatorKeys },
    trust: new ShardTrust(store, log),
    nowMs: () => START_MS,
    log,
  });
  sync.on('settlements', (rows) => told.push(...rows.map((r) => r.refusedUnits)));
  onTestFinished(() => sync.stop());
  // What a node does on every `account` event of a shard, and every 15 s.
  sync.changed();
  await waitFor('it is told', () => told.length > 0);
  // 40 units of this payer were refused: it must not be served any more.
  expect(told).toEqual([40]);
});
