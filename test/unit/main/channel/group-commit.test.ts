/** Many channels in one transaction: who is answered when, and what a store that fails does to them. */
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type PayeeChannel, PayeeService } from '../../../../main/channel/payee.ts';
import { type NodeStore, openNodeStore } from '../../../../main/db/node/store.ts';
import { encodeCheckpoint, encodeTerms } from '../../../../shared/channel/records.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { type LeasedChannel, type Party, party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const MIB = 1_048_576;
const provider = party(50);

interface Stage {
  readonly leased: LeasedChannel;
  readonly channel: PayeeChannel;
}

let shard: TestShard;
let store: NodeStore;
let service: PayeeService;
let commits: number;
/** What the next commit fails with, after everything was written. */
let failure: AceError | null;

beforeEach(() => {
  const dir = tempDir();
  shard = new TestShard(dir);
  const real = openNodeStore(join(dir, 'node.db'));
  commits = 0;
  failure = null;
  store = {
    ...real,
    commit: (fn) =>
      real.commit(() => {
        commits += 1;
        const result = fn();
        if (failure) throw failure;
        return result;
      }),
  };
  service = new PayeeService({
    store,
    settings: shard.settings,
    account: provider.account.address,
    device: provider.device,
    windowCapUnits: 8,
    isRefused: () => false,
    nowMs: () => shard.nowMs,
  });
});

const who = ({ account, device }: Party) => ({ account: account.address, device: device.publicKey });
const stored = ({ leased }: Stage) => store.payeeChannels.get(leased.channelId)?.state;
const diskFull = () => new AceError('StoreFailed', 'The disk is full', { reaction: 'pause-channel' });

/** An open channel of payer number `n`. */
async function open(n: number): Promise<Stage> {
  const leased = shard.terms(party(n), provider, 64);
  const leaseSignature = await shard.request(leased);
  const terms = encodeTerms(leased.terms);
  const signed = { terms, termsSignature: leased.payer.device.sign(terms), leaseSignature };
  return { leased, channel: service.open(who(leased.payer), signed) };
}

async function openAll(count: number): Promise<Stage[]> {
  const stages: Stage[] = [];
  for (let n = 1; n <= count; n++) stages.push(await open(n));
  commits = 0;
  return stages;
}

const pay = ({ leased, channel }: Stage, index: number) =>
  channel.receiveTick(index, leased.chain.tick(index));

function checkpoint({ leased }: Stage, units: number): { record: Uint8Array; signature: Uint8Array } {
  const record = encodeCheckpoint({
    channelId: leased.channelId,
    number: 1,
    units,
    bytes: 0,
    videoBytes: 0,
    watchMs: 0,
    final: false,
    tick: leased.chain.tick(units),
  });
  return { record, signature: leased.payer.device.sign(record) };
}

describe('a group of channels', () => {
  it('is one transaction, with the newest state of each', async () => {
    const stages = await openAll(20);
    const waiting = stages.map(async (stage, n) => {
      // Messages of different streams come in callbacks of their own.
      for (let i = 0; i < n; i++) await null;
      pay(stage, 1);
      const done = stage.channel.commitSoon();
      pay(stage, 2);
      await done;
      // Whoever goes on finds it on the disk.
      expect(stored(stage)?.paidUnits).toBe(2);
    });
    expect(stages.map((stage) => stored(stage)?.paidUnits)).toEqual(stages.map(() => 0));
    await Promise.all(waiting);
    expect(commits).toBe(1);
    expect(stages.every(({ channel }) => !channel.dirty)).toBe(true);
  });

  it('has the ticks of those that asked for no commit yet', async () => {
    const [asks, silent] = (await openAll(2)) as [Stage, Stage];
    pay(silent, 1);
    pay(asks, 1);
    await asks.channel.commitSoon();
    expect(stored(silent)?.paidUnits).toBe(1);
    expect(silent.channel.books.paidUnits).toBe(1);
    await silent.channel.commitSoon();
    expect(commits).toBe(1);
  });

  it('is committed at once when one of them cannot wait, and everyone is answered', async () => {
    const [waits, hurries] = (await openAll(2)) as [Stage, Stage];
    pay(waits, 1);
    const done = waits.channel.commitSoon();
    pay(hurries, 1);
    hurries.channel.commit();
    expect(stored(waits)?.paidUnits).toBe(1);
    await done;
    expect(commits).toBe(1);
  });

  it('has the checkpoints that come together, none countersigned before it is stored', async () => {
    const stages = await openAll(3);
    const answers = stages.map(async (stage) => {
      pay(stage, 1);
      const { record, signature } = checkpoint(stage, 1);
      const answer = await service.countersign(who(stage.leased.payer), record, signature);
      const row = store.payeeChannels.get(stage.leased.channelId);
      expect(row?.lastCheckpoint?.payeeSignature).toEqual(Buffer.from(answer.signature));
    });
    await Promise.all(answers);
    expect(commits).toBe(1);
  });

  it('answers a checkpoint that is said twice at once with one signature', async () => {
    const [stage] = (await openAll(1)) as [Stage];
    pay(stage, 1);
    const { record, signature } = checkpoint(stage, 1);
    const say = () => service.countersign(who(stage.leased.payer), record, signature);
    const [first, second] = await Promise.all([say(), say()]);
    expect(Buffer.from(second.signature)).toEqual(Buffer.from(first.signature));
  });

  it('does not write what a channel has that another stream has taken', async () => {
    const [stage] = (await openAll(1)) as [Stage];
    stage.channel.detach();
    pay(stage, 1);
    const other = await open(9);
    pay(other, 1);
    await other.channel.commitSoon();
    expect(stored(stage)?.paidUnits).toBe(0);
  });
});

