/** Attacks on the exchange and its rate, and on what the chain signs and counts. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { verifyChain } from '../../main/chain/embedded/verify.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { heldOf } from '../../shared/economy/holdings.ts';
import {
  BASE_UNITS_PER_TOKEN,
  MAX_AMOUNT,
  parseAmount,
  type TokenAmount,
} from '../../shared/economy/money.ts';
import type { Operation } from '../../shared/economy/operation.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { isAceError } from '../../shared/errors.ts';
import { entry, settle, storedGenesis, testAccount, testGenesis, testSettings } from '../helpers/chain.ts';
import { gather } from '../helpers/places.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const [A, B, C] = [testAccount(1), testAccount(2), testAccount(3)];
const T0 = 1_800_000_000_000;

class World {
  nowMs = T0;
  readonly chain: MainChain;
  readonly dir = tempDir();
  readonly settings: NetworkSettings;
  readonly genesis: ReturnType<typeof testGenesis>;
  constructor(
    settings: Partial<NetworkSettings>,
    accounts: Parameters<typeof testGenesis>[0],
    pools: NonNullable<Parameters<typeof testGenesis>[1]>,
    genesis = testGenesis(accounts, pools),
  ) {
    this.settings = testSettings(settings);
    this.genesis = genesis;
    this.chain = openEmbeddedChain({
      path: join(this.dir, 'chain.db'),
      settings: this.settings,
      genesis: this.genesis,
      nowMs: () => this.nowMs,
    });
    onTestFinished(() => this.chain.close());
  }
  /** What it takes lies where it is taken from: an attacker moves its own as it likes. */
  async submit(who: typeof A, fields: { readonly kind: string } & Record<string, unknown>) {
    await gather(this.chain, who, fields.kind === 'access' ? 'services' : 'main');
    const { nonce } = await this.chain.account(who.address);
    const operation = { from: who.address, nonce, ...fields } as Operation;
    return this.chain.submit(await signOperation(who, this.settings, operation));
  }
  swap(who: typeof A, sell: string, buy: string, amount: bigint) {
    return this.submit(who, {
      kind: 'swap',
      sell,
      buy,
      amount,
      minReceived: 0n,
      deadlineMs: 2_000_000_000_000,
    });
  }
  async rate(token: 'xacPerXat' | 'xacPerXas' = 'xacPerXat'): Promise<number> {
    const { num, den } = (await this.chain.market()).rates[token];
    return Number((num * 1_000_000n) / den) / 1e6;
  }
}

const POOLS: NonNullable<Parameters<typeof testGenesis>[1]> = [
  ['lockedPool', 'XAT', '1000000000'],
  ['exchangeXat', 'XAT', '1000000'],
  ['exchangeXat', 'XAC', '1000000'],
];

it('a swap just after genesis counts for no more than its part of the window', async () => {
  const w = new World({ pinnedXacPerXat: null }, [[A.address, 'XAC', '9000000']], POOLS);
  w.nowMs += 10;
  await w.swap(A, 'XAC', 'XAT', parseAmount('9000000'));
  w.nowMs += 1_000; // one second of a window of ten minutes
  const rate = await w.rate();
  expect(rate).toBeLessThan(1.3);
});

it('one second of a false price does not let the attacker print XAC', async () => {
  const w = new World(
    { pinnedXacPerXat: null },
    [
      [A.address, 'XAC', '40000000'],
      [A.address, 'XAT', '20000000'],
    ],
    POOLS,
  );
  w.nowMs += 86_400_000; // a settled market: 1 XAT is 1 XAC, the attacker has 60,000,000 of both together
  await w.swap(A, 'XAC', 'XAT', parseAmount('31000000'));
  w.nowMs += 1_000;
  const own = { XAC: heldOf(await w.chain.account(A.address), 'XAC') };
  // All other XAC away first, so that the payment burns XAT.
  await w.submit(A, { kind: 'transfer', place: 'services', to: C.address, token: 'XAC', amount: own.XAC });
  const burn = parseAmount('19000000');
  const { num, den } = (await w.chain.market()).rates.xacPerXat;
  await w.submit(A, {
    kind: 'access',
    lastsMs: 0,
    to: B.address,
    contentId: 'mine',
    priceXac: ((burn * num) / den) as TokenAmount,
    premium: false,
  });
  const bought = heldOf(await w.chain.account(A.address), 'XAT');
  await w.swap(A, 'XAT', 'XAC', bought - parseAmount('1000000'));
  const all = await Promise.all([A, B, C].map((x) => w.chain.account(x.address)));
  const value = all.reduce((sum, x) => sum + heldOf(x, 'XAC') + heldOf(x, 'XAT'), 0n) / BASE_UNITS_PER_TOKEN;
  expect(value).toBeLessThanOrEqual(60_000_000n);
});

