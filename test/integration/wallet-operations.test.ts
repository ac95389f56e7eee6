import { describe, expect, it } from 'vitest';
import { contentIdOf } from '../../main/content/transport-file.ts';
import type { RunningPeer } from '../../main/peer/peer.ts';
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import { quoteTopUp } from '../../shared/economy/quote.ts';
import type { OperationResultView } from '../../shared/rpc/wallet.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, settleUp, ticksArrived, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';
import { PASSPHRASE, type WalletNode, walletNode } from '../helpers/wallet-node.ts';

const FRIEND = `0x${'1'.repeat(40)}`;
const FILM = contentIdOf(new Uint8Array([1]));
const fund = async (node: WalletNode) => {
  for (const token of ['XAT', 'XAS', 'XAB'] as const) {
    await node.call('topUp', { amountXat: '20', token, place: 'main' });
  }
};

/** A loan that a batch cut in two is repaid in two parts: what counts is their sum. */
function unitsTo({ account }: RunningPeer, parts: readonly { creditor: string; units: number }[]): number {
  expect(parts.every(({ creditor }) => creditor === account.address)).toBe(true);
  return parts.reduce((sum, { units }) => sum + units, 0);
}
function costXac(parts: readonly { costXac: string }[]): bigint {
  return parts.reduce((sum, part) => sum + parseAmount(part.costXac), 0n);
}

const booked = ({ holdings }: OperationResultView) => holdings;

