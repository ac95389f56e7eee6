import { expect, it } from 'vitest';
import { operationTypedData } from '../../main/wallet/typed-data.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { encodeSignedOperation, type Operation } from '../../shared/economy/operation.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, settleUp, type TestPeer, useDevnet } from '../helpers/devnet.ts';

async function submit(peer: TestPeer, fields: object) {
  const { nonce } = await peer.shardClient.call('account', { address: peer.account.address });
  const operation = { from: peer.account.address, nonce, ...fields } as Operation;
  const signature = await peer.account.signTypedData(operationTypedData(peer.settings, operation));
  const bytes = encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex'));
  return peer.shardClient.call('submit', { operation: bytes });
}

it('a transfer from a friend repays a viewer’s loans by itself', async () => {
  const net = await useDevnet();
  const [provider, viewer, friend] = [await net.peer(), await net.peer(), await net.peer()];
  const { contentId } = await net.content(provider, 5 * MIB);
  await fetchWhole(viewer, contentId);
  await settleUp(viewer, provider, contentId);
  const owed = async () => (await net.validator.chain.account(viewer.account.address)).creditUsedUnits;
  expect(await owed()).toBe(5);

  await net.topUp(friend.account.address, parseAmount('3'), 'main');
  const toViewer = {
    kind: 'transfer',
    place: 'services',
    to: viewer.account.address,
    token: 'XAT',
    amount: parseAmount('1'),
  };
  const { height } = await submit(friend, toViewer);
  expect(height).toBeGreaterThan(1);
  expect(await owed()).toBe(0);
  expect((await net.validator.chain.account(provider.account.address)).services.XAC).toBeGreaterThan(0n);
  await net.expectConserved();
});

it('an operation that is not the account’s own is refused by name, over the network too', async () => {
  const net = await useDevnet();
  const [thief, victim] = [await net.peer(), await net.peer()];
  await net.topUp(victim.account.address, parseAmount('3'), 'main');
  const theft = {
    kind: 'transfer',
    place: 'services',
    to: thief.account.address,
    token: 'XAT',
    amount: parseAmount('1'),
  };
  await expectAceRejection(
    'InvalidSignature',
    submit(thief, { ...theft, from: victim.account.address, to: thief.account.address }),
  );
  expect((await net.validator.chain.account(victim.account.address)).main.XAT).toBe(parseAmount('3'));
});
