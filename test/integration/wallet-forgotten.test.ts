/** A forgotten passphrase: the phrase of the same account sets a new one, and nothing is left behind. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openNodeStore } from '../../main/db/node/store.ts';
import { leaveDevice } from '../../main/wallet/lost-device.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { type Devnet, fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { waitFor } from '../helpers/wait.ts';
import { PASSPHRASE, type WalletNode, walletNode } from '../helpers/wallet-node.ts';

const NEW = 'another horse entirely';
const JUNK = 'test test test test test test test test test test test junk';
const MAY_WAIT = { wallet: { firstRun: true, mayWait: true } };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const reset = (node: WalletNode, phrase: string, remember = false) =>
  node.call('walletResetPassphrase', { phrase, passphrase: NEW, remember });
const phraseOf = async (node: WalletNode) =>
  (await node.call('walletPhrase', { passphrase: PASSPHRASE })).phrase;
const devices = async (node: WalletNode) => (await node.call('devices', {})).map(({ device }) => device);

/** A node that paid for 2 units, served 3 that it has not claimed, and broadcasts something. */
async function busyNode(net: Devnet) {
  const [provider, viewer] = [await net.peer('provider'), await net.peer('viewer')];
  const node = await walletNode(net, 'node', { passphrase: PASSPHRASE });
  const { peer } = node.node;
  await fetchWhole(peer, (await net.content(provider, 2 * MIB, 'bought')).contentId);
  await peer.claims.stop();
  const own = await net.content(peer, 3 * MIB, 'own');
  await fetchWhole(viewer, own.contentId);
  await waitFor('3 units earned', () => peer.store.payeeChannels.paidUnits() === 3);
  await peer.live.start('evening', null);
  const { account } = peer;
  return { provider, viewer, node, own, account, device: hex(peer.device.publicKey) };
}

