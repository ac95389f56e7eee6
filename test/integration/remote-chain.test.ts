import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CHAIN_LIMITS,
  CHAIN_PROTOCOL,
  MAX_BATCH_BYTES,
  PART_BYTES,
} from '../../main/chain/remote/constants.ts';
import { serveChain } from '../../main/chain/remote/server.ts';
import { ShardDirectory } from '../../main/chain/remote/shard-directory.ts';
import { createHost, openStream } from '../../main/p2p/host.ts';
import { RequestClient } from '../../main/p2p/requests.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { createDevice, type DeviceIdentity } from '../../main/wallet/device.ts';
import { peerIdOf } from '../../main/wallet/device-peer-id.ts';
import { isAceError } from '../../shared/errors.ts';
import { homeShard } from '../../shared/home-shard.ts';
import { MAX_BATCH_ENTRIES } from '../../shared/settlement/batch.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import {
  entry,
  nextBatch,
  settle,
  shardedSettings,
  sign,
  testAccount,
  testAddress,
  testGenesis,
  testSettings,
  VALIDATORS,
} from '../helpers/chain.ts';
import { firstAddress, type ServedChain, serveTestChain } from '../helpers/remote-chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';
import { chainComplianceButTransfers } from './chain-compliance.ts';
import { chainUnderTest, GENESIS, PEER, POOR, RICH, TRANSFER } from './chain-compliance-context.ts';
import { transferCompliance } from './chain-compliance-transfer.ts';

const chain = chainUnderTest('remote chain', async (dir, settings, genesis, nowMs) => {
  const served = await serveTestChain(dir, settings, genesis, nowMs);
  const remote = await served.connect();
  const closeLine = remote.close.bind(remote);
  let closing: Promise<void> | null = null;
  remote.close = () => {
    closing ??= closeLine().then(() => served.stop());
    return closing;
  };
  return remote;
});

// The rules are the embedded chain's, and all of them are asked of it in every run. Over the wire one family shows how
// answers, refusals and restarts come through; the others, with a host and a line for each test, take long.
transferCompliance(chain);
describe('remote chain, all other rules', { tags: 'long' }, () => chainComplianceButTransfers(chain));

const ONE_BYTE = new Uint8Array(1);

async function useServed(settings = testSettings(), genesis = GENESIS): Promise<ServedChain> {
  const served = await serveTestChain(tempDir(), settings, genesis);
  onTestFinished(() => served.stop());
  return served;
}

