/**
 * Providers that lie about what is sold: one that refuses who has bought it costs a moment, and no money. One that sends it
 * to who has not, which nobody can hinder, is asked by no node: its seller loses a price, and no viewer a base unit.
 */
import { expect, it } from 'vitest';
import { parseAmount } from '../../shared/economy/money.ts';
import { fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { askedBefore, RawProvider } from '../helpers/raw-provider.ts';
import { buy, soldContent } from '../helpers/sold.ts';
import { waitFor } from '../helpers/wait.ts';

it.each(['AccessNeeded', 'AccessInvalid', 'AccessExpired'])(
  'a relay that says %s to who has bought is left for the seller, who is paid alone',
  async (code) => {
    const net = await useDevnet();
    const [seller, buyer] = [await net.peer('seller'), await net.peer('buyer')];
    const { contentId, transport } = await soldContent(net, seller, { sizeBytes: 2 * MIB, price: '3' });
    await net.topUp(buyer.account.address, parseAmount('10'));
    const liar = await RawProvider.start(
      net,
      askedBefore(seller, (message, stream) => {
        if (message.type === 'open') stream.send({ type: 'opened', paidUnits: 0, servedBytes: 0 });
        if (message.type === 'interest')
          stream.send({ type: 'have', contentId: message.contentId, bitmap: new Uint8Array([0b11]) });
        if (message.type === 'request') stream.send({ type: 'refused', id: message.id, code });
      }),
      [transport],
    );
    await liar.announce(contentId);
    await buy(buyer, contentId);
    await fetchWhole(buyer, contentId);
    expect(liar.heard.some(({ type }) => type === 'request')).toBe(true);
    expect(
      buyer.store.payerChannels
        .all()
        .filter(({ payee }) => payee === liar.account.address)
        .every(({ state }) => state.revealedUnits === 0),
    ).toBe(true);
    // What was bought is not asked for anew because of what somebody says.
    expect(buyer.access.state(contentId)?.state).toBe('open');
    await waitFor('the seller has its price', async () => {
      const { services } = await net.validator.chain.account(seller.account.address);
      return services.XAC >= parseAmount('2.1');
    });
  },
);
