import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeBackup, readBackup } from '../../main/wallet/backup.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';
import { PASSPHRASE, walletNode } from '../helpers/wallet-node.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a backup that is old by the time it is restored', () => {
  it('claims what it can, pays on none of its channels, and harms neither side', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const customer = await net.peer('customer');
    const [first, second, third] = [
      await net.content(provider, 3 * MIB, 'first'),
      await net.content(provider, 2 * MIB, 'second'),
      await net.content(provider, 4 * MIB, 'third'),
    ];
    const old = await walletNode(net, 'old', { passphrase: PASSPHRASE });
    const { account, device } = old.node.peer;

    // It pays the provider, and is paid by the customer, whose ticks it has not handed in yet.
    await fetchWhole(old.node.peer, first.contentId);
    await old.node.peer.claims.stop();
    const served = await net.content(old.node.peer, 3 * MIB, 'served');
    const more = await net.content(old.node.peer, 2 * MIB, 'more');
    await fetchWhole(customer, served.contentId);
    await waitFor('3 units earned', () => old.node.peer.store.payeeChannels.paidUnits() === 3);

    const channels = old.node.peer.store.payerChannels.all();
    const file = join(net.dir, 'backup.json');
    await old.call('walletBackup', { path: file, passphrase: PASSPHRASE });
    const before = (await old.call('walletState', {})).lastBackupAtMs;
    expect(before).toBeGreaterThan(0);

    // Life goes on after it: the backup is old now.
    await fetchWhole(old.node.peer, second.contentId);
    await fetchWhole(customer, more.contentId);
    await waitFor('5 units earned', () => old.node.peer.store.payeeChannels.paidUnits() === 5);

    const content = await decodeBackup(await readBackup(file), PASSPHRASE, file);
    const everything = Buffer.from(
      JSON.stringify(content, (_, value) => (value instanceof Uint8Array ? hex(value) : value)),
    );
    expect(channels.length).toBeGreaterThan(0);
    for (const { pebbles } of channels) {
      // The anchor stands in the terms; the seed, from which every tick follows, stays behind.
      expect(everything.includes(hex(pebbles.slice(0, 32)))).toBe(true);
      expect(everything.includes(hex(pebbles.slice(-32)))).toBe(false);
    }
    expect(everything.includes(hex(device.seed()))).toBe(false);
    expect(readFileSync(file, 'utf8')).not.toContain(account.address.slice(2));

    // Restored on another machine while the first still runs: the worst case.
    const restored = await walletNode(net, 'restored', { wallet: { firstRun: true } });
    await expectAceRejection('WalletMissing', restored.call('snapshot', {}));
    const state = await restored.call('walletRestoreBackup', { path: file, passphrase: PASSPHRASE });
    expect(state).toMatchObject({ status: 'unlocked', running: true, phraseConfirmed: true });
    expect(state.restored).toMatchObject({ earningChannels: 1, unclaimedUnits: 3 });
    const { peer } = restored.node;
    expect(peer.account.address).toBe(account.address);
    expect(hex(peer.device.publicKey)).not.toBe(hex(device.publicKey));

    // What it earned up to the backup is claimed by the restored node; the rest by whoever has the ticks.
    await waitFor('the claims of the restored node', () => {
      const row = peer.store.payeeChannels.all()[0];
      return row !== undefined && row.claimedUnits === 3;
    });
    await old.node.peer.claims.now();

    // Both go on with the provider, each on channels of its own.
    const oldChannels = new Set(channels.map(({ state }) => hex(state.channelId)));
    await fetchWhole(peer, third.contentId);
    const paying = peer.store.payerChannels.all();
    for (const row of paying.filter(({ state }) => oldChannels.has(hex(state.channelId)))) {
      expect(row.pebbles.length).toBe(0);
      expect(['expired', 'closing', 'claimed', 'settled']).toContain(row.state.status);
      const now = old.node.peer.store.payerChannels.get(row.state.channelId);
      expect(row.state.revealedUnits).toBeLessThanOrEqual(now?.state.revealedUnits ?? 0);
    }
    const fresh = paying.filter(({ state }) => !oldChannels.has(hex(state.channelId)));
    expect(fresh.reduce((sum, { state }) => sum + state.revealedUnits, 0)).toBe(4);
    await fetchWhole(old.node.peer, third.contentId);

    await old.stop();
    await restored.stop();
    await provider.claims.now();
    await provider.shardClient.call('settle', {});
    expect(net.validatorErrors()).toEqual([]);
    expect(provider.warnings).toEqual([]);
    // 3 + 2 + 4 of the old node and 4 of the restored one; 5 that the customer owes.
    const owed = async (address: string) => (await net.validator.chain.account(address)).creditUsedUnits;
    expect(await owed(account.address)).toBe(13);
    expect(await owed(customer.account.address)).toBe(5);
    await net.expectConserved();
  });

  it('comes back with the same books after it was killed in the middle', async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const { contentId } = await net.content(provider, 2 * MIB);
    const old = await walletNode(net, 'old', { passphrase: PASSPHRASE });
    await fetchWhole(old.node.peer, contentId);
    const file = join(net.dir, 'backup.json');
    await old.call('walletBackup', { path: file, passphrase: PASSPHRASE });
    await old.stop();

    const half = await walletNode(net, 'half', { wallet: { firstRun: true } });
    await half.call('walletRestoreBackup', { path: file, passphrase: PASSPHRASE });
    const channels = half.node.peer.store.payerChannels.all().length;
    await half.stop();
    // Books that are written, and no wallet yet: it is done again.
    const again = await walletNode(net, 'again', { wallet: { firstRun: true } });
    copyFileSync(join(half.dir, 'node.db'), join(again.dir, 'node.db'));
    await expectAceRejection('WalletInvalid', again.call('walletCreate', {}));
    const state = await again.call('walletRestoreBackup', { path: file, passphrase: PASSPHRASE });
    expect(state.running).toBe(true);
    expect(again.node.peer.store.payerChannels.all()).toHaveLength(channels);
  });
});