describe('remote chain', () => {
  it('carries a batch of as many entries as there can be, and its result', { tags: 'long' }, async () => {
    const served = await useServed();
    const remote = await served.connect();
    const entries = Array.from({ length: MAX_BATCH_ENTRIES }, (_, i) =>
      entry(RICH.address, testAddress(i + 1), 1),
    );
    const result = await settle(remote, entries).catch((error: unknown) => {
      // A busy machine may take longer than a validator waits: it asks for the result later.
      if (!isAceError(error, 'RequestTimeout')) throw error;
      return waitFor('the batch is applied', () => served.chain.batchResult(0, 1));
    });
    expect(result.entries).toHaveLength(MAX_BATCH_ENTRIES);
    expect(result).toEqual(await served.chain.batchResult(0, 1));
    expect(await remote.batchResult(0, 1)).toEqual(result);
  });

  it('lets everyone read, and none but validators change or read all', async () => {
    const served = await useServed();
    const stranger = await served.connect(createDevice());
    expect((await stranger.account(RICH.address)).services.XAT).toBe(100_000_000n);
    expect((await stranger.head()).height).toBe(0);
    const signed = await signOperation(RICH, stranger.settings(), TRANSFER);
    await expectAceRejection('NotAllowed', stranger.submit(signed));
    const batch = sign(await nextBatch(served.chain, [entry(RICH.address, PEER.address, 1)]));
    await expectAceRejection('NotAllowed', stranger.applyBatch(batch));
    await expectAceRejection('NotAllowed', stranger.accounts());
    await expectAceRejection('NotAllowed', stranger.batchResult(0, 1));
    await expectAceRejection('NotAllowed', stranger.register(['/ip4/127.0.0.1/tcp/1']));
    expect((await served.chain.head()).height).toBe(0);
  });

  it('tells validators which accounts changed since they asked last, and all anew after a restart', async () => {
    const served = await useServed();
    const remote = await served.connect();
    const first = await remote.changes(null);
    expect(first.addresses).toBeNull();
    await served.chain.submit(await signOperation(RICH, remote.settings(), TRANSFER));
    const { cursor, addresses } = await remote.changes(first.cursor);
    expect(addresses).toEqual(expect.arrayContaining([RICH.address, TRANSFER.to]));
    expect((await remote.changes(cursor)).addresses).toEqual([]);
    expect((await remote.changes('another-life:1')).addresses).toBeNull();
    const stranger = await served.connect(createDevice());
    await expectAceRejection('NotAllowed', stranger.changes(null));
  });

  it('holds a stranger to 200 requests a second, and no validator', async () => {
    const served = await useServed();
    const many = (chain: Awaited<ReturnType<ServedChain['connect']>>) =>
      Promise.allSettled(Array.from({ length: 250 }, () => chain.head()));
    const refused = (await many(await served.connect(createDevice()))).filter(
      (answer) => answer.status === 'rejected',
    );
    // Its hello was one of the 200.
    expect(refused.length).toBe(51);
    expect(refused[0]).toMatchObject({ reason: { code: 'TooManyRequests' } });
    expect((await many(await served.connect())).every((answer) => answer.status === 'fulfilled')).toBe(true);
  });

  it('takes operations from the home shard of their account only', async () => {
    const accounts = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(testAccount);
    const account = accounts.find(({ address }) => homeShard(address, 3, sha256) === 1);
    if (!account) throw new Error('None is at home on shard 1');
    const genesis = testGenesis([[account.address, 'XAT', '10', 'main']]);
    const served = await useServed(shardedSettings(), genesis);
    const signed = await signOperation(account, served.chain.settings(), {
      ...TRANSFER,
      from: account.address,
      to: POOR,
    });
    const [foreign, home] = [await served.connect(VALIDATORS[2]), await served.connect(VALIDATORS[1])];
    const refusal = await foreign.submit(signed).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'WrongShard', details: { shard: 1 } });
    expect((await home.submit(signed)).height).toBe(1);
  });

  it('connects again by itself, and finds a batch whose answer was lost applied once', async () => {
    const served = await useServed();
    const remote = await served.connect();
    const signed = sign(await nextBatch(remote, [entry(RICH.address, PEER.address, 5)]));
    // The chain applies, and the line breaks before the answer is out.
    const { applyBatch } = served.chain;
    let applied = 0;
    served.chain.applyBatch = async (batch) => {
      const result = await applyBatch.call(served.chain, batch);
      if (++applied === 1)
        await Promise.all(served.host.getConnections().map((connection) => connection.close()));
      return result;
    };
    expect((await remote.applyBatch(signed)).entries).toMatchObject([{ paidUnits: 5 }]);
    expect(applied).toBe(2);
    expect((await remote.lastBatch(0)).number).toBe(1);
    expect((await remote.head()).height).toBe(1);
  });

  it('refuses to go on with a chain of another network at the same address', async () => {
    const served = await useServed();
    const remote = await served.connect();
    await served.host.unhandle(CHAIN_PROTOCOL);
    const other = await serveTestChain(tempDir(), testSettings({ networkId: 'other' }), GENESIS);
    onTestFinished(() => other.stop());
    const directory = new ShardDirectory();
    const { chain } = other;
    await serveChain({
      host: served.host,
      chain,
      directory,
      devnet: true,
      nowMs: Date.now,
      onError: () => {},
    });
    await Promise.all(served.host.getConnections().map((connection) => connection.close()));
    await waitFor('the new chain is met', () =>
      remote.head().then(
        () => false,
        (error: unknown) => isAceError(error, 'WrongNetwork'),
      ),
    );
    expect(remote.settings().networkId).toBe('test');
  });

  it('says by name that the chain is away', async () => {
    const served = await useServed();
    const remote = await served.connect();
    await served.host.stop();
    await expectAceRejection('ShardUnavailable', remote.head());
  });

  it('tells each shard where the others listen; none names an address of another', async () => {
    const served = await useServed(shardedSettings());
    const [one, two] = [await served.connect(VALIDATORS[1]), await served.connect(VALIDATORS[2])];
    const addressOf = (n: number) =>
      `/ip4/10.0.0.${n}/tcp/4001/p2p/${peerIdOf((VALIDATORS[n] as DeviceIdentity).publicKey)}`;
    const [first, second] = [addressOf(1), addressOf(2)];
    expect(await one.register([first])).toEqual([{ shard: 1, multiaddrs: [first] }]);
    expect(await two.register([second])).toEqual([
      { shard: 1, multiaddrs: [first] },
      { shard: 2, multiaddrs: [second] },
    ]);
    await expectAceRejection('MessageMalformed', two.register([first]));
  });
});