describe('a passphrase that nobody knows any more', () => {
  it('is replaced by the phrase, with a new device that claims what the old one earned and pays nothing twice', async () => {
    const net = await useDevnet();
    const { provider, viewer, node, own, account, device } = await busyNode(net);
    const phrase = await phraseOf(node);
    const library = (await node.call('contents', {})).map(({ contentId }) => contentId);
    await node.stop();

    const locked = await walletNode(net, 'node', MAY_WAIT);
    expect(await locked.call('walletState', {})).toMatchObject({ status: 'locked', running: false });
    const other = await expectAceRejection('WalletInvalid', reset(locked, JUNK));
    expect(other.details).toMatchObject({ reason: 'other-account' });
    await expectAceRejection('WalletInvalid', reset(locked, phrase.split(' ').slice(1).join(' ')));
    await expectAceRejection('NotAllowed', reset(locked, phrase, true));
    expect((await locked.call('walletState', {})).running).toBe(false);

    const state = await reset(locked, ` ${phrase.toUpperCase()} `);
    expect(state).toMatchObject({
      status: 'unlocked',
      running: true,
      newDevice: true,
      phraseConfirmed: true,
    });
    const { peer } = locked.node;
    expect(peer.account.address).toBe(account.address);
    expect(hex(peer.device.publicKey)).not.toBe(device);
    expect(await devices(locked)).toContain(device);
    expect((await locked.call('contents', {})).map(({ contentId }) => contentId)).toEqual(library);
    // A broadcast can be continued by the device that began it alone: one of that name begins anew.
    expect(peer.store.broadcasts.own()).toEqual([]);
    expect((await peer.live.start('evening', null)).nextSequence).toBe(0);

    const claimed = () => peer.store.payeeChannels.all().map(({ claimedUnits }) => claimedUnits);
    await waitFor('the claims of the new device', () => claimed()[0] === 3);

    // Both ways on channels of the new device; those of before rest.
    const rested = [...peer.store.payerChannels.all(), ...peer.store.payeeChannels.all()];
    expect(rested.map(({ state: { status } }) => status)).not.toContain('open');
    const third = await net.content(provider, 4 * MIB, 'third');
    await fetchWhole(peer, third.contentId);
    expect(peer.store.payerChannels.revealedUnits()).toBe(2 + 4);
    const late = await net.peer('late');
    await fetchWhole(late, own.contentId);
    await waitFor('what was served again', () => peer.store.payeeChannels.paidUnits() === 3 + 3);

    // The old passphrase opens nothing, the new one does.
    await locked.call('walletLock', {});
    await expectAceRejection('WalletLocked', locked.call('walletUnlock', { passphrase: PASSPHRASE }));
    expect((await locked.call('walletUnlock', { passphrase: NEW })).status).toBe('unlocked');
    await peer.claims.now();
    await provider.claims.now();
    await provider.shardClient.call('settle', {});
    const owed = async (address: string) => (await net.validator.chain.account(address)).creditUsedUnits;
    expect(await owed(account.address)).toBe(2 + 4);
    expect(await owed(viewer.account.address)).toBe(3);
    expect(await owed(late.account.address)).toBe(3);
    expect(net.validatorErrors()).toEqual([]);
    expect(provider.warnings).toEqual([]);
    await net.expectConserved();
  });

  it('is replaced while the node runs locked: the device and its channels go on', async () => {
    const net = await useDevnet();
    const { provider, node, device } = await busyNode(net);
    const phrase = await phraseOf(node);
    await node.call('walletKeepDevice', { keep: true });
    await node.stop();

    const locked = await walletNode(net, 'node');
    expect(await locked.call('walletState', {})).toMatchObject({ status: 'locked', running: true });
    await expectAceRejection('WalletInvalid', reset(locked, JUNK));
    const { peer } = locked.node;
    const state = await reset(locked, phrase);
    expect(state).toMatchObject({ status: 'unlocked', running: true, newDevice: false, deviceKept: 'file' });
    expect(locked.node.peer).toBe(peer);
    expect(hex(peer.device.publicKey)).toBe(device);
    expect(peer.store.broadcasts.own()).toHaveLength(1);
    await fetchWhole(peer, (await net.content(provider, 1 * MIB, 'more')).contentId);
    const rows = [...peer.store.payerChannels.all(), ...peer.store.payeeChannels.all()];
    expect(rows.map(({ state: { status } }) => status)).not.toContain('expired');
    await locked.stop();
    // What was kept of the device holds with the new passphrase, too.
    const again = await walletNode(net, 'node');
    expect((await again.call('walletUnlock', { passphrase: NEW })).status).toBe('unlocked');
  });

  it('can be replaced again after a kill between the books and the wallet, or is remembered after all', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const { node, device } = await busyNode(net);
    const phrase = await phraseOf(node);
    await node.stop();
    const kill = () => {
      const store = openNodeStore(join(node.dir, 'node.db'));
      store.commit(() => leaveDevice(store, Date.now()));
      store.close();
    };
    kill();
    const recalled = await walletNode(net, 'node', { passphrase: PASSPHRASE });
    expect(hex(recalled.node.peer.device.publicKey)).toBe(device);
    await waitFor('its claims', () => recalled.node.peer.store.payeeChannels.all()[0]?.claimedUnits === 3);
    await recalled.stop();
    kill();
    const locked = await walletNode(net, 'node', MAY_WAIT);
    expect(await reset(locked, phrase)).toMatchObject({ running: true, newDevice: true });
    expect(locked.node.peer.store.payeeChannels.all()).toHaveLength(1);
  });

  it('is not replaced where nothing tells whose wallet it is', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node', { ...MAY_WAIT });
    await expectAceRejection('WalletMissing', reset(node, JUNK));
    await node.stop();
    // A network that never answered: there is a wallet, and no books.
    const gone = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGbJk9fKqZ3VxJ2mF6hT8sYpLrN4wQeXx7LmCdUvBaRtS';
    const first = await walletNode(net, 'unmet', { ...MAY_WAIT, joinMultiaddr: gone });
    await expectAceRejection(
      'ShardUnavailable',
      first.call('walletRestore', { phrase: JUNK, passphrase: PASSPHRASE }),
    );
    await first.stop();
    const locked = await walletNode(net, 'unmet', { ...MAY_WAIT, joinMultiaddr: gone });
    const error = await expectAceRejection('WalletInvalid', reset(locked, JUNK));
    expect(error.details).toEqual({ reason: 'owner-unknown' });
    expect(error.message).toContain(join(locked.dir, 'wallet.json'));
    expect(existsSync(join(locked.dir, 'wallet.json'))).toBe(true);
  });

  it('was the system’s, which lost it; what the system keeps is of the new one', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const stores = { secretStore: memoryStore(), deviceKeyStore: memoryStore() };
    const node = await walletNode(net, 'node', { ...MAY_WAIT, ...stores });
    await node.call('walletRestore', { phrase: JUNK, passphrase: null });
    await node.stop();
    stores.secretStore.kept = null;
    const lost = await walletNode(net, 'node', { ...MAY_WAIT, ...stores });
    expect(await lost.call('walletState', {})).toMatchObject({ status: 'locked', running: false });
    const state = await reset(lost, JUNK, true);
    expect(state).toMatchObject({ protection: 'passphrase', remembered: true, newDevice: true });
    expect(state.deviceKept).toBe('system');
    expect(stores.secretStore.kept).toBe(NEW);
    await lost.stop();
    const again = await walletNode(net, 'node', { ...MAY_WAIT, ...stores });
    expect(await again.call('walletState', {})).toMatchObject({ status: 'unlocked', running: true });
  });
});
