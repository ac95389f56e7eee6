import { describe, expect, it, vi } from 'vitest';
import { WalletState } from '../../../../renderer/state/wallet.svelte.ts';
import { aWallet, startFor, TestNode } from './test-node.ts';

const locked = { ...aWallet, status: 'locked' as const };

function aState(connected = true) {
  const node = new TestNode({ connected });
  const wallet = new WalletState(node.client);
  const onRunning = vi.fn();
  startFor(() => wallet.start(onRunning));
  return { node, wallet, onRunning };
}

describe('WalletState', () => {
  it('asks at every connection, and not before there is one', async () => {
    const { node } = aState(false);
    expect(node.of('walletState')).toHaveLength(0);
    node.connect();
    expect(node.of('walletState')).toHaveLength(1);
    node.connect(false);
    node.connect();
    expect(node.of('walletState')).toHaveLength(2);
  });

  it('follows the feed', () => {
    const { node, wallet } = aState();
    node.feed('wallet', { ...locked, protection: 'passphrase', systemStore: { usable: true, why: null } });
    expect(wallet).toMatchObject({ locked: true, asksPassphrase: true, systemStoreUsable: true });
    node.feed('wallet', { ...aWallet, protection: 'none' });
    expect(wallet).toMatchObject({ locked: false, asksPassphrase: false, systemStoreUsable: false });
  });

  it('reports once that the node begins to run, and again at a new connection', async () => {
    const { node, wallet, onRunning } = aState();
    node.feed('wallet', { ...locked, running: false });
    expect(onRunning).not.toHaveBeenCalled();
    node.feed('wallet', aWallet);
    node.feed('wallet', locked);
    expect(onRunning).toHaveBeenCalledTimes(1);
    node.connect(false);
    node.connect();
    node.answer('walletState', aWallet);
    await vi.waitFor(() => expect(wallet.locked).toBe(false));
    expect(onRunning).toHaveBeenCalledTimes(2);
  });

  it('hears nothing once it is stopped', () => {
    const node = new TestNode();
    const wallet = new WalletState(node.client);
    wallet.start(() => {})();
    node.feed('wallet', locked);
    expect(wallet.view).toBeNull();
  });

  it('says why it does not know the wallet, until it does', async () => {
    const { node, wallet } = aState();
    node.refuse('walletState', 'Internal');
    await vi.waitFor(() => expect(wallet.loadFailure).not.toBeNull());
    const loaded = wallet.load();
    node.answer('walletState', aWallet);
    await loaded;
    expect(wallet).toMatchObject({ loadFailure: null, view: aWallet });
  });

  it('is unlocked with the passphrase, and takes over what the node answers', async () => {
    const { node, wallet } = aState();
    node.feed('wallet', locked);
    const opened = wallet.unlock('secret');
    expect(wallet.busy).toBe(true);
    expect(node.inputs('walletUnlock')).toEqual([{ passphrase: 'secret' }]);
    node.answer('walletUnlock', aWallet);
    expect(await opened).toBe(true);
    expect(wallet).toMatchObject({ busy: false, locked: false, failure: null });
  });

  it('counts as unlocked also when the feed is first with the news and the form goes', async () => {
    const { node, wallet } = aState();
    node.feed('wallet', locked);
    const opened = wallet.unlock('secret');
    node.feed('wallet', aWallet);
    wallet.clearFailure();
    node.answer('walletUnlock', aWallet);
    expect(await opened).toBe(true);
  });

  it('stays locked with a wrong passphrase, and says so until that is cleared', async () => {
    const { node, wallet } = aState();
    node.feed('wallet', locked);
    const opened = wallet.unlock('wrong');
    node.refuse('walletUnlock', 'WalletLocked');
    expect(await opened).toBe(false);
    expect(wallet.locked).toBe(true);
    expect(wallet.failure).toBe('That is not the passphrase.');
    wallet.clearFailure();
    expect(wallet.failure).toBeNull();
  });

  it('hands the error of a change to the caller and keeps what it knew', async () => {
    const { node, wallet } = aState();
    node.feed('wallet', aWallet);
    const changed = wallet.change('walletLockAfter', { lockAfterMinutes: 5 });
    node.refuse('walletLockAfter', 'NotAllowed');
    await expect(changed).rejects.toMatchObject({ code: 'NotAllowed' });
    expect(wallet.view).toEqual(aWallet);
  });
});
