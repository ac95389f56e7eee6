/**
 * A shard that shows two histories, to a provider: it is found out by the next statement, the proof can be checked by
 * anyone, and nothing is served on that shard's word any more. The loss is in units.
 */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AccountSync } from '../../main/account/account-sync.ts';
import { ShardTrust } from '../../main/account/shard-trust.ts';
import { PayeeService } from '../../main/channel/payee.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { settle } from '../../main/validator/batching.ts';
import { statementRows } from '../../main/validator/statements.ts';
import { verifyDevice } from '../../main/wallet/device.ts';
import { encodeTerms } from '../../shared/channel/records.ts';
import { parseRatio } from '../../shared/economy/ratio.ts';
import { AceError } from '../../shared/errors.ts';
import { decodeBatch } from '../../shared/settlement/batch.ts';
import { paymentFrom } from '../../shared/settlement/batch-result.ts';
import { checkShardProof, encodeShardProof, encodeStatement } from '../../shared/settlement/statement.ts';
import { expectAceError, expectAceRejection } from '../helpers/ace-error.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

const [PAYER, PAYEE] = [party(1), party(2)];
const ACCOUNT = PAYEE.account.address;

/** A shard and its fork: both settled one batch, `units` of the same channel each. */
async function forked(...units: readonly number[]): Promise<TestShard[]> {
  const dir = tempDir();
  const before = new TestShard(dir);
  const channel = await before.lease(PAYER, PAYEE, 10);
  await before.close();
  return Promise.all(
    units.map(async (claimed) => {
      const copy = tempDir();
      cpSync(dir, copy, { recursive: true });
      const shard = new TestShard(copy);
      onTestFinished(() => shard.close());
      shard.claim(channel, claimed);
      await settle(shard.context);
      return shard;
    }),
  );
}

function told(shard: TestShard, account = ACCOUNT, afterSeq = 0) {
  return statementRows({ ...shard.context, networkId: shard.settings.networkId }, account, afterSeq);
}

/** A provider whose shard answers as `history.now` does. */
function provider(first: TestShard) {
  const path = join(tempDir(), 'node.db');
  const store = openNodeStore(path);
  onTestFinished(() => store.close());
  const history = { now: first };
  const errors: string[] = [];
  const logged = ({ err }: { err: AceError }) => errors.push(err.code);
  const log = { debug() {}, info() {}, warn: logged, error: logged } as never;
  const { networkId, chainId, validatorKeys } = first.settings;
  const trust = new ShardTrust(store, log);
  const line = {
    connected: true,
    call: async (method: string, { account, afterSeq }: { account: string; afterSeq: number }) => {
      if (method === 'channels') return { channels: [] };
      if (method !== 'statement') throw new AceError('ShardUnavailable', 'the chain is away');
      const rows = told(history.now, account, afterSeq).map((row) => ({
        ...row,
        price: parseRatio(row.price),
      }));
      return { rows, lastSeq: history.now.store.batches.lastSeq(account) };
    },
  };
  const lines: [number, unknown][] = [[0, line]];
  const sync = new AccountSync({
    lines: { home: line, connected: () => lines, homeOf: () => 0 } as never,
    ...{ store, trust, log },
    account: { account: ACCOUNT, certificate: new Uint8Array(0), networkId, chainId, validatorKeys },
    nowMs: () => first.nowMs,
  });
  onTestFinished(() => sync.stop());
  const pull = () => sync.refresh().catch((error: unknown) => expect(error).toBeInstanceOf(AceError));
  return { store, history, trust, pull, errors, log, sync, lines };
}

const keysOf = ({ settings }: TestShard) => settings.validatorKeys.map((key) => Buffer.from(key, 'hex'));
const check = (shard: TestShard, proof: Uint8Array) =>
  checkShardProof(proof, shard.settings.networkId, keysOf(shard), verifyDevice);

describe('a shard that tells statements without end', () => {
  it('holds up neither the others nor the end of the node', { tags: 'long' }, async () => {
    const [first] = (await forked(5)) as [TestShard];
    const { store, sync, lines } = provider(first);
    const [row] = told(first);
    if (!row) throw new Error('no statement');
    let seq = 0;
    const endless = {
      connected: true,
      call: async (method: string) => {
        if (method !== 'statement') return { channels: [] };
        await delay(1);
        // Of a payer that is not at home there: nothing of it is booked.
        const one = { ...row, shard: 1, seq: ++seq, price: parseRatio(row.price) };
        return { rows: [one], lastSeq: Number.MAX_SAFE_INTEGER };
      },
    };
    lines.push([1, endless]);
    await expectAceRejection('ShardUnavailable', sync.refresh());
    expect(store.settlements.count()).toBe(1);
    // It has not stopped telling, and is not asked twice at once.
    const before = seq;
    await waitFor('it goes on', () => seq > before);
    await sync.stop();
    const after = seq;
    await staysFor('what it was asked', 50, () => seq);
    expect(seq).toBe(after);
  });
});