describe('restoring a backup', () => {
  it('says in one sentence what is wrong, and changes nothing', async () => {
    const net = await useDevnet();
    const old = await walletNode(net, 'old', { passphrase: PASSPHRASE });
    const file = join(net.dir, 'backup.json');
    await expectAceRejection('WalletLocked', old.call('walletBackup', { path: file, passphrase: 'wrong' }));
    const { base64 } = await old.call('walletBackup', { passphrase: PASSPHRASE });
    const text = Buffer.from(base64 ?? '', 'base64').toString();
    const waiting = await walletNode(net, 'new', { wallet: { firstRun: true } });
    const restore = (content: string, passphrase = PASSPHRASE) =>
      waiting.call('walletRestoreBackup', { base64: Buffer.from(content).toString('base64'), passphrase });

    const wrong = await expectAceRejection('WalletLocked', restore(text, 'wrong horse'));
    expect(wrong.message).toBe('The passphrase is wrong');
    for (const damaged of [text.slice(0, 200), text.replace(/"tag":"./, '"tag":"x'), 'no json', '{}']) {
      const error = await expectAceRejection('WalletInvalid', restore(damaged));
      expect(error.details).toEqual({ reason: 'damaged' });
    }
    const newer = await expectAceRejection(
      'WalletInvalid',
      restore(text.replace('"version":1', '"version":2')),
    );
    expect(newer.message).toContain('newer Ace Node');
    await expectAceRejection(
      'FileMissing',
      waiting.call('walletRestoreBackup', { path: join(net.dir, 'none.json'), passphrase: PASSPHRASE }),
    );
    expect(await waiting.call('walletState', {})).toMatchObject({ status: 'none', running: false });
    expect((await restore(text)).status).toBe('unlocked');
    await expectAceRejection('WalletInvalid', restore(text));
    await expectAceRejection(
      'InvalidInput',
      old.call('walletBackup', { path: join(net.dir, 'old', 'node.db'), passphrase: PASSPHRASE }),
    );
  });
});
