import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { waitFor } from '../helpers/wait.ts';
import { PASSPHRASE, walletNode } from '../helpers/wallet-node.ts';

/** Long enough for an operation on a busy machine. */
const LOCK_AFTER_MS = 6_000;

const FRIEND = `0x${'1'.repeat(40)}`;
const JUNK = 'test test test test test test test test test test test junk';
/** Of that phrase, as Hardhat and Anvil publish it. */
const JUNK_ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
const FIRST_RUN = { wallet: { firstRun: true, mayWait: true } };
const soon = () => Date.now() + 60_000;
const send = { to: FRIEND, token: 'XAT' as const, amount: '0.1' };

describe('a first run', () => {
  it('waits with its pages, shows a phrase once, and starts when words of it are typed back', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node', FIRST_RUN);
    const told: WalletStateView[] = [];
    node.node.service.onFeed((topic, data) => {
      if (topic === 'wallet') told.push(data as WalletStateView);
    });
    expect(await node.call('walletState', {})).toMatchObject({
      status: 'none',
      running: false,
      address: null,
    });
    for (const procedure of ['snapshot', 'contents', 'receive'] as const) {
      await expectAceRejection('WalletMissing', node.call(procedure, {}));
    }
    await expectAceRejection('WalletInvalid', node.call('walletConfirm', { words: [], passphrase: null }));

    const { phrase, confirmPositions } = await node.call('walletCreate', { words: 24 });
    const words = phrase.split(' ');
    expect(words).toHaveLength(24);
    const typed = confirmPositions.map((position) => ({ position, word: words[position - 1] ?? '' }));
    const wrong = typed.map((one, i) => (i === 1 ? { ...one, word: 'zebra' } : one));
    const error = await expectAceRejection(
      'WalletInvalid',
      node.call('walletConfirm', { words: wrong, passphrase: PASSPHRASE }),
    );
    expect(error.details).toEqual({ reason: 'confirm', position: confirmPositions[1] });
    await expectAceRejection(
      'InvalidInput',
      node.call('walletConfirm', { words: typed, passphrase: 'short' }),
    );
    expect((await node.call('walletState', {})).status).toBe('none');

    const state = await node.call('walletConfirm', { words: typed, passphrase: PASSPHRASE });
    expect(state).toMatchObject({
      status: 'unlocked',
      running: true,
      protection: 'passphrase',
      phraseConfirmed: true,
    });
    expect(told.at(-1)).toMatchObject({ running: true });
    expect((await node.call('snapshot', {})).account).toBe(state.address?.toLowerCase());
    expect((await node.call('walletPhrase', { passphrase: PASSPHRASE })).phrase).toBe(phrase);
    await expectAceRejection('WalletLocked', node.call('walletPhrase', { passphrase: 'wrong horse' }));
    await expectAceRejection('WalletInvalid', node.call('walletCreate', {}));
    await expectAceRejection(
      'WalletInvalid',
      node.call('walletRestore', { phrase: JUNK, passphrase: PASSPHRASE }),
    );
  });

  it('restores the published account of a phrase, and says which word is wrong', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node', FIRST_RUN);
    const restore = (phrase: string) => node.call('walletRestore', { phrase, passphrase: PASSPHRASE });
    const unknown = await expectAceRejection('WalletInvalid', restore(JUNK.replace('junk', 'jnuk')));
    expect(unknown.details).toEqual({ reason: 'unknown-word', position: 12 });
    const swapped = JUNK.replace('test junk', 'junk test');
    expect((await expectAceRejection('WalletInvalid', restore(swapped))).message).toContain(
      'two are swapped',
    );
    await expectAceRejection('WalletInvalid', restore('test test'));
    const state = await restore(` ${JUNK.toUpperCase()} `);
    expect(state).toMatchObject({ address: JUNK_ADDRESS, running: true, phraseConfirmed: true });
  });

  it('keeps its wallet when the network cannot be reached, and starts when it can', async () => {
    const net = await useDevnet();
    const gone = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGbJk9fKqZ3VxJ2mF6hT8sYpLrN4wQeXx7LmCdUvBaRtS';
    const node = await walletNode(net, 'node', { ...FIRST_RUN, joinMultiaddr: gone });
    await expectAceRejection(
      'ShardUnavailable',
      node.call('walletRestore', { phrase: JUNK, passphrase: PASSPHRASE }),
    );
    expect(await node.call('walletState', {})).toMatchObject({
      running: false,
      status: 'unlocked',
      failure: { code: 'ShardUnavailable' },
    });
    await expectAceRejection('ShardUnavailable', node.call('walletStart', {}));
    await node.stop();
    // A start that is not told it again must not make a devnet.
    const wanted = join(node.dir, 'network-wanted.json');
    expect(JSON.parse(readFileSync(wanted, 'utf8'))).toEqual({ mode: 'joined', multiaddr: gone });
    const again = await walletNode(net, 'node', { ...FIRST_RUN, passphrase: PASSPHRASE });
    expect(existsSync(wanted)).toBe(false);
    expect(await again.call('walletState', {})).toMatchObject({ running: true, address: JUNK_ADDRESS });
  });

  it('without a passphrase of one’s own uses the system’s key store, and opens by itself next time', async () => {
    const net = await useDevnet();
    const secretStore = memoryStore();
    const node = await walletNode(net, 'node', { ...FIRST_RUN, secretStore });
    const state = await node.call('walletRestore', { phrase: JUNK, passphrase: null });
    expect(state).toMatchObject({ protection: 'system', remembered: true, status: 'unlocked' });
    expect(secretStore.kept).toHaveLength(43);
    expect(readFileSync(join(node.dir, 'wallet.json'), 'utf8')).not.toContain('junk');
    await node.call('walletLock', {});
    expect((await node.call('walletUnlock', { passphrase: '' })).status).toBe('unlocked');
    await node.stop();
    const again = await walletNode(net, 'node', { ...FIRST_RUN, secretStore });
    expect(await again.call('walletState', {})).toMatchObject({ running: true, remembered: true });
    await again.stop();
    secretStore.kept = null;
    const lost = await walletNode(net, 'node', { ...FIRST_RUN, secretStore });
    const error = await expectAceRejection('WalletLocked', lost.call('walletUnlock', { passphrase: '' }));
    expect(error.message).toContain('restore the wallet from its phrase');
  });
});