describe('an operation', () => {
  it('does exactly what its quote said', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node');
    await fund(node);

    const send = { to: FRIEND, token: 'XAT' as const, amount: '1.5' };
    const sendQuote = await node.call('quoteSend', send);
    expect(sendQuote.isSeen).toBe(false);
    expect(booked(await node.call('send', { ...send, expiresAtMs: sendQuote.expiresAtMs }))).toEqual(
      sendQuote.holdingsAfter,
    );
    expect((await net.validator.chain.account(FRIEND)).main.XAT).toBe(parseAmount('1.5'));
    expect((await node.call('quoteSend', send)).isSeen).toBe(true);

    const mint = { amountXat: '7.3333333' };
    const mintQuote = await node.call('quoteMint', mint);
    const { maxXab, expiresAtMs } = mintQuote;
    expect(mintQuote.gives).toEqual([
      { token: 'XAB', amount: mintQuote.costXab, place: 'main', burned: true },
    ]);
    expect(booked(await node.call('mint', { ...mint, maxXab, expiresAtMs }))).toEqual(
      mintQuote.holdingsAfter,
    );

    for (const [sell, buy] of [
      ['XAB', 'XAC'],
      ['XAC', 'XAT'],
      ['XAS', 'XAC'],
    ] as const) {
      const swap = { sell, buy, amount: '2.0000001' };
      const quote = await node.call('quoteSwap', swap);
      const { leastReceived } = quote;
      expect(parseAmount(leastReceived)).toBeLessThan(parseAmount(quote.received));
      const done = await node.call('swap', { ...swap, leastReceived, expiresAtMs: quote.expiresAtMs });
      expect(booked(done)).toEqual(quote.holdingsAfter);
    }

    for (const [token, amount] of [
      ['XAT', '8'],
      ['XAC', '1'],
    ] as const) {
      const quote = await node.call('quoteDeposit', { token, amount });
      const done = await node.call('deposit', { token, amount, expiresAtMs: quote.expiresAtMs });
      expect(booked(done)).toEqual(quote.holdingsAfter);
    }
    const back = { token: 'XAT', amount: '2.5' } as const;
    const withdrawQuote = await node.call('quoteWithdraw', back);
    const withdrawn = await node.call('withdraw', { ...back, expiresAtMs: withdrawQuote.expiresAtMs });
    expect(booked(withdrawn)).toEqual(withdrawQuote.holdingsAfter);
    expect(booked(withdrawn).services).toEqual({ XAC: '1.0000000', XAT: '5.5000000', XAS: '0.0000000' });

    // More than the XAC in services: some XAT is burned for the rest, and main is left alone.
    const priceXac = '4.0000000';
    const access = { to: FRIEND, contentId: FILM, priceXac, premium: true };
    const accessQuote = await node.call('quoteAccess', access);
    expect(accessQuote).toMatchObject({ fromXac: '1.0000000', fromXat: '3.0000000', fromXas: '0.0000000' });
    expect(accessQuote.holdingsAfter.main).toEqual(booked(withdrawn).main);
    expect(booked(await node.call('buyAccess', { ...access, expiresAtMs: accessQuote.expiresAtMs }))).toEqual(
      accessQuote.holdingsAfter,
    );
    await net.expectConserved();
  });

  it('repays the loans as its quote said, and serving resumes: by minting, swapping, the faucet, a friend', async () => {
    const net = await useDevnet({ trafficCreditLimitUnits: 3 });
    const [provider, friend] = [await net.peer(), await walletNode(net, 'friend')];
    const node = await walletNode(net, 'node');
    const address = node.node.peer.account.address;
    await friend.call('topUp', { amountXat: '20', place: 'main' });
    // XAB pays for no traffic: it is there, and the account owes all the same.
    await node.call('topUp', { amountXat: '20', token: 'XAB' });

    const deposit = async (token: 'XAT' | 'XAC', amount: string) => {
      const quote = await node.call('quoteDeposit', { token, amount });
      expect(unitsTo(provider, quote.repays)).toBe(3);
      expect(quote.repays.every(({ stillOwedUnits }) => stillOwedUnits === 0)).toBe(true);
      expect(quote.creditUsedAfterUnits).toBe(0);
      const done = await node.call('deposit', { token, amount, expiresAtMs: quote.expiresAtMs });
      expect(done.holdings).toEqual(quote.holdingsAfter);
      expect(unitsTo(provider, done.repaid)).toBe(3);
      expect(costXac(done.repaid)).toBe(costXac(quote.repays));
    };
    const incoming = async () => {
      const send = { to: address, token: 'XAT' as const, amount: '0.5', place: 'services' as const };
      const { expiresAtMs } = await friend.call('quoteSend', send);
      await friend.call('send', { ...send, expiresAtMs });
    };
    const ways: Record<string, () => Promise<unknown>> = {
      async mint() {
        const { maxXab, expiresAtMs, repays } = await node.call('quoteMint', { amountXat: '0.5' });
        // What is minted is kept: it repays nothing before it is moved.
        expect(repays).toEqual([]);
        expect((await node.call('mint', { amountXat: '0.5', maxXab, expiresAtMs })).repaid).toEqual([]);
        await deposit('XAT', '0.5');
      },
      async swap() {
        const swap = { sell: 'XAB' as const, buy: 'XAC' as const, amount: '0.1' };
        const quote = await node.call('quoteSwap', swap);
        const { leastReceived, expiresAtMs } = quote;
        const done = await node.call('swap', { ...swap, leastReceived, expiresAtMs });
        expect(done.holdings).toEqual(quote.holdingsAfter);
        await deposit('XAC', quote.received);
      },
      async faucet() {
        const { repaid } = await node.call('topUp', { amountXat: '0.5' });
        expect(unitsTo(provider, repaid)).toBe(3);
      },
      incoming,
    };
    let repaidUnits = 0;
    for (const [name, topUp] of Object.entries(ways)) {
      // What is left of the way before is put away, so that it owes again.
      await node.call('settleNow', {});
      for (const token of ['XAT', 'XAC'] as const) {
        const amount = (await node.call('snapshot', {})).holdings.services[token];
        if (parseAmount(amount) === 0n) continue;
        await node.call('withdraw', { token, amount, expiresAtMs: Date.now() + 60_000 });
      }
      const { contentId } = await net.content(provider, 5 * MIB, name);
      const transfer = await node.node.peer.library.transfer(contentId);
      transfer.download();
      await waitFor(`the credit to be used up before ${name}`, () => transfer.state === 'paused');
      await ticksArrived(node.node.peer, provider);
      await provider.claims.now();
      await provider.shardClient.call('settle', {});
      await waitFor('the loan', async () => {
        const { credit } = await node.call('snapshot', {});
        return credit.usedUnits === 3;
      });
      await topUp();
      await waitFor(`serving to resume after ${name}`, () => transfer.state === 'done');
      await settleUp(node.node.peer, provider, contentId);
      repaidUnits += 3;
      await waitFor(`the notice after ${name}`, async () => {
        const { repayments } = await node.call('snapshot', {});
        return unitsTo(provider, repayments) === repaidUnits;
      });
    }
    expect(unitsTo(provider, await node.call('repayments', {}))).toBe(4 * 3);
    await net.expectConserved();
  }, 180_000);

  it('is refused with one clear sentence, and nothing moves', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node');
    await fund(node);
    const before = (await node.call('snapshot', {})).holdings;
    const send = (changes: object) =>
      node.call('quoteSend', { to: FRIEND, token: 'XAT', amount: '1', ...changes });

    const nobody = await expectAceRejection('InvalidInput', send({ to: `0x${'0'.repeat(40)}` }));
    expect(nobody.details).toEqual({ field: 'to', reason: 'nobody' });
    const checksum = await expectAceRejection(
      'InvalidInput',
      send({ to: '0x1d4C2f4b6E0a9c7D5B3f1e2d4C6B8A0F1e3D5C7b' }),
    );
    expect(checksum.message).toContain('has a typo: its capital letters do not match');
    for (const to of ['', 'friend', FRIEND.slice(0, 41), `${FRIEND}1`, FRIEND.replace('0x', '1x')]) {
      expect((await expectAceRejection('InvalidInput', send({ to }))).message).toContain('Not an address');
    }
    for (const amount of ['0.12345678', '-1', '1e3', '', '1,5', ' ', 'all', '0', '99999999999999']) {
      await expectAceRejection('InvalidAmount', send({ amount }));
    }
    const more = await expectAceRejection('InsufficientFunds', send({ amount: '20.0000001' }));
    expect(more.message).toContain('20.0000000 XAT kept, not 20.0000001');
    await expectAceRejection('InvalidInput', send({ to: node.node.peer.account.address }));
    await expectAceRejection('InsufficientFunds', node.call('quoteMint', { amountXat: '1000000' }));
    await expectAceRejection(
      'InvalidInput',
      node.call('quoteSwap', { sell: 'XAT', buy: 'XAS', amount: '1' }),
    );
    for (const slippagePercent of ['-1', '51', '0,5', 'some']) {
      const swap = { sell: 'XAT', buy: 'XAC', amount: '1', slippagePercent } as const;
      await expectAceRejection('InvalidInput', node.call('quoteSwap', swap));
    }
    const priceXac = '1000';
    const access = { to: FRIEND, contentId: FILM, priceXac };
    await expectAceRejection('InsufficientFunds', node.call('quoteAccess', access));
    for (const contentId of ['film', '=cmd|x', ''])
      await expectAceRejection('InvalidContentId', node.call('quoteAccess', { ...access, contentId }));

    const late = { expiresAtMs: Date.now() - 1 };
    const transfer = { to: FRIEND, token: 'XAT' as const, amount: '1' };
    await expectAceRejection('DeadlinePassed', node.call('send', { ...transfer, ...late }));
    await expectAceRejection('DeadlinePassed', node.call('mint', { amountXat: '1', maxXab: '1', ...late }));
    const swap = { sell: 'XAT' as const, buy: 'XAC' as const, amount: '1' };
    await expectAceRejection('DeadlinePassed', node.call('swap', { ...swap, leastReceived: '0.1', ...late }));
    const inTime = { expiresAtMs: Date.now() + 60_000 };
    await expectAceRejection(
      'SlippageExceeded',
      node.call('swap', { ...swap, leastReceived: '2', ...inTime }),
    );
    await expectAceRejection(
      'SlippageExceeded',
      node.call('mint', { amountXat: '1', maxXab: '0.0000001', ...inTime }),
    );
    expect((await node.call('snapshot', {})).holdings).toEqual(before);
  });

  it('of two that are asked for at once is booked one after the other, each once', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node');
    await node.call('topUp', { amountXat: '10', place: 'main' });
    const send = { to: FRIEND, token: 'XAT' as const, amount: '2', expiresAtMs: Date.now() + 60_000 };
    await Promise.all([1, 2, 3].map(() => node.call('send', send)));
    expect((await net.validator.chain.account(FRIEND)).main.XAT).toBe(parseAmount('6'));
  });

  it('withdraws no funds that stand behind an open channel, and sends what is kept all the same', async () => {
    const net = await useDevnet({ trafficCreditLimitUnits: 0 });
    const provider = await net.peer();
    const node = await walletNode(net, 'node');
    for (const place of ['main', 'services'] as const) {
      await node.call('topUp', { amountXat: '0.01', place });
    }
    const { contentId } = await net.content(provider, 2 * MIB);
    await fetchWhole(node.node.peer, contentId);
    const all = { token: 'XAT' as const, amount: '0.009' };
    const error = await expectAceRejection('FundsReserved', node.call('quoteWithdraw', all));
    expect(error.message).toContain('open channels');
    const inTime = { expiresAtMs: Date.now() + 60_000 };
    await expectAceRejection('FundsReserved', node.call('withdraw', { ...all, ...inTime }));
    await node.call('send', { to: FRIEND, token: 'XAT', amount: '0.01', ...inTime });
  });
});