it('one second of a false price does not pay a provider in worthless XAS', async () => {
  const w = new World(
    { pinnedXacPerXat: ratio(1), pinnedXacPerXas: null, initialTrafficRate: ratio(1) },
    [
      [A.address, 'XAC', '31000'],
      [A.address, 'XAS', '1000'],
    ],
    [
      ['lockedPool', 'XAT', '1000000'],
      ['exchangeXas', 'XAS', '1000'],
      ['exchangeXas', 'XAC', '1000'],
    ],
  );
  w.nowMs += 86_400_000;
  await w.swap(A, 'XAC', 'XAS', parseAmount('31000'));
  w.nowMs += 1_000;
  const rate = await w.rate('xacPerXas');
  const units = 102_400; // 100 GB, 100 XAC
  await settle(w.chain, [entry(A.address, B.address, units)]);
  expect(rate).toBeLessThan(1.1);
});

it('an operation that its caller changes while its signature is checked is not applied', async () => {
  const w = new World({}, [[A.address, 'XAT', '100']], [['lockedPool', 'XAT', '1000']]);
  await gather(w.chain, A, 'main');
  const signedOperation = await signOperation(A, w.settings, {
    kind: 'transfer',
    place: 'services',
    from: A.address,
    to: B.address,
    token: 'XAT',
    amount: parseAmount('1'),
    nonce: (await w.chain.account(A.address)).nonce,
  });
  const running = w.chain.submit(signedOperation);
  Object.assign(signedOperation.operation, { to: C.address, amount: parseAmount('100') });
  await running.catch(() => null);
  expect((await w.chain.account(C.address)).services.XAT).toBe(0n);
});

it('texts that are not Unicode, and every v of a signature, verify again', async () => {
  const w = new World({}, [[A.address, 'XAT', '100']], [['lockedPool', 'XAT', '1000']]);
  for (const contentId of ['\ud800', '\u0000\u001b[2J', 'x'.repeat(200), '\u202e', '\udc00\ud800']) {
    await w.submit(A, { kind: 'access', lastsMs: 0, to: B.address, contentId, priceXac: 1n, premium: false });
  }
  await gather(w.chain, A, 'main');
  for (const v of ['00', '1b', '01', '1c']) {
    const s = await signOperation(A, w.settings, {
      kind: 'transfer',
      place: 'services',
      from: A.address,
      to: B.address,
      token: 'XAT',
      amount: parseAmount('1'),
      nonce: (await w.chain.account(A.address)).nonce,
    });
    await w.chain.submit({ ...s, signature: `${s.signature.slice(0, -2)}${v}` as never }).catch(() => null);
  }
  await verifyChain({
    path: join(w.dir, 'chain.db'),
    scratchPath: join(tempDir(), 'c.db'),
  });
});

it('what is minted and burned over the life of a chain keeps inside 64 bits, and payments go on', async () => {
  const w = new World(
    {
      feedAccount: A.address,
      pinnedXacPerXat: ratio(1, 1_000_000),
      trafficPriceUsd: ratio(1, 100),
      initialTrafficRate: ratio(1, 1_000_000),
    },
    [
      [A.address, 'XAB', '900000000000'],
      [A.address, 'XAT', '1000'],
    ],
    [['lockedPool', 'XAT', '100000000000']],
  );
  await w.submit(A, { kind: 'feed', aceBytePriceUsd: '1000000' });
  const refused: unknown[] = [];
  for (let i = 0; i < 5; i++) {
    const { genesis, emitted, burned } = (await w.chain.supply()).XAT;
    const room = MAX_AMOUNT - (genesis + emitted - burned);
    await w
      .submit(A, { kind: 'mint', amountXat: room, maxXab: parseAmount('900000000000') })
      .catch((error: unknown) => refused.push(isAceError(error) ? error.code : error));
    await gather(w.chain, A, 'services');
    const funds = (await w.chain.account(A.address)).services;
    const priceXac = funds.XAT / 1_000_000n + funds.XAC;
    if (priceXac > 0n) {
      await w.submit(A, {
        kind: 'access',
        lastsMs: 0,
        to: B.address,
        contentId: 'x',
        priceXac,
        premium: true,
      });
    }
  }
  expect(refused).toEqual(['InvalidAmount', 'InvalidAmount', 'InvalidAmount', 'InvalidAmount']);
});

it('a devnet’s first prices agree: XAB bought and minted into XAT, round after round, gives no profit', async () => {
  const dir = tempDir();
  const validator = await runDevnetValidator({ dataDir: dir, port: 0 });
  await validator.stop();
  const { settings, genesis } = storedGenesis(join(dir, 'chain.db'));
  const account = { address: A.address, place: 'main', token: 'XAT', amount: parseAmount('1000') } as const;
  const w = new World(settings, [], [], { ...genesis, accounts: [...genesis.accounts, account] });
  for (let round = 0; round < 4; round++) {
    const own = async () => (await w.chain.account(A.address)).main;
    await w.swap(A, 'XAT', 'XAC', (await own()).XAT);
    await w.swap(A, 'XAC', 'XAB', (await own()).XAC);
    const { XAB } = await own();
    // 1 XAT is minted for 0.035 XAB.
    await w.submit(A, { kind: 'mint', amountXat: (XAB * 1_000n) / 35n, maxXab: XAB });
    w.nowMs += 1_000;
  }
  expect((await w.chain.account(A.address)).main.XAT).toBeLessThan(parseAmount('1000'));
});
