/** What every implementation must do with the operations other than transfers and swaps. */
import { describe, expect, it } from 'vitest';
import type { MainChain } from '../../main/chain/port.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { type Holdings, PLACES, type Place } from '../../shared/economy/holdings.ts';
import {
  amount,
  MAX_AMOUNT,
  parseAmount,
  TOKENS,
  type Token,
  type TokenAmount,
} from '../../shared/economy/money.ts';
import type { Operation, OperationKind } from '../../shared/economy/operation.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import {
  DEVICES,
  entry,
  heldAndOwed,
  settle,
  testAccount,
  testGenesis,
  testSettings,
} from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { type ChainUnderTest, expectUnchanged, PEER, POOR, RICH } from './chain-compliance-context.ts';

const DEVICE = DEVICES[0] as string;
const SETTINGS = testSettings({ feedAccount: RICH.address, treasury: RICH.address });
const GENESIS = testGenesis(
  [
    [RICH.address, 'XAT', '10', 'main'],
    [RICH.address, 'XAC', '10', 'main'],
    [RICH.address, 'XAB', '10', 'main'],
    [RICH.address, 'XAT', '10', 'services'],
    [RICH.address, 'XAC', '10', 'services'],
  ],
  [
    ['lockedPool', 'XAT', '1000'],
    ['exchangeXat', 'XAT', '1000'],
    ['exchangeXat', 'XAC', '1000'],
  ],
);

/** One valid operation of each kind, by an account that may do all of them. */
const VALID = {
  transfer: { to: PEER.address, token: 'XAT', amount: parseAmount('1'), place: 'main' },
  deposit: { token: 'XAT', amount: parseAmount('1') },
  withdraw: { token: 'XAC', amount: parseAmount('1') },
  mint: { amountXat: parseAmount('2'), maxXab: parseAmount('2') },
  swap: {
    sell: 'XAT',
    buy: 'XAC',
    amount: parseAmount('1'),
    minReceived: 0n as TokenAmount,
    deadlineMs: Number.MAX_SAFE_INTEGER,
  },
  access: { to: PEER.address, contentId: 'bafy', priceXac: parseAmount('3'), premium: true, lastsMs: 0 },
  reward: { to: PEER.address, amountXac: parseAmount('1'), purpose: 'moderation' },
  link: { device: DEVICE },
  unlink: { device: DEVICE },
  feed: { aceBytePriceUsd: '0.25' },
} as const satisfies Record<OperationKind, object>;

export function operation(kind: OperationKind, change: object = {}, nonce = 0): Operation {
  return { kind, from: RICH.address, nonce, ...VALID[kind], ...change } as Operation;
}

async function submit(chain: MainChain, kind: OperationKind, change: object = {}) {
  const { nonce } = await chain.account(RICH.address);
  return chain.submit(await signOperation(RICH, chain.settings(), operation(kind, change, nonce)));
}

function ofToken(account: Holdings, place: Place, token: Token): bigint {
  return (account[place] as Partial<Record<Token, bigint>>)[token] ?? 0n;
}