describe('a quote of a top-up', () => {
  it('agrees with what a deposit of that much is quoted to repay', async () => {
    const net = await useDevnet();
    const provider = await net.peer();
    const node = await walletNode(net, 'node', { passphrase: PASSPHRASE });
    const { contentId } = await net.content(provider, 3 * MIB);
    await fetchWhole(node.node.peer, contentId);
    await settleUp(node.node.peer, provider, contentId);
    await node.call('topUp', { amountXat: '1', place: 'main' });
    const quote = await node.call('quoteDeposit', { token: 'XAT', amount: '0.0005' });
    const { picture } = node.node.peer.sync;
    if (!picture) throw new Error('no picture');
    const plan = quoteTopUp(parseAmount('0.0005'), picture.account.loans, 0, {
      funds: { XAC: parseAmount('0'), XAT: parseAmount('0'), XAS: parseAmount('0') },
      creditLeftUnits: 0,
      owes: true,
      price: { rates: picture.market, unitPriceXac: picture.unitPriceXac },
      unitPriceXat: picture.unitPriceXac,
      trafficFee: node.node.peer.settings.trafficFee,
    });
    expect(
      quote.repays.map(({ creditor, units, stillOwedUnits }) => ({ creditor, units, stillOwedUnits })),
    ).toEqual(
      plan.repayments.map(({ creditor, units, stillOwedUnits }) => ({ creditor, units, stillOwedUnits })),
    );
    // Of all that is owed, which may be several loans: what was used is settled in as many batches as it takes.
    const repaidUnits = quote.repays.reduce((sum, { units }) => sum + units, 0);
    expect(repaidUnits).toBeGreaterThan(0);
    expect(repaidUnits).toBeLessThan(3);
    expect(quote.holdingsAfter.services.XAT).toBe(formatAmount(plan.left.XAT));
  });
});
