/**
 * A shard that bills its payer more than the payer has revealed. Before, 249 units were charged where the payer's books
 * said 147, `channels` showed all well, and `journal verify` agreed. What is charged already is lost; it is known at
 * once, proven, and the shard gets no new lease.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AccountSync } from '../../main/account/account-sync.ts';
import { ShardTrust } from '../../main/account/shard-trust.ts';
import { PayerService } from '../../main/channel/payer.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { verifyJournal } from '../../main/journal/verify.ts';
import { createLog } from '../../main/process/log.ts';
import { channelsView } from '../../main/service/channels.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { settle } from '../../main/validator/batching.ts';
import { billOf } from '../../main/validator/channel-progress.ts';
import { grantLease } from '../../main/validator/leasing.ts';
import { statementRows } from '../../main/validator/statements.ts';
import { encodeCertificate, issueCertificate } from '../../main/wallet/certificate.ts';
import { verifyDevice } from '../../main/wallet/device.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { parseRatio, ratio } from '../../shared/economy/ratio.ts';
import { AceError } from '../../shared/errors.ts';
import { paymentFrom } from '../../shared/settlement/batch-result.ts';
import { encodeStatement } from '../../shared/settlement/statement.ts';
import { party, START_MS, TestShard } from '../helpers/shard.ts';
import { DAY_MS, MIB } from '../helpers/stage.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const [PAYER, PAYEE] = [party(1), party(2)];
const ACCOUNT = PAYER.account.address;
const REVEALED_UNITS = 147;
const BILLED_UNITS = 249;

/** A payer that has revealed 147 ticks, its shard, and the line between them, on which the shard says what it likes. */
async function payer() {
  const shard = new TestShard(tempDir());
  onTestFinished(() => shard.close());
  const path = join(tempDir(), 'node.db');
  const store = openNodeStore(path);
  onTestFinished(() => store.close());
  const { settings, context } = shard;
  const certificate = encodeCertificate(
    await issueCertificate(PAYER.account, settings, PAYER.device.publicKey, START_MS),
  );
  const service = new PayerService({
    ...{ store, settings, account: ACCOUNT, device: PAYER.device },
    nowMs: () => shard.nowMs,
    leases: {
      shard: 0,
      leasableUnits: async () => 1_000,
      lease: (terms, termsSignature) => grantLease(context, { terms, termsSignature, certificate }),
    },
  });
  const payee = { account: PAYEE.account.address, device: PAYEE.device.publicKey };
  const channel = await service.channelTo(payee, 400);
  channel.pay(REVEALED_UNITS * MIB, true, () => undefined);
  const { channelId } = channel.state;
  channel.release();

  type Row = ReturnType<typeof statementRows>[number];
  const says = {
    statement: (row: Row): Row => row,
    bills: (ids: readonly Uint8Array[]) => ids.flatMap((id) => billOf(shard.store, id)),
  };
  const line = {
    connected: true,
    call: async (method: string, params: { afterSeq?: number; channelIds?: Uint8Array[] }) => {
      if (method === 'channels') return { channels: [] };
      if (method === 'bill') return { bills: says.bills(params.channelIds ?? []) };
      if (method !== 'statement') throw new AceError('ShardUnavailable', 'not told');
      const told = statementRows(
        { ...context, networkId: settings.networkId },
        ACCOUNT,
        params.afterSeq ?? 0,
      );
      const rows = told.map((row) => ({ ...says.statement(row), price: parseRatio(row.price) }));
      return { rows, lastSeq: shard.store.batches.lastSeq(ACCOUNT) };
    },
  };
  const trust = new ShardTrust(store, createLog(null));
  const sync = new AccountSync({
    lines: { home: line, connected: () => [[0, line]], homeOf: () => 0 } as never,
    ...{ store, trust, log: createLog(null) },
    account: { ...settings, account: ACCOUNT, certificate: new Uint8Array() },
    nowMs: () => shard.nowMs,
  });
  onTestFinished(() => sync.stop());
  const pull = () => sync.refresh().catch((error: unknown) => expect(error).toBeInstanceOf(AceError));
  return { shard, store, path, channelId, trust, sync, pull, says };
}

type World = Awaited<ReturnType<typeof payer>>;

/** The shard has so many units claimed, with a tick that it says is theirs, and settles them. */
async function bill({ shard, channelId }: World, units: number, tick: Uint8Array): Promise<void> {
  const lease = shard.store.leases.get(channelId);
  if (!lease) throw new Error('no lease');
  shard.store.leases.saveClaim({ ...lease, claimedUnits: units, claimedTick: tick });
  await settle(shard.context);
}

/** The channel's own tick of so many units. */
function tickOf({ store, channelId }: World, units: number): Uint8Array {
  const row = store.payerChannels.get(channelId);
  if (!row) throw new Error('no channel');
  return TickChain.fromPebbles(row.pebbles, row.state.capacityUnits, sha256).tick(units);
}

const overbilledOf = ({ store, shard }: World) =>
  channelsView(store, { limit: 9 }, ratio(1), shard.nowMs).channels.map((c) => c.overbilledUnits);

