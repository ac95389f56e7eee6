import { expect, it } from 'vitest';
import type { Message } from '../../main/pieces/messages.ts';
import { accountFromPhrase, signOperation } from '../../main/wallet/account.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { amount } from '../../shared/economy/money.ts';
import { testAddress } from '../helpers/chain.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { gather } from '../helpers/places.ts';
import { type RawStream, RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

const CREDIT_UNITS = 4;
const ONE_XAT = 10_000_000n;

/** What the provider says to a request, whatever it acknowledges before. */
async function answerOf(stream: RawStream): Promise<Message | null> {
  const message = await stream.receive();
  return message;
}

it('units that the main chain refused stand in both books, and their payer is served again when it has funds', {
  tags: 'long',
}, async () => {
  // Nothing settles by itself while the test arranges its case.
  const net = await useDevnet({ trafficCreditLimitUnits: CREDIT_UNITS, settlementIntervalMs: 600_000 });
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 40 * MIB);
  const secrets = { phrase: createPhrase(12), deviceSeed: createDevice().seed() };
  const viewer = await RawViewer.start(net, secrets);
  await net.topUp(viewer.account.address, ONE_XAT);
  const channel = await viewer.lease(provider, 30);
  let paidUnits = 0;
  const consume = async (stream: RawStream, units: number) => {
    for (let i = 0; i < units; i++) {
      stream.request(contentId, paidUnits);
      await stream.takePiece();
      stream.pay(channel, ++paidUnits);
    }
    await waitFor(
      'the ticks are booked',
      () => provider.store.payeeChannels.get(channel.channelId)?.state.paidUnits === paidUnits,
    );
  };
  const stream = await viewer.open(provider, channel);
  await consume(stream, 10);
  await provider.claims.now();

  // Past the shard, which would not let it: the funds behind the lease go away.
  const { chain, settings } = net.validator;
  await gather(chain, accountFromPhrase(secrets.phrase), 'main');
  const { main, nonce } = await chain.account(viewer.account.address);
  const operation = {
    kind: 'transfer' as const,
    place: 'services' as const,
    from: viewer.account.address,
    to: testAddress(1),
    token: 'XAT' as const,
    amount: amount(main.XAT),
    nonce,
  };
  await chain.submit(await signOperation(accountFromPhrase(secrets.phrase), settings, operation));
  await provider.shardClient.call('settle', {});

  const { certificate } = viewer;
  const account = viewer.account.address;
  const { rows } = await viewer.shard.call('statement', { account, afterSeq: 0, certificate });
  expect(rows).toMatchObject([{ direction: 'paid', paidUnits: 0, creditUnits: 4, refusedUnits: 6 }]);
  await waitFor('the provider was told', () => provider.store.settlements.count() === 1);
  const [earned] = provider.store.settlements.page(Number.MAX_SAFE_INTEGER, 1);
  expect(earned).toMatchObject({ direction: 'earned', paidUnits: 0, creditUnits: 4, refusedUnits: 6 });
  // Nothing of it is awaited any more.
  expect(provider.store.payeeChannels.paidUnits()).toBe(10);
  expect(provider.store.settledChannels.pendingUnits('earned')).toBe(0);

  stream.request(contentId, paidUnits);
  expect(await answerOf(stream)).toMatchObject({ type: 'refused', code: 'CreditExhausted' });
  // A restart forgets nothing of it.
  await provider.stop();
  const again = await net.peer('provider');
  const second = await viewer.open(again, channel);
  second.request(contentId, paidUnits);
  expect(await answerOf(second)).toMatchObject({ type: 'refused', code: 'CreditExhausted' });
  // Others are served as before.
  const other = await RawViewer.start(net);
  const others = await other.open(again, await other.lease(again, 2));
  others.request(contentId, 0);
  await others.takePiece();

  await net.topUp(viewer.account.address, ONE_XAT);
  await waitFor('it is served again', async () => {
    second.request(contentId, paidUnits);
    return (await answerOf(second))?.type === 'piece';
  });
});