describe('a locked wallet', () => {
  it('signs nothing, while channels go on; it unlocks with its passphrase only', async () => {
    const net = await useDevnet();
    const provider = await net.peer();
    const node = await walletNode(net, 'node', { passphrase: PASSPHRASE });
    await node.call('topUp', { amountXat: '1', place: 'main' });
    await node.call('topUp', { amountXat: '1' });
    expect((await node.call('walletLock', {})).status).toBe('locked');
    expect((await node.call('quoteSend', send)).holdingsAfter.main.XAT).toBe('0.9000000');
    const asking = {
      send: () => node.call('send', { ...send, expiresAtMs: soon() }),
      mint: () => node.call('mint', { amountXat: '1', maxXab: '1', expiresAtMs: soon() }),
      link: () => node.call('deviceLink', { device: Buffer.from(provider.device.publicKey).toString('hex') }),
    };
    await expectAceRejection('WalletLocked', asking.send());
    await expectAceRejection('WalletLocked', asking.link());
    expect((await node.call('snapshot', {})).holdings.main.XAT).toBe('1.0000000');

    const { contentId } = await net.content(provider, 3 * MIB);
    await fetchWhole(node.node.peer, contentId);

    await expectAceRejection('WalletLocked', node.call('walletUnlock', { passphrase: 'wrong horse' }));
    expect((await node.call('walletState', {})).status).toBe('locked');
    const state = await node.call('walletUnlock', { passphrase: PASSPHRASE, lockAfterMinutes: 5 });
    expect(state.status).toBe('unlocked');
    expect(state.locksAtMs).toBeGreaterThan(Date.now() + 4 * 60_000);
    await asking.send();
  });

  it('is what an unlocked one becomes by itself, and the time begins anew with each operation', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node', { passphrase: PASSPHRASE });
    await node.call('topUp', { amountXat: '1', place: 'main' });
    const { wallet } = node.node.wallet;
    wallet?.setLockAfter(LOCK_AFTER_MS);
    const first = wallet?.locksAtMs ?? 0;
    await waitFor('a part of the time is over', () => Date.now() > first - LOCK_AFTER_MS + 700);
    await node.call('send', { ...send, expiresAtMs: soon() });
    expect(wallet?.locksAtMs).toBeGreaterThan(first + 500);
    await waitFor('the lock', async () => (await node.call('walletState', {})).status === 'locked');
    await expectAceRejection('WalletLocked', node.call('send', { ...send, expiresAtMs: soon() }));
    expect(await node.call('walletLockAfter', { lockAfterMinutes: null })).toMatchObject({
      lockAfterMinutes: null,
    });
    await node.call('walletUnlock', { passphrase: PASSPHRASE });
    expect((await node.call('walletState', {})).locksAtMs).toBeNull();
  });

  it('has its node wait at the next start, or fail where nobody could unlock it', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node', { passphrase: PASSPHRASE });
    const { address } = await node.call('walletState', {});
    await node.stop();
    await expectAceRejection('WalletLocked', walletNode(net, 'node'));
    await expectAceRejection('WalletLocked', walletNode(net, 'node', { passphrase: 'wrong horse' }));
    const waiting = await walletNode(net, 'node', FIRST_RUN);
    expect(await waiting.call('walletState', {})).toMatchObject({ status: 'locked', running: false });
    await expectAceRejection('WalletLocked', waiting.call('snapshot', {}));
    await expectAceRejection('WalletLocked', waiting.call('walletUnlock', { passphrase: 'wrong horse' }));
    expect(await waiting.call('walletUnlock', { passphrase: PASSPHRASE })).toMatchObject({
      status: 'unlocked',
      running: true,
      address,
    });
  });
});