describe('a shard that shows two histories', () => {
  it('is found out by the next statement, and never trusted again', async () => {
    const [one, other] = (await forked(5, 4)) as [TestShard, TestShard];
    const { store, history, trust, pull, errors, log, sync } = provider(one);
    await pull();
    await pull();
    expect(store.settlements.count()).toBe(1);
    expect(trust.has(0)).toBe(true);

    history.now = other;
    await pull();
    expect(trust.has(0)).toBe(false);
    expect(errors).toContain('ShardDiverged');
    const proof = store.divergedShards.all()[0]?.proof;
    expect(proof && check(one, proof)).toBe(0);
    // What was booked first stands: the second history neither adds to it nor takes from it.
    expect(store.settlements.page(Number.MAX_SAFE_INTEGER, 9)).toMatchObject([{ creditUnits: 5 }]);
    await expectAceRejection('ShardDiverged', sync.refresh());
    expect(new ShardTrust(store, log).has(0)).toBe(false);

    const payee = new PayeeService({
      store,
      settings: one.settings,
      account: ACCOUNT,
      device: PAYEE.device,
      windowCapUnits: 8,
      isRefused: () => false,
      nowMs: () => one.nowMs,
      checkShard: (shard) => trust.check(shard),
    });
    const channel = one.terms(PAYER, PAYEE, 10);
    const leaseSignature = await one.request(channel);
    const terms = encodeTerms(channel.terms);
    const termsSignature = PAYER.device.sign(terms);
    const counterparty = { account: PAYER.account.address, device: PAYER.device.publicKey };
    // Loss from then on: no unit is served on its word.
    expectAceError('ShardDiverged', () =>
      payee.open(counterparty, { terms, termsSignature, leaseSignature }),
    );
  });

  it('that it forgot some of is no proof, is said, and changes nothing', async () => {
    const [one] = (await forked(5)) as [TestShard];
    const { store, history, trust, pull, errors } = provider(one);
    await pull();
    const empty = new TestShard(tempDir());
    onTestFinished(() => empty.close());
    history.now = empty;
    await pull();
    expect(errors).toContain('MessageUnexpected');
    expect(trust.has(0)).toBe(true);
    expect(store.settlements.count()).toBe(1);
  });

  it('gets only one of them into the main chain', async () => {
    const [one, other] = (await forked(5, 4)) as [TestShard, TestShard];
    const row = other.store.batches.get(1);
    if (!row) throw new Error('no batch');
    const batch = { batch: decodeBatch(row.bytes), signature: row.signature };
    await expectAceRejection('BatchConflict', one.chain.applyBatch(batch));
    expect((await one.chain.account(PAYER.account.address)).creditUsedUnits).toBe(5);
  });
});

describe('a proof against a shard', () => {
  const signed = (shard: TestShard, account = ACCOUNT) => {
    const [row] = told(shard, account);
    if (!row) throw new Error('no statement');
    const { signature, price, grossXac, feeXac, xatBurned, xasPaid, feeXas, ...statementRow } = row;
    const { repayment, payment, channels, ...rest } = statementRow;
    const moved = (plain: typeof payment) => plain && paymentFrom(plain);
    const detail = { repayment: moved(repayment), payment: moved(payment), channels };
    const amounts = { grossXac, feeXac, xatBurned, xasPaid, feeXas } as Record<string, bigint>;
    const { networkId } = shard.settings;
    const statement = { ...rest, ...amounts, price: parseRatio(price), detail, networkId, account };
    return { record: encodeStatement(statement as never), signature };
  };

  it('can be made of what two accounts were told of one batch', async () => {
    const [one, other] = (await forked(5, 4)) as [TestShard, TestShard];
    const proof = encodeShardProof(signed(one), signed(other, PAYER.account.address));
    expect(check(one, proof)).toBe(0);
  });

  it('is none when both are of one history, or the shard did not sign one', async () => {
    const [one, other] = (await forked(5, 4)) as [TestShard, TestShard];
    const [a, b] = [signed(one), signed(other)];
    const refused = (proof: Uint8Array) => expectAceError('ProofInvalid', () => check(one, proof));
    refused(encodeShardProof(a, signed(one, PAYER.account.address)));
    refused(encodeShardProof(a, a));
    refused(encodeShardProof(a, { ...b, signature: a.signature }));
    refused(new Uint8Array([1, 2, 3]));
    refused(new Uint8Array(5_000));
    expectAceError('ProofInvalid', () =>
      checkShardProof(encodeShardProof(a, b), 'another-network', keysOf(one), verifyDevice),
    );
  });
});