export function operationCompliance({ name, open }: ChainUnderTest): void {
  const start = () => open(tempDir(), SETTINGS, GENESIS);
  const servicesOf = async (chain: MainChain, address: string) => (await chain.account(address)).services;

  describe.each(Object.keys(VALID) as OperationKind[])(`${name}: a %s`, (kind) => {
    it('is done once, says what it changed, and conserves every token', async () => {
      const chain = await start();
      const before = await chain.account(RICH.address);
      const { height, changes } = await submit(chain, kind);
      expect(height).toBe(1);
      const account = await chain.account(RICH.address);
      expect(account.nonce).toBe(1);
      for (const token of TOKENS) {
        for (const place of PLACES) {
          const gained = ofToken(account, place, token) - ofToken(before, place, token);
          const told = changes.find(
            (c) => c.holder === RICH.address && c.place === place && c.token === token,
          );
          expect(gained).toBe(told?.delta ?? 0n);
        }
        const { held, owed } = await heldAndOwed(chain, token);
        expect(held).toBe(owed);
      }
      const again = await signOperation(RICH, SETTINGS, operation(kind));
      await expectUnchanged(chain, 'WrongNonce', () => chain.submit(again));
    });

    it('is refused with another nonce, signer, network or content than was signed', async () => {
      const chain = await start();
      const refused = async (code: ErrorCode, signer: typeof RICH, settings = SETTINGS, nonce = 0) => {
        const signed = await signOperation(signer, settings, operation(kind, {}, nonce));
        await expectUnchanged(chain, code, () => chain.submit(signed));
      };
      await refused('WrongNonce', RICH, SETTINGS, 1);
      await refused('InvalidSignature', PEER);
      await refused('InvalidSignature', RICH, { ...SETTINGS, networkId: 'other' });
      await refused('InvalidSignature', RICH, { ...SETTINGS, chainId: 1 });
      const { signature } = await signOperation(RICH, SETTINGS, operation(kind, {}, 5));
      await expectUnchanged(chain, 'InvalidSignature', () =>
        chain.submit({ operation: operation(kind), signature }),
      );
    });
  });

  describe(`${name}: malformed operations`, () => {
    const cases: readonly (readonly [OperationKind, object, ErrorCode])[] = [
      ['mint', { amountXat: 0n }, 'InvalidAmount'],
      ['mint', { amountXat: MAX_AMOUNT + 1n }, 'InvalidAmount'],
      ['mint', { maxXab: -1n }, 'InvalidAmount'],
      ['swap', { amount: 0n }, 'InvalidAmount'],
      ['swap', { sell: 'XAB', buy: 'XAT' }, 'InvalidInput'],
      ['swap', { sell: 'XAC', buy: 'XAC' }, 'InvalidInput'],
      ['swap', { deadlineMs: 1.5 }, 'InvalidInput'],
      ['access', { priceXac: 0n }, 'InvalidAmount'],
      ['access', { contentId: '' }, 'InvalidInput'],
      ['access', { contentId: 'x'.repeat(201) }, 'InvalidInput'],
      ['access', { to: RICH.address }, 'InvalidInput'],
      ['access', { premium: 1 }, 'InvalidInput'],
      ['access', { lastsMs: -1 }, 'InvalidInput'],
      ['deposit', { amount: 0n }, 'InvalidAmount'],
      ['deposit', { token: 'XAB' }, 'InvalidInput'],
      ['withdraw', { amount: -1n }, 'InvalidAmount'],
      ['withdraw', { token: 'XAB' }, 'InvalidInput'],
      ['reward', { purpose: 'friendship' }, 'InvalidInput'],
      ['link', { device: 'AB'.repeat(32) }, 'InvalidInput'],
      ['unlink', { device: '12' }, 'InvalidInput'],
      ['feed', { aceBytePriceUsd: '0.0' }, 'InvalidInput'],
      ['feed', { aceBytePriceUsd: '-1' }, 'InvalidInput'],
      ['feed', { aceBytePriceUsd: '1e3' }, 'InvalidInput'],
    ];
    it.each(cases)('a %s with %o is refused', async (kind, change, code) => {
      const chain = await start();
      const { signature } = await signOperation(RICH, SETTINGS, operation(kind));
      const wrong = operation(kind, change);
      await expectUnchanged(chain, code, () => chain.submit({ operation: wrong, signature }));
    });
  });

  describe(`${name}: moving between an account’s own places`, () => {
    it.each([
      ['deposit', 'XAT', 'main', 'services'],
      ['withdraw', 'XAC', 'services', 'main'],
    ] as const)(
      'a %s takes all there is there, and not one base unit more',
      async (kind, token, from, to) => {
        const chain = await start();
        const all = parseAmount('10');
        const tooMuch = { token, amount: amount(all + 1n) };
        await expectUnchanged(chain, 'InsufficientFunds', () => submit(chain, kind, tooMuch));
        const { changes } = await submit(chain, kind, { token, amount: all });
        expect(changes).toHaveLength(2);
        expect(changes).toContainEqual({ holder: RICH.address, place: from, token, delta: -all });
        expect(changes).toContainEqual({ holder: RICH.address, place: to, token, delta: all });
      },
    );

    it('withdraws nothing while loans are owed, and deposits all the same', async () => {
      const genesis = testGenesis([
        [RICH.address, 'XAT', '1', 'main'],
        [RICH.address, 'XAT', '0.0000001', 'services'],
      ]);
      const chain = await open(tempDir(), SETTINGS, genesis);
      await settle(chain, [entry(RICH.address, PEER.address, 10)]);
      expect((await chain.account(RICH.address)).creditUsedUnits).toBe(10);
      const one = { token: 'XAT', amount: amount(1n) };
      await expectUnchanged(chain, 'FundsReserved', () => submit(chain, 'withdraw', one));
      await submit(chain, 'deposit', one);
    });

    it('keeps main out of every batch: what lies there pays for nothing', async () => {
      const chain = await open(tempDir(), SETTINGS, testGenesis([[RICH.address, 'XAT', '10', 'main']]));
      const { entries } = await settle(chain, [entry(RICH.address, PEER.address, 1_024)]);
      expect(entries[0]).toMatchObject({ paidUnits: 0, creditUnits: 1_024 });
      expect((await chain.account(RICH.address)).main.XAT).toBe(parseAmount('10'));
    });
  });

  describe(`${name}: access that was bought`, () => {
    const bought = (chain: MainChain) => chain.access(RICH.address, 'bafy', PEER.address);

    it('is remembered with its terms, of this content and seller alone', async () => {
      const chain = await start();
      expect(await bought(chain)).toBeNull();
      await submit(chain, 'access');
      expect(await bought(chain)).toMatchObject({
        contentId: 'bafy',
        seller: PEER.address,
        priceXac: parseAmount('3'),
        premium: true,
        lastsMs: 0,
        untilMs: 0,
      });
      expect(await chain.access(RICH.address, 'other', PEER.address)).toBeNull();
      expect(await chain.access(RICH.address, 'bafy', POOR)).toBeNull();
      expect(await chain.access(PEER.address, 'bafy', PEER.address)).toBeNull();
    });

    it('goes on from its end when it is bought again on the same terms, and begins anew on others', async () => {
      const chain = await start();
      const terms = { lastsMs: 60_000, priceXac: parseAmount('1') };
      await submit(chain, 'access', terms);
      const first = await bought(chain);
      expect(first && first.untilMs - first.boughtAtMs).toBe(60_000);
      await submit(chain, 'access', terms);
      const second = await bought(chain);
      // All of it has the time of the purchase that was last: a price that has risen since is not paid by it.
      expect(second).toMatchObject({ ...terms, untilMs: (first?.untilMs ?? 0) + 60_000 });
      expect(second?.boughtAtMs).toBeGreaterThan(first?.boughtAtMs ?? 0);
      await submit(chain, 'access', { ...terms, priceXac: parseAmount('0.5') });
      expect((await bought(chain))?.untilMs).toBe((first?.untilMs ?? 0) + 120_000);
      await submit(chain, 'access', { ...terms, priceXac: parseAmount('2') });
      const last = await bought(chain);
      expect(last?.priceXac).toBe(parseAmount('2'));
      expect(last && last.untilMs - last.boughtAtMs).toBe(60_000);
    });

    it('for ever is not paid again', async () => {
      const chain = await start();
      await submit(chain, 'access');
      for (const change of [{}, { lastsMs: 60_000 }, { priceXac: parseAmount('2') }])
        await expectUnchanged(chain, 'AccessBought', () => submit(chain, 'access', change));
      await submit(chain, 'access', { premium: false });
      await submit(chain, 'access', { premium: false, priceXac: parseAmount('3.5') });
    });
  });

  describe(`${name}: minting`, () => {
    it('burns XAB at aceTimePrice, rounded up, and creates XAT', async () => {
      // 7 GB/hour × 0.01 USD/GB ÷ 1 USD = 0.07 XAB for 1 XAT (source 001).
      const chain = await open(tempDir(), testSettings({ initialTrafficRate: ratio(7) }), GENESIS);
      const { changes } = await submit(chain, 'mint', { amountXat: 1n, maxXab: parseAmount('1') });
      expect(changes).toEqual([
        { holder: RICH.address, place: 'main', token: 'XAT', delta: 1n },
        { holder: RICH.address, place: 'main', token: 'XAB', delta: -1n },
      ]);
      await submit(chain, 'mint', { amountXat: parseAmount('1'), maxXab: parseAmount('0.07') });
      const { XAT, XAB } = await chain.supply();
      expect([XAT.emitted, XAB.burned]).toEqual([parseAmount('1') + 1n, parseAmount('0.07') + 1n]);
    });

    it('follows the market feed', async () => {
      const chain = await start();
      await submit(chain, 'feed', { aceBytePriceUsd: '0.5' });
      expect((await chain.market()).aceBytePriceUsd).toEqual(ratio(1, 2));
      const change = { amountXat: parseAmount('1'), maxXab: parseAmount('2') };
      const { changes } = await submit(chain, 'mint', change);
      expect(changes).toContainEqual({
        holder: RICH.address,
        place: 'main',
        token: 'XAB',
        delta: -parseAmount('2'),
      });
    });

    it.each<[string, ErrorCode, object]>([
      ['past its bound', 'SlippageExceeded', { maxXab: parseAmount('1.9999999') }],
      ['without the XAB', 'InsufficientFunds', { amountXat: parseAmount('11'), maxXab: parseAmount('11') }],
    ])('is refused %s', async (_, code, change) => {
      const chain = await start();
      await expectUnchanged(chain, code, () => submit(chain, 'mint', change));
    });

    it('is refused past what can exist', async () => {
      const genesis = testGenesis(
        [
          [PEER.address, 'XAT', '899999999999'],
          [RICH.address, 'XAB', '10'],
        ],
        [],
      );
      const chain = await open(tempDir(), SETTINGS, genesis);
      await expectUnchanged(chain, 'InvalidAmount', () => submit(chain, 'mint'));
    });
  });

  describe(`${name}: paying for access and rewards`, () => {
    it.each([
      ['premiumFeePool', true, '0.9', '2.1'],
      ['contentAccessFeePool', false, '0.6', '2.4'],
    ] as const)('puts the fee of its kind into %s', async (pool, premium, fee, rest) => {
      const chain = await start();
      await submit(chain, 'access', { premium });
      const { [pool]: paid, ...others } = await chain.pools();
      const { [pool]: _, ...before } = await (await start()).pools();
      expect(paid.XAC).toBe(parseAmount(fee));
      expect(others).toEqual(before);
      expect((await servicesOf(chain, PEER.address)).XAC).toBe(parseAmount(rest));
    });

    it('takes XAS last, and gives fee and payee their part in XAS', async () => {
      const genesis = testGenesis([
        [RICH.address, 'XAC', '1'],
        [RICH.address, 'XAT', '2'],
        [RICH.address, 'XAS', '10'],
      ]);
      const settings = testSettings({ pinnedXacPerXas: ratio(1, 2) });
      const chain = await open(tempDir(), settings, genesis);
      // 1 XAC, 2 XAC for 2 XAT, and 4 XAS for the last 2 XAC.
      await submit(chain, 'access', { priceXac: parseAmount('5') });
      expect(await servicesOf(chain, RICH.address)).toMatchObject({
        XAC: 0n,
        XAT: 0n,
        XAS: parseAmount('6'),
      });
      expect(await servicesOf(chain, PEER.address)).toMatchObject({
        XAC: parseAmount('2.1'),
        XAS: parseAmount('2.8'),
      });
      const { premiumFeePool } = await chain.pools();
      expect(premiumFeePool).toMatchObject({ XAC: parseAmount('0.9'), XAS: parseAmount('1.2') });
    });

    it('takes XAC first, then burns XAT and unlocks as much', async () => {
      const chain = await start();
      await submit(chain, 'access', { priceXac: parseAmount('13') });
      const [services, pools] = [await servicesOf(chain, RICH.address), await chain.pools()];
      expect([services.XAC, services.XAT]).toEqual([0n, parseAmount('7')]);
      expect(pools.unlockedPool.XAT).toBe(parseAmount('3'));
    });

    it('is refused whole when the funds do not reach', async () => {
      const chain = await start();
      const change = { priceXac: parseAmount('20.0000001') };
      await expectUnchanged(chain, 'InsufficientFunds', () => submit(chain, 'access', change));
    });

    it('pays a reward whole, and only from the treasury', async () => {
      const chain = await start();
      await submit(chain, 'reward');
      expect((await servicesOf(chain, PEER.address)).XAC).toBe(parseAmount('1'));
    });

    it.each<OperationKind>(['reward', 'feed'])(
      'refuses a %s by anybody but the account that has the role',
      async (kind) => {
        const roles = { treasury: [null, PEER.address], feedAccount: [null, PEER.address] };
        const role = kind === 'reward' ? 'treasury' : 'feedAccount';
        const other = kind === 'reward' ? 'feedAccount' : 'treasury';
        for (const holder of roles[role]) {
          // Having the other role does not help.
          const settings = testSettings({ [role]: holder, [other]: RICH.address });
          const chain = await open(tempDir(), settings, GENESIS);
          const to = testAccount(3).address;
          const change = kind === 'reward' ? { to } : {};
          await expectUnchanged(chain, 'NotAllowed', () => submit(chain, kind, change));
        }
      },
    );
  });

  describe(`${name}: devices`, () => {
    it('are unknown, linked, unlinked and linked again, for one account only', async () => {
      const chain = await start();
      const link = () => chain.deviceLink(RICH.address, DEVICE);
      expect(await link()).toBeNull();
      await submit(chain, 'link');
      expect(await link()).toBe('linked');
      await submit(chain, 'unlink');
      expect(await link()).toBe('unlinked');
      expect(await chain.deviceLink(PEER.address, DEVICE)).toBeNull();
      expect(await chain.devices(RICH.address)).toEqual([{ device: DEVICE, linked: false }]);
      await submit(chain, 'link');
      expect(await link()).toBe('linked');
      expect(await chain.devices(RICH.address)).toEqual([{ device: DEVICE, linked: true }]);
      expect(await chain.devices(PEER.address)).toEqual([]);
    });
  });

  describe(`${name}: an account that borrowed`, () => {
    it.each<[string, OperationKind, object, Token]>([
      ['a mint', 'mint', { amountXat: parseAmount('1'), maxXab: parseAmount('1') }, 'XAT'],
      ['a swap', 'swap', { sell: 'XAB', buy: 'XAC' }, 'XAC'],
    ])('repays with what %s brought once it was moved to services', async (_, kind, change, token) => {
      const genesis = testGenesis(
        [[RICH.address, 'XAB', '10']],
        [
          ['lockedPool', 'XAT', '1000'],
          ['exchangeXab', 'XAB', '1000'],
          ['exchangeXab', 'XAC', '1000'],
        ],
      );
      const chain = await open(tempDir(), SETTINGS, genesis);
      const owed = 1_024;
      await settle(chain, [entry(RICH.address, PEER.address, owed)]);
      expect((await chain.account(RICH.address)).creditUsedUnits).toBe(owed);
      const repaid = async () => {
        const { entries } = await settle(chain, [entry(RICH.address, PEER.address, 0, owed)]);
        return entries[0]?.repaidUnits;
      };
      await submit(chain, kind, change);
      expect(await repaid()).toBe(0);
      await submit(chain, 'deposit', { token, amount: parseAmount('0.5') });
      expect(await repaid()).toBe(owed);
      expect((await chain.account(RICH.address)).creditUsedUnits).toBe(0);
    });
  });
}
