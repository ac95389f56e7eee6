/** A node whose wallet is locked since its start: with the device's key, which was kept, it does all but sign for the account. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PLACES } from '../../shared/economy/holdings.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, settleUp, useDevnet } from '../helpers/devnet.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { PASSPHRASE, walletNode } from '../helpers/wallet-node.ts';

const MAY_WAIT = { wallet: { firstRun: true, mayWait: true } };
const send = { to: `0x${'1'.repeat(40)}`, token: 'XAT' as const, amount: '0.1' };

it('shares, earns and pays after a restart, and asks for the passphrase where the account signs', async () => {
  const net = await useDevnet();
  const [provider, viewer] = [await net.peer('provider'), await net.peer('viewer')];
  const node = await walletNode(net, 'node', { passphrase: PASSPHRASE });
  for (const place of PLACES) await node.call('topUp', { amountXat: '1', place });
  const own = await net.content(node.node.peer, 3 * MIB, 'own');
  const { deviceKept, address } = await node.call('walletState', {});
  expect(deviceKept).toBeNull(); // in a file it lies by its owner's choice only
  expect(await node.call('walletKeepDevice', { keep: true })).toMatchObject({ deviceKept: 'file' });
  const file = join(node.dir, 'device-key.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await node.stop();

  const again = await walletNode(net, 'node');
  expect(await again.call('walletState', {})).toMatchObject({ status: 'locked', running: true, address });
  await fetchWhole(viewer, own.contentId);
  await settleUp(viewer, again.node.peer, own.contentId);
  expect(again.node.peer.store.payeeChannels.paidUnits()).toBe(3);
  const { contentId } = await net.content(provider, 2 * MIB, 'theirs');
  await fetchWhole(again.node.peer, contentId);
  expect(again.node.peer.store.payerChannels.revealedUnits()).toBe(2);

  const { expiresAtMs } = await again.call('quoteSend', send);
  await expectAceRejection('WalletLocked', again.call('send', { ...send, expiresAtMs }));
  await expectAceRejection('WalletLocked', again.call('walletUnlock', { passphrase: 'wrong horse' }));
  expect((await again.call('walletUnlock', { passphrase: PASSPHRASE })).status).toBe('unlocked');
  await again.call('send', { ...send, expiresAtMs });

  expect(await again.call('walletKeepDevice', { keep: false })).toMatchObject({ deviceKept: null });
  expect(existsSync(file)).toBe(false);
  await again.stop();
  await expectAceRejection('WalletLocked', walletNode(net, 'node'));
});

it('keeps the key in the system’s store unasked, unless its owner has said no', async () => {
  const net = await useDevnet();
  const stores = { secretStore: memoryStore(), deviceKeyStore: memoryStore() };
  const node = await walletNode(net, 'node', { ...stores, passphrase: PASSPHRASE });
  expect(await node.call('walletState', {})).toMatchObject({ deviceKept: 'system', remembered: false });
  expect(existsSync(join(node.dir, 'device-key.json'))).toBe(false);
  await node.stop();
  const again = await walletNode(net, 'node', { ...MAY_WAIT, ...stores });
  expect(await again.call('walletState', {})).toMatchObject({ status: 'locked', running: true });
  await again.call('walletKeepDevice', { keep: false });
  await again.call('walletUnlock', { passphrase: PASSPHRASE });
  await again.stop();
  const third = await walletNode(net, 'node', { ...stores, passphrase: PASSPHRASE });
  expect((await third.call('walletState', {})).deviceKept).toBeNull();
});

it('waits for the passphrase where the kept key is damaged, and keeps nothing of a wallet that needs none', async () => {
  const net = await useDevnet();
  const plain = await walletNode(net, 'plain');
  await expectAceRejection('NotAllowed', plain.call('walletKeepDevice', { keep: true }));
  const node = await walletNode(net, 'node', { passphrase: PASSPHRASE });
  await node.call('walletKeepDevice', { keep: true });
  await node.stop();
  const file = join(node.dir, 'device-key.json');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -40));
  const waiting = await walletNode(net, 'node', MAY_WAIT);
  expect(await waiting.call('walletState', {})).toMatchObject({ status: 'locked', running: false });
  expect(await waiting.call('walletUnlock', { passphrase: PASSPHRASE })).toMatchObject({ running: true });
});
