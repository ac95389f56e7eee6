/** What every implementation's exchange must do. */
import { describe, expect, it } from 'vitest';
import type { MainChain } from '../../main/chain/port.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import type { SwapOperation } from '../../shared/economy/operation.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { entry, settle, testGenesis, testSettings } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { type ChainUnderTest, expectUnchanged, PEER, RICH } from './chain-compliance-context.ts';

const START_MS = 1_700_000_000_000;
const WINDOW_MS = 600_000;
const SETTINGS = testSettings({ pinnedXacPerXat: null, pinnedXacPerXas: null, rateWindowMs: WINDOW_MS });
/** 2 XAC for 1 XAT, 1 XAC for 4 XAS. */
const GENESIS = testGenesis(
  [
    [RICH.address, 'XAT', '1000', 'main'],
    [RICH.address, 'XAC', '1000', 'main'],
    [RICH.address, 'XAB', '1000', 'main'],
    [RICH.address, 'XAT', '1000', 'services'],
  ],
  [
    ['lockedPool', 'XAT', '1000'],
    ['exchangeXat', 'XAT', '1000'],
    ['exchangeXat', 'XAC', '2000'],
    ['exchangeXas', 'XAS', '4000'],
    ['exchangeXas', 'XAC', '1000'],
  ],
);
const SWAP: Omit<SwapOperation, 'nonce'> = {
  kind: 'swap',
  from: RICH.address,
  sell: 'XAT',
  buy: 'XAC',
  amount: parseAmount('100'),
  minReceived: parseAmount('0'),
  deadlineMs: START_MS + 100 * WINDOW_MS,
};

export function exchangeCompliance({ name, open }: ChainUnderTest): void {
  /** A chain whose clock the test moves. */
  async function start(settings = SETTINGS) {
    const clock = { nowMs: START_MS };
    const chain = await open(tempDir(), settings, GENESIS, () => clock.nowMs);
    return { chain, clock };
  }
  async function swap(chain: MainChain, change: Partial<SwapOperation> = {}) {
    const { nonce } = await chain.account(RICH.address);
    return chain.submit(await signOperation(RICH, chain.settings(), { ...SWAP, nonce, ...change }));
  }

  describe(`${name}: a swap`, () => {
    it('gets what the product of the reserves leaves, less the fee, rounded down', async () => {
      const { chain } = await start();
      const { changes } = await swap(chain);
      // 2000 × 99.7 ÷ (1000 + 99.7) = 181.3221787…
      const received = parseAmount('181.3221787');
      expect(changes).toEqual([
        { holder: RICH.address, place: 'main', token: 'XAT', delta: -parseAmount('100') },
        { holder: RICH.address, place: 'main', token: 'XAC', delta: received },
        { holder: 'exchangeXat', place: null, token: 'XAT', delta: parseAmount('100') },
        { holder: 'exchangeXat', place: null, token: 'XAC', delta: -received },
      ]);
    });

    it('gets no more by going there and back', async () => {
      const { chain } = await start();
      await swap(chain);
      await swap(chain, { sell: 'XAC', buy: 'XAT', amount: parseAmount('181.3221787') });
      const { XAT } = (await chain.account(RICH.address)).main;
      expect(Number(formatAmount(XAT))).toBeLessThan(1_000);
    });

    it.each<[string, ErrorCode, Partial<SwapOperation>]>([
      ['that gets less than asked for', 'SlippageExceeded', { minReceived: parseAmount('181.3221788') }],
      [
        'too small to get anything',
        'SlippageExceeded',
        { sell: 'XAC', buy: 'XAT', amount: parseAmount('0.0000001') },
      ],
      ['of more than the account has', 'InsufficientFunds', { amount: parseAmount('1000.0000001') }],
      ['of a pair without reserves', 'NoMarket', { sell: 'XAB' }],
    ])('is refused %s', async (_, code, change) => {
      const { chain } = await start();
      await expectUnchanged(chain, code, () => swap(chain, change));
    });

    it('is done at its deadline, and refused a millisecond later', async () => {
      const { chain, clock } = await start();
      const deadlineMs = START_MS + 60_000;
      clock.nowMs = deadlineMs + 1;
      await expectUnchanged(chain, 'DeadlinePassed', () => swap(chain, { deadlineMs }));
      clock.nowMs = deadlineMs;
      expect((await swap(chain, { deadlineMs })).height).toBe(1);
    });

    it('gets exactly what was asked for when that is what there is', async () => {
      const { chain } = await start();
      await swap(chain, { minReceived: parseAmount('181.3221787') });
    });
  });

  describe(`${name}: the rate of payments`, () => {
    it('is what the reserves say while nothing changes', async () => {
      const { chain, clock } = await start();
      clock.nowMs += 5 * WINDOW_MS;
      expect((await chain.market()).rates).toEqual({ xacPerXat: ratio(2), xacPerXas: ratio(1, 4) });
    });

    it('is not moved by a swap right before a settlement', async () => {
      const { chain, clock } = await start();
      clock.nowMs += WINDOW_MS;
      const consumed = [entry(RICH.address, PEER.address, 1_024)];
      const before = await settle(chain, consumed);
      await swap(chain, { amount: parseAmount('1000') });
      const after = await settle(chain, consumed);
      const [was, is] = [before.unitPriceXac, after.unitPriceXac].map(
        ({ num, den }) => Number(num) / Number(den),
      );
      expect(is).toBeLessThan(was ?? 0);
      // Two milliseconds of ten minutes at a quarter of the price.
      expect((is ?? 0) / (was ?? 1)).toBeGreaterThan(0.999_99);
    });

    it('follows a price that stays, as the window fills with it', async () => {
      const { chain, clock } = await start();
      clock.nowMs += WINDOW_MS;
      await swap(chain, { amount: parseAmount('1000') });
      const rate = async () => {
        const { num, den } = (await chain.market()).rates.xacPerXat;
        return Number(num) / Number(den);
      };
      const { XAC, XAT } = (await chain.pools()).exchangeXat;
      const spot = Number(XAC) / Number(XAT);
      clock.nowMs += WINDOW_MS / 2;
      // The geometric mean of 2 and the price since.
      expect(await rate()).toBeCloseTo(Math.sqrt(2 * spot), 6);
      clock.nowMs += WINDOW_MS;
      expect(await rate()).toBeCloseTo(spot, 6);
    });

    it('is the pinned one where the profile pins it, whatever the exchange does', async () => {
      const { chain, clock } = await start({ ...SETTINGS, pinnedXacPerXat: ratio(7) });
      await swap(chain, { amount: parseAmount('1000') });
      clock.nowMs += 2 * WINDOW_MS;
      expect((await chain.market()).rates.xacPerXat).toEqual(ratio(7));
    });

    it('must come from somewhere: neither pinned nor traded is refused', async () => {
      const genesis = testGenesis([[RICH.address, 'XAT', '1']]);
      await expectAceRejection('InvalidInput', open(tempDir(), SETTINGS, genesis));
    });

    it('survives a restart', async () => {
      const dir = tempDir();
      const clock = { nowMs: START_MS };
      const first = await open(dir, SETTINGS, GENESIS, () => clock.nowMs);
      await swap(first);
      clock.nowMs += 1_234;
      const { rates } = await first.market();
      await first.close();
      const second = await open(dir, SETTINGS, GENESIS, () => clock.nowMs);
      expect((await second.market()).rates).toEqual(rates);
    });
  });
}