describe('a shard that bills more than was revealed', () => {
  it('is found out with its next statement, and the proof is kept', async () => {
    const world = await payer();
    await bill(world, REVEALED_UNITS, tickOf(world, REVEALED_UNITS));
    await world.pull();
    expect(world.trust.has(0)).toBe(true);
    expect(overbilledOf(world)).toEqual([0]);
    expect((await verifyJournal(world.path, ACCOUNT, null, null)).verified).toBe(true);

    world.shard.nowMs += 60_000;
    await bill(world, BILLED_UNITS, new Uint8Array(randomBytes(32)));
    await world.pull();
    expect(world.trust.has(0)).toBe(false);
    expect(overbilledOf(world)).toEqual([BILLED_UNITS - REVEALED_UNITS]);
    expect(await verifyJournal(world.path, ACCOUNT, null, null)).toMatchObject({
      verified: false,
      overbilled: [Buffer.from(world.channelId).toString('hex')],
    });
    const [distrusted] = world.sync.distrusted();
    expect(distrusted?.message).toMatch(/billed more units than this account has revealed/);
    // What anyone checks: the shard signed both, and they bill the channel more than its payer says it revealed.
    const [, channelId, revealed, terms, statements] = dagCbor.decode<
      [string, Uint8Array, number, Uint8Array, [Uint8Array, Uint8Array][]]
    >(Buffer.from(distrusted?.proof ?? '', 'hex'));
    expect([...channelId]).toEqual([...world.channelId]);
    expect([...terms]).toEqual([...(world.store.payerChannels.get(channelId)?.terms ?? [])]);
    expect(revealed).toBe(REVEALED_UNITS);
    const key = Buffer.from(world.shard.settings.validatorKeys[0] ?? '', 'hex');
    expect(statements.map(([record, signature]) => verifyDevice(key, record, signature))).toEqual([
      true,
      true,
    ]);
    // After the next start as well.
    expect(new ShardTrust(world.store, createLog(null)).has(0)).toBe(false);
  });

  it('is found out when it refuses to show a tick, or has none on file', async () => {
    const world = await payer();
    await bill(world, BILLED_UNITS, new Uint8Array(randomBytes(32)));
    world.says.bills = () => {
      throw new AceError('MessageUnexpected', 'no such method');
    };
    await world.pull();
    expect(world.trust.has(0)).toBe(false);
  });

  it('is shown to bill too much while it does not answer, and is trusted no more after ten minutes', async () => {
    const world = await payer();
    await bill(world, BILLED_UNITS, new Uint8Array(randomBytes(32)));
    world.says.bills = () => {
      throw new AceError('RequestTimeout', 'no answer');
    };
    await world.pull();
    expect(world.trust.has(0)).toBe(true);
    expect(overbilledOf(world)).toEqual([BILLED_UNITS - REVEALED_UNITS]);
    expect((await verifyJournal(world.path, ACCOUNT, null, null)).verified).toBe(false);
    world.shard.nowMs += 10 * 60_000;
    await world.pull();
    expect(world.trust.has(0)).toBe(false);
  });

  it('is found out when it names no channel for what it bills', async () => {
    const world = await payer();
    await bill(world, BILLED_UNITS, new Uint8Array(randomBytes(32)));
    const { context, settings } = world.shard;
    world.says.statement = (row) => {
      const [repayment, payment] = [row.repayment, row.payment].map((part) => part && paymentFrom([...part]));
      const detail = { repayment: repayment ?? null, payment: payment ?? null, channels: [] };
      const statement = { ...row, price: parseRatio(row.price), detail };
      const record = encodeStatement({
        ...statement,
        networkId: settings.networkId,
        account: ACCOUNT,
      } as never);
      return { ...row, channels: [], signature: context.key.sign(record) };
    };
    await world.pull();
    expect(world.trust.has(0)).toBe(false);
    expect(await verifyJournal(world.path, ACCOUNT, null, null)).toMatchObject({
      verified: false,
      unnamed: 1,
    });
  });
});

describe('a shard that is right', () => {
  it('about what these books, an old copy, do not know is trusted, and the channel is left', async () => {
    const world = await payer();
    await bill(world, BILLED_UNITS, tickOf(world, BILLED_UNITS));
    await world.pull();
    await world.pull();
    expect(world.trust.has(0)).toBe(true);
    expect(world.store.payerChannels.get(world.channelId)?.state.status).toBe('disputed');
    expect(overbilledOf(world)).toEqual([0]);
    expect((await verifyJournal(world.path, ACCOUNT, null, null)).verified).toBe(true);
  });

  it('about a channel of another device of the account is trusted', async () => {
    const world = await payer();
    const { shard } = world;
    const other = { account: PAYER.account, device: party(3).device };
    const leased = await shard.lease(other, PAYEE, 300, { expiresAtMs: shard.nowMs + DAY_MS / 2 });
    shard.claim(leased, 64);
    await settle(shard.context);
    await world.pull();
    expect(world.store.settlements.count()).toBe(1);
    expect(world.trust.has(0)).toBe(true);
    expect((await verifyJournal(world.path, ACCOUNT, null, null)).verified).toBe(true);
  });
});
