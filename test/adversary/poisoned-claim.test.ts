/** A payer hands in a claim against itself whose tick is of no chain: what its provider holds must still be worth its money. */
import { expect, it } from 'vitest';
import { sha256 } from '../../main/util/sha256.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

const UNITS = 40;
const JUNK = sha256(new Uint8Array([1]));

it('a provider is paid for every tick after its payer claimed a unit with a checkpoint of its own and a junk tick', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, UNITS * MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, UNITS);
  // Before the provider has anything to claim: the shard has nothing on file that the lie contradicts.
  const lie = viewer.checkpoint(channel, { number: 1, units: 1, bytes: 0, tick: JUNK });
  await viewer.shard
    .call('claim', {
      channelId: channel.channelId,
      units: 1,
      tick: JUNK,
      checkpoint: { record: lie.record, payerSignature: lie.signature, payeeSignature: null },
    })
    .catch((_e: unknown) => undefined); // whether it is refused or booked, nobody else may pay for it
  const stream = await viewer.open(provider, channel);
  for (let i = 0; i < UNITS; i++) {
    stream.request(contentId, i);
    await stream.takePiece();
    stream.pay(channel, i + 1);
  }
  const held = () => provider.store.payeeChannels.get(channel.channelId)?.state.paidUnits;
  await waitFor('the ticks are booked', () => held() === UNITS);
  await provider.claims.now();
  await provider.shardClient.call('settle', {});
  const { creditUsedUnits } = await net.validator.chain.account(viewer.account.address);
  expect(creditUsedUnits).toBe(UNITS);
});