describe('a change of passphrase', () => {
  it('gives a wallet its first, then another; the old one opens nothing any more', async () => {
    const net = await useDevnet();
    const node = await walletNode(net, 'node');
    expect(await node.call('walletState', {})).toMatchObject({ status: 'plain', phraseConfirmed: false });
    await expectAceRejection('WalletInvalid', node.call('walletLock', {}));
    const { phrase } = await node.call('walletPhrase', { passphrase: null });
    const first = await node.call('walletChangePassphrase', { current: null, next: PASSPHRASE });
    expect(first).toMatchObject({ status: 'unlocked', protection: 'passphrase' });
    expect(readFileSync(join(node.dir, 'wallet.json'), 'utf8')).not.toContain(
      // One word alone may stand there by chance, in a key of the JSON or in hex.
      phrase.split(' ').slice(0, 2).join(' '),
    );
    await expectAceRejection(
      'WalletLocked',
      node.call('walletChangePassphrase', { current: 'wrong horse', next: 'another horse' }),
    );
    await node.call('walletChangePassphrase', { current: PASSPHRASE, next: 'another horse' });
    await node.call('walletLock', {});
    await expectAceRejection('WalletLocked', node.call('walletUnlock', { passphrase: PASSPHRASE }));
    expect((await node.call('walletUnlock', { passphrase: 'another horse' })).status).toBe('unlocked');
  });
});

describe('a second device without the phrase', () => {
  it('streams for the account that linked it, signs nothing, and gets no lease once it is unlinked', async () => {
    const net = await useDevnet();
    const provider = await net.peer();
    const owner = await walletNode(net, 'owner', { passphrase: PASSPHRASE });
    const second = await walletNode(net, 'second', FIRST_RUN);
    const request = await second.call('deviceRequest', {});
    expect(await second.call('deviceRequest', {})).toEqual(request);
    await expectAceRejection('InvalidInput', owner.call('deviceLink', { device: 'nonsense' }));
    const { certificate } = await owner.call('deviceLink', { device: request.device });

    const stranger = await walletNode(net, 'stranger', FIRST_RUN);
    await expectAceRejection(
      'InvalidCertificate',
      stranger.call('walletJoin', { certificate, passphrase: null }),
    );
    await expectAceRejection(
      'InvalidCertificate',
      second.call('walletJoin', { certificate: 'zz', passphrase: null }),
    );
    const state = await second.call('walletJoin', { certificate, passphrase: PASSPHRASE });
    const { address } = await owner.call('receive', {});
    expect(state).toMatchObject({ status: 'device', running: true, address });

    const { contentId } = await net.content(provider, 2 * MIB, 'one');
    await fetchWhole(second.node.peer, contentId);
    await owner.call('topUp', { amountXat: '1', place: 'main' });
    await expectAceRejection('NotAllowed', second.call('send', { ...send, expiresAtMs: soon() }));
    await expectAceRejection('NotAllowed', second.call('walletPhrase', { passphrase: PASSPHRASE }));

    const devices = await owner.call('devices', {});
    expect(devices.map(({ thisDevice, state }) => [thisDevice, state])).toEqual([
      [true, 'unnamed'],
      [false, 'linked'],
    ]);
    await expectAceRejection('NotAllowed', owner.call('deviceUnlink', { device: devices[0]?.device ?? '' }));
    await owner.call('deviceUnlink', { device: request.device });
    expect((await owner.call('devices', {}))[1]?.state).toBe('unlinked');
    // It may pay on what it has leased; it gets no new lease.
    await second.stop();
    const again = await walletNode(net, 'second', { passphrase: PASSPHRASE });
    const other = await net.peer('other-provider');
    const next = await net.content(other, 2 * MIB, 'two');
    const transfer = await again.node.peer.library.transfer(next.contentId);
    transfer.download();
    await waitFor('the refusal', () => transfer.reason !== null);
    expect(transfer.reason?.code).toBe('LeaseRefused');
    expect(transfer.haveBytes).toBe(0);
    // Nor does it get anything for nothing any more, as devices of one account do.
    const own = await net.content(owner.node.peer, 2 * MIB, 'three');
    const asked = await again.node.peer.library.transfer(own.contentId);
    asked.download();
    await waitFor('the refusal', () => asked.reason !== null);
    expect(asked.haveBytes).toBe(0);
  });
});