describe('a store that fails', () => {
  it('takes every channel of the group back to what is durable, and pauses it with its error', async () => {
    const stages = await openAll(3);
    const [silent, ...waiting] = stages as [Stage, ...Stage[]];
    failure = diskFull();
    for (const stage of stages) {
      pay(stage, 1);
      stage.channel.serve(MIB, [{ key: 'piece', bytes: MIB, resend: false }]);
    }
    const outcomes = await Promise.allSettled(waiting.map(({ channel }) => channel.commitSoon()));
    expect(outcomes).toEqual(waiting.map(() => ({ status: 'rejected', reason: failure })));
    failure = null;
    for (const stage of [silent, ...waiting]) {
      expect(stage.channel.state).toMatchObject({ paidUnits: 0, servedBytes: 0 });
      expect(stored(stage)).toMatchObject({ paidUnits: 0, servedBytes: 0 });
      expectAceError('StoreFailed', () => pay(stage, 1));
      expectAceError('StoreFailed', () => stage.channel.obstacle(MIB));
    }
  });

  it('lets a stream that opens the channel anew go on from there', async () => {
    const [stage] = (await openAll(1)) as [Stage];
    failure = diskFull();
    pay(stage, 1);
    await stage.channel.commitSoon().catch(() => undefined);
    failure = null;
    const again = { ...stage, channel: service.open(who(stage.leased.payer), signedOf(stage)) };
    pay(again, 1);
    await again.channel.commitSoon();
    expect(stored(again)?.paidUnits).toBe(1);
  });

  it('countersigns nothing', async () => {
    const [stage] = (await openAll(1)) as [Stage];
    pay(stage, 1);
    stage.channel.commit();
    failure = diskFull();
    const { record, signature } = checkpoint(stage, 1);
    const saying = service.countersign(who(stage.leased.payer), record, signature);
    await expect(saying).rejects.toMatchObject({ code: 'StoreFailed', reaction: 'pause-channel' });
    expect(stored(stage)).toMatchObject({ paidUnits: 1, checkpointNumber: 0 });
  });
});

describe('a channel that breaks a rule of the store', () => {
  it('does not hold up the others of its group', async () => {
    const [bad, good] = (await openAll(2)) as [Stage, Stage];
    // Another process has written more than this one knows.
    store.payeeChannels.save({ ...bad.channel.state, paidUnits: 9 }, shard.nowMs);
    for (const stage of [bad, good]) pay(stage, 1);
    const [badly, well] = await Promise.allSettled([bad, good].map(({ channel }) => channel.commitSoon()));
    expect(badly).toMatchObject({ status: 'rejected', reason: { code: 'InvariantViolated' } });
    expect(well?.status).toBe('fulfilled');
    expect(stored(good)?.paidUnits).toBe(1);
  });
});

function signedOf({ leased }: Stage) {
  const row = store.payeeChannels.get(leased.channelId);
  if (!row) throw new Error('The channel is not stored');
  const { terms, termsSignature, leaseSignature } = row;
  return { terms, termsSignature, leaseSignature };
}