describe('the chain’s server', () => {
  /** A line of a validator whose program says what it likes. */
  async function rawLine(served: ServedChain, as = VALIDATORS[0] as DeviceIdentity): Promise<RequestClient> {
    const host = await createHost({ deviceSeed: as.seed(), listen: ['/ip4/127.0.0.1/tcp/0'] });
    onTestFinished(() => host.stop());
    const frames = await openStream(host, [firstAddress(served.host)], CHAIN_PROTOCOL, CHAIN_LIMITS);
    return new RequestClient(frames, () => undefined);
  }

  it.each([
    ['an unknown method', 'genesis', {}, 'MessageUnexpected'],
    ['a method that every object has', 'constructor', {}, 'MessageUnexpected'],
    ['an account that is no address', 'account', { address: 'me' }, 'MessageMalformed'],
    ['a shard that is no number', 'lastBatch', { shard: -1 }, 'MessageMalformed'],
    ['a part beyond the largest batch', 'part', { offset: 2 ** 40, bytes: ONE_BYTE }, 'MessageMalformed'],
    ['an operation that is none', 'submit', { operation: ONE_BYTE }, 'MessageMalformed'],
  ] as const)('refuses %s by name', async (_, method, params, code) => {
    const served = await useServed();
    const line = await rawLine(served);
    await expectAceRejection(code, line.request(method, params));
    expect((await (await rawLine(served)).request('head', {})) as object).toMatchObject({ height: 0 });
  });

  it('takes parts of a batch in order only', async () => {
    const line = await rawLine(await useServed());
    await line.request('part', { offset: 0, bytes: ONE_BYTE });
    await expectAceRejection('MessageUnexpected', line.request('part', { offset: 2, bytes: ONE_BYTE }));
    await line.request('part', { offset: 1, bytes: ONE_BYTE });
    await expectAceRejection('BatchMalformed', line.request('applyBatch', { signature: new Uint8Array(64) }));
  });

  it('holds no more parts than a batch can have', async () => {
    const line = await rawLine(await useServed());
    const bytes = new Uint8Array(PART_BYTES);
    const whole = MAX_BATCH_BYTES / PART_BYTES;
    for (let i = 0; i < whole; i++) await line.request('part', { offset: i * PART_BYTES, bytes });
    const beyond = { offset: MAX_BATCH_BYTES, bytes: ONE_BYTE };
    await expectAceRejection('MessageTooLarge', line.request('part', beyond));
    // What had come is gone.
    await expectAceRejection('MessageUnexpected', line.request('part', beyond));
  });

  it('ends a stream that sends more in one message than the protocol allows', async () => {
    const served = await useServed();
    const line = await rawLine(served);
    const operation = new Uint8Array(CHAIN_LIMITS.maxFrameBytes + 1);
    await expectAceRejection('PeerClosed', line.request('submit', { operation }));
    expect(served.errors).toMatchObject([{ code: 'MessageTooLarge' }]);
  });
});
