import { join } from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { methods } from '../../main/p2p/protocols/shard/messages.ts';
import { checked } from '../../main/p2p/typed-rpc.ts';
import { settle } from '../../main/validator/batching.ts';
import { submitOperation } from '../../main/validator/operations.ts';
import { statementRows } from '../../main/validator/statements.ts';
import { operationTypedData } from '../../main/wallet/typed-data.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { encodeSignedOperation, type Operation } from '../../shared/economy/operation.ts';
import { planPayment, purchasingPowerXac } from '../../shared/economy/payment.ts';
import { mintCostXab, trafficRate } from '../../shared/economy/price.ts';
import { formatRatio, ratio } from '../../shared/economy/ratio.ts';
import { expectAceError, expectAceRejection } from '../helpers/ace-error.ts';
import { settle as settleBatch, testAccount, testGenesis, testSettings } from '../helpers/chain.ts';
import { fetchWhole, MIB, settleUp, useDevnet } from '../helpers/devnet.ts';
import { party, START_MS, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

function open(...args: ConstructorParameters<typeof TestShard>): TestShard {
  const shard = new TestShard(...args);
  onTestFinished(() => shard.close());
  return shard;
}

async function settleAll(shard: TestShard): Promise<number> {
  let batches = 0;
  while (await settle(shard.context)) if (++batches > 50) throw new Error('settles for ever');
  return batches;
}

async function signed(shard: TestShard, n: number, fields: object): Promise<Uint8Array> {
  const { account } = party(n);
  const { nonce } = await shard.chain.account(account.address);
  const operation = { from: account.address, nonce, ...fields } as Operation;
  const signature = await account.signTypedData(operationTypedData(shard.settings, operation));
  return encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex'));
}

/** 3.5 GB/hour and 10^-6 XAC per XAT: one traffic unit costs 0.0028 base units of XAC, 2,790 of XAT. */
const LOW = {
  initialTrafficRate: ratio(35, 10),
  pinnedXacPerXat: ratio(1, 1_000_000),
  trafficCreditLimitUnits: 0,
};

it('leases within the funds are all paid, whatever the price: the shard gave its word', async () => {
  const shard = open(tempDir(), LOW, [[party(1).account.address, 'XAT', '1']]);
  const channels = [];
  for (let n = 2; n < 22; n++) {
    const channel = await shard.lease(party(1), party(n), 1).catch(() => null);
    if (channel) channels.push(channel);
  }
  // Each of them may cost a whole base unit of XAC, a million of XAT.
  expect(channels).toHaveLength(10);
  for (const channel of channels) {
    shard.claim(channel, 1, { checkpoint: shard.checkpoint(channel, { units: 1, final: true }) });
  }
  await settleAll(shard);
  const results = (await shard.chain.batchResult(0, 1))?.entries ?? [];
  expect(results.map(({ paidUnits, refusedUnits }) => [paidUnits, refusedUnits])).toEqual(
    Array.from({ length: 10 }, () => [1, 0]),
  );
});

it('a payee that claims unit by unit does not make its payer pay a hundred times the price', async () => {
  const spent = async (step: number) => {
    const shard = open(tempDir(), { ...LOW, trafficCreditLimitUnits: 100 }, [
      [party(1).account.address, 'XAT', '100'],
    ]);
    const channel = await shard.lease(party(1), party(2), 60);
    for (let units = step; units <= 60; units += step) {
      shard.claim(channel, units);
      await settleAll(shard);
    }
    shard.claim(channel, 60, { checkpoint: shard.checkpoint(channel, { units: 60, final: true }) });
    await settleAll(shard);
    return parseAmount('100') - (await shard.chain.account(party(1).account.address)).services.XAT;
  };
  const [whole, split] = [await spent(60), await spent(1)];
  expect(split).toBe(whole);
  expect(whole).toBe(1_000_000n);
});

it('one rich payer cannot make a batch that no chain takes (XAC cap)', async () => {
  const [rich, honest] = [party(1), party(2)];
  // 10^6 XAC per XAT: 900,000 XAT are worth all the XAC that can exist.
  const shard = open(
    tempDir(),
    { pinnedXacPerXat: ratio(1_000_000), initialTrafficRate: ratio(1, 1_000_000) },
    [
      [rich.account.address, 'XAT', '100000000000'],
      [honest.account.address, 'XAT', '1'],
    ],
  );
  const a = await shard.lease(rich, party(3), 1_000);
  const b = await shard.lease(honest, party(4), 5);
  shard.claim(b, 5);
  shard.claim(a, 60);
  shard.claim(a, 120);
  for (let u = 180; u <= 960; u += 60) shard.claim(a, u);
  const error = await settleAll(shard).catch((e: unknown) => e);
  expect((error as { code?: string }).code).toBeUndefined();
});

it('reserved funds stay when the rate rises between the look and the act', async () => {
  const dir = tempDir();
  const shard = open(dir);
  await shard.chain.close();
  let nowMs = START_MS;
  const [thief, mate] = [party(1), party(2)];
  const settings = testSettings({ pinnedXacPerXat: null, trafficCreditLimitUnits: 0 });
  const chain = openEmbeddedChain({
    path: join(tempDir(), 'chain.db'),
    settings,
    genesis: testGenesis(
      [
        [thief.account.address, 'XAT', '100'],
        [party(9).account.address, 'XAC', '10000', 'main'],
      ],
      [
        ['lockedPool', 'XAT', '1000000'],
        ['exchangeXat', 'XAT', '1000'],
        ['exchangeXat', 'XAC', '1000'],
      ],
    ),
    nowMs: () => nowMs,
  });
  Object.assign(shard, { chain, settings, context: { ...shard.context, chain, nowMs: () => nowMs } });
  nowMs += 3_600_000;
  shard.nowMs = nowMs;
  await shard.lease(thief, party(3), 10_240);
  // The market's price has just risen: the average rises with every millisecond.
  await submitOperation(
    { ...shard.context, chain },
    await signed(shard, 9, {
      kind: 'swap',
      sell: 'XAC',
      buy: 'XAT',
      amount: parseAmount('1000'),
      minReceived: 0n,
      deadlineMs: nowMs + 9_000,
    }),
  );
  nowMs += 1_000;
  const rates = (await chain.market()).rates;
  const funds = (await chain.account(thief.account.address)).services;
  const priceXac = (purchasingPowerXac(funds, rates) + 1n) as typeof funds.XAC;
  expect(() => planPayment(funds, priceXac, rates, ratio(0), funds.XAT)).toThrow();
  // Time passes between the shard's look and the chain's act, as it always does.
  const slow = new Proxy(chain, {
    get: (target, name) => {
      if (name !== 'submit') return (Reflect.get(target, name) as () => unknown).bind(target);
      return (operation: never) => {
        nowMs += 5;
        return target.submit(operation);
      };
    },
  });
  const bytes = await signed(shard, 1, {
    kind: 'access',
    lastsMs: 0,
    to: mate.account.address,
    contentId: 'x',
    priceXac,
    premium: false,
  });
  const refused = await submitOperation({ ...shard.context, chain: slow }, bytes).catch((e: unknown) => e);
  const left = (await chain.account(thief.account.address)).services;
  expect(refused).toMatchObject({ code: 'InsufficientFunds' });
  expect(left.XAT).toBe(parseAmount('100'));
});

it('repays the oldest loan first, also when funds shrank or the price rose after the batch was sealed', async () => {
  // Party 2 has the higher address of the two creditors, and gave the older loan.
  const [debtor, older, newer] = [
    party(1),
    ...[party(2), party(3)].sort((a, b) => (a.account.address < b.account.address ? 1 : -1)),
  ] as [ReturnType<typeof party>, ReturnType<typeof party>, ReturnType<typeof party>];
  const rich = party(9);
  const shard = open(tempDir(), {}, [[rich.account.address, 'XAT', '100', 'main']]);
  for (const creditor of [older, newer]) {
    const channel = await shard.lease(debtor, creditor, 50);
    shard.claim(channel, 50);
    await settleAll(shard);
  }
  const submit = async (n: number, fields: object) =>
    submitOperation(shard.context, await signed(shard, n, fields));
  const price = 98n; // base units per unit, rounded up: 1 GB is 0.01
  const to = debtor.account.address;
  await submit(9, { kind: 'transfer', place: 'services', to, token: 'XAT', amount: price * 100n });
  const failing = new Proxy(shard.chain, {
    get: (target, name) =>
      name === 'applyBatch'
        ? () => Promise.reject(new Error('disk full'))
        : (Reflect.get(target, name) as () => unknown).bind(target),
  });
  await settle({ ...shard.context, chain: failing }).catch(() => null);
  // The batch is sealed; the debtor takes half of what it owes away before the disk has room again.
  await submit(1, { kind: 'withdraw', token: 'XAT', amount: price * 50n }).catch((e: unknown) => e);
  await settleAll(shard);
  const left = shard.store.loans
    .ofDebtor(debtor.account.address)
    .map((l) => [l.creditor === older.account.address ? 'older' : 'newer', l.unitsLeft]);
  expect(left.every(([who]) => who === 'newer')).toBe(true);
});

it('a statement can be told at any rate that the exchange gives', async () => {
  const shard = open(tempDir());
  await shard.chain.close();
  const chain = openEmbeddedChain({
    path: join(tempDir(), 'chain.db'),
    settings: testSettings({ pinnedXacPerXat: null, initialTrafficRate: ratio(3517, 1000) }),
    genesis: testGenesis(
      [
        [party(1).account.address, 'XAT', '100', 'main'],
        [party(1).account.address, 'XAT', '100'],
      ],
      [
        ['lockedPool', 'XAT', '1000000'],
        ['exchangeXat', 'XAT', '1000'],
        ['exchangeXat', 'XAC', '1003'],
      ],
    ),
    nowMs: () => shard.nowMs,
  });
  Object.assign(shard, { chain, settings: chain.settings(), context: { ...shard.context, chain } });
  await submitOperation(
    shard.context,
    await signed(shard, 1, {
      kind: 'swap',
      sell: 'XAT',
      buy: 'XAC',
      amount: 12_345_677n,
      minReceived: 0n,
      deadlineMs: shard.nowMs + 9_000,
    }),
  );
  shard.nowMs += 7_777;
  const channel = await shard.lease(party(1), party(2), 50);
  shard.claim(channel, 3);
  await settleAll(shard);
  const rows = statementRows(
    { ...shard.context, networkId: shard.settings.networkId },
    party(1).account.address,
    0,
  );
  expect(() => dagCbor.encode(rows)).not.toThrow();
});

it('the market can be told at any rate: exact ratios have integers of any size', () => {
  const rate = ratio(10n ** 30n + 1n, 10n ** 27n);
  const sent = {
    videoUnits: 1n,
    watchMs: 1n,
    xacPerXat: formatRatio(rate),
    xacPerXas: '0/1',
    aceBytePriceUsd: '1/1',
  };
  const got = checked(methods.market.result, dagCbor.decode(dagCbor.encode(sent)));
  expect(got.xacPerXat).toEqual(rate);
  for (const bad of ['1/0', '2/2', 'x', 7, `${'9'.repeat(500)}/1`]) {
    expectAceError('MessageMalformed', () => checked(methods.market.result, { ...sent, xacPerXat: bad }));
  }
});

it('a lying validator cannot make XAT cost nothing by watch time that no traffic stands behind', async () => {
  const shard = open(tempDir(), {}, [[party(1).account.address, 'XAB', '100']]);
  const { chain } = shard;
  const cost = async () => {
    const { totals, aceBytePriceUsd } = await chain.market();
    return mintCostXab(
      parseAmount('1000000'),
      trafficRate(totals),
      shard.settings.trafficPriceUsd,
      aceBytePriceUsd,
    );
  };
  const before = await cost();
  await settleBatch(chain, [], {
    watched: { videoUnits: 0n, watchMs: 2n ** 53n - 1n },
    createdAtMs: 1,
  }).catch(() => null);
  const after = await cost();
  expect(after).toBeGreaterThan(before / 2n);
});

it('a debtor cannot take away what it received before its loans are repaid', async () => {
  const shard = open(tempDir(), {}, [[party(9).account.address, 'XAT', '100', 'main']]);
  const channel = await shard.lease(party(1), party(2), 50);
  shard.claim(channel, 50);
  await settleAll(shard);
  const submit = async (n: number, fields: object) =>
    submitOperation(
      shard.context,
      await signed(shard, n, { token: 'XAT', amount: parseAmount('1'), ...fields }),
    );
  // As the validator does with two requests that wait at once: both operations, and only then the settlement.
  await submit(9, { kind: 'transfer', place: 'services', to: party(1).account.address });
  await expectAceRejection('FundsReserved', submit(1, { kind: 'withdraw' }));
  await settleAll(shard);
  expect((await shard.chain.account(party(1).account.address)).creditUsedUnits).toBe(0);
});

it('a shard that has stopped settling grants no more leases', { tags: 'long' }, async () => {
  const net = await useDevnet();
  const [provider, viewer, later] = [await net.peer(), await net.peer(), await net.peer()];
  const { contentId } = await net.content(provider, 3 * MIB);
  // Something is wrong in the books: a loan that the chain knows nothing of.
  const db = new Sqlite(join(net.dir, 'validator', 'validator.db'));
  db.prepare(
    'INSERT INTO loans (debtor, creditor, units, units_left, batch_number, at_ms) VALUES (?, ?, 1, 1, 1, 1)',
  ).run(viewer.account.address, provider.account.address);
  db.close();
  await fetchWhole(viewer, contentId);
  await settleUp(viewer, provider, contentId).catch(() => null);
  expect(net.validatorErrors()).toContain('InvariantViolated');
  const fetched = await fetchWhole(later, contentId, 8_000).then(
    () => true,
    () => false,
  );
  expect(fetched).toBe(false);
});

it('two requests at once: a debtor takes away what it receives, and its loan is repaid all the same (over the network)', async () => {
  const net = await useDevnet({ settlementIntervalMs: 60_000 });
  const [provider, viewer, friend] = [await net.peer(), await net.peer(), await net.peer()];
  const { contentId } = await net.content(provider, 3 * MIB);
  await fetchWhole(viewer, contentId);
  await settleUp(viewer, provider, contentId);
  const owed = async () => (await net.validator.chain.account(viewer.account.address)).creditUsedUnits;
  await net.topUp(friend.account.address, parseAmount('3'), 'main');
  const make = async (peer: typeof viewer, to: string | null) => {
    const what =
      to === null
        ? { kind: 'withdraw' as const }
        : { kind: 'transfer' as const, place: 'services' as const, to };
    const operation = {
      ...what,
      from: peer.account.address,
      nonce: 0,
      token: 'XAT',
      amount: parseAmount('1'),
    } as Operation;
    const signature = await peer.account.signTypedData(operationTypedData(peer.settings, operation));
    return encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex'));
  };
  const out0 = await make(provider, testAccount(52).address);
  // The first only keeps the shard busy while the other two arrive.
  const into = await make(friend, viewer.account.address);
  const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
  const junk = Array.from({ length: 20 }, () =>
    provider.shardClient.call('submit', { operation: out0 }).catch(() => null),
  );
  const out = await make(viewer, null);
  await Promise.allSettled([
    friend.shardClient.call('submit', { operation: into }),
    wait(3).then(() => viewer.shardClient.call('submit', { operation: out })),
  ]);
  await Promise.all(junk);
  expect(await owed()).toBe(0);
});
