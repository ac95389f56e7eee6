import { describe, expect, it } from 'vitest';
import { FirstRun, passphraseTrouble } from '../../../../renderer/state/first-run.svelte.ts';
import { WalletState } from '../../../../renderer/state/wallet.svelte.ts';
import type { WalletStateView } from '../../../../shared/rpc/wallet.ts';
import { aWallet, TestNode } from './test-node.ts';

async function aRun(fixed = false) {
  const node = new TestNode();
  const wallet = new WalletState(node.client);
  const run = new FirstRun(node.client, wallet);
  const loaded = run.loadNetwork();
  node.answer('networkChoice', { mode: 'devnet', multiaddr: null, fixed });
  await loaded;
  return { node, wallet, run };
}

/** At the step where the words of the phrase are confirmed. */
async function confirming() {
  const parts = await aRun();
  const created = parts.run.create();
  parts.node.answer('walletCreate', { phrase: 'one two three', confirmPositions: [2, 3] });
  await created;
  parts.run.go('confirm');
  return parts;
}

describe('FirstRun', () => {
  it('counts the steps of making a wallet as one', async () => {
    const { run } = await aRun();
    expect([run.number, run.count]).toEqual([1, 4]);
    for (const step of ['wallet', 'phrase', 'confirm'] as const) {
      run.go(step);
      expect(run.number).toBe(2);
    }
  });

  it('chooses the network before the wallet, where it can still be chosen', async () => {
    const { node, run } = await aRun();
    const begun = run.begin('/ip4/127.0.0.1/tcp/1');
    node.answer('reachNetwork', {});
    await expect.poll(() => node.of('chooseNetwork').length).toBe(1);
    node.answer('chooseNetwork', { mode: 'joined', multiaddr: '/ip4/127.0.0.1/tcp/1', fixed: false });
    await begun;
    expect(run).toMatchObject({ step: 'wallet', network: { mode: 'joined' } });
    const fixed = await aRun(true);
    await fixed.run.begin(null);
    expect(fixed.node.of('chooseNetwork')).toHaveLength(0);
    expect(fixed.run.step).toBe('wallet');
  });

  it('makes no wallet for a network that nobody answers for', async () => {
    const { node, run } = await aRun();
    const begun = run.begin('/ip4/127.0.0.1/tcp/1');
    node.refuse('reachNetwork', 'ShardUnavailable');
    await begun;
    expect(run.step).toBe('welcome');
    expect(run.trouble).toContain('Nothing answers at this address');
    expect(node.of('chooseNetwork')).toHaveLength(0);
  });

  it('asks for the words at their positions, and takes over the wallet that is made', async () => {
    const { node, wallet, run } = await confirming();
    const confirmed = run.confirm([' Two ', 'THREE'], null, false);
    expect(node.inputs('walletConfirm')).toEqual([
      {
        words: [
          { position: 2, word: 'two' },
          { position: 3, word: 'three' },
        ],
        passphrase: null,
        remember: false,
      },
    ]);
    node.answer('walletConfirm', aWallet);
    await confirmed;
    expect(run).toMatchObject({ step: 'limits', draft: null, trouble: null });
    expect(wallet.view).toEqual(aWallet);
  });

  it('stays where it is and says what is wrong, until another step', async () => {
    const { node, run } = await confirming();
    const confirmed = run.confirm(['two', 'four'], null, false);
    node.refuse('walletConfirm', 'WalletInvalid', { reason: 'confirm' });
    await confirmed;
    expect(run).toMatchObject({ step: 'confirm', busy: false });
    expect(run.trouble).not.toBeNull();
    run.go('phrase');
    expect(run.trouble).toBeNull();
  });

  it('says what cannot be right without asking the node, until the node is asked', async () => {
    const { node, run } = await confirming();
    run.refuse('too short');
    expect(run.trouble).toBe('too short');
    void run.restore('a phrase', null, false);
    expect(run.trouble).toBeNull();
    expect(node.of('walletRestore')).toHaveLength(1);
  });

  it('does one thing at a time', async () => {
    const { node, run } = await aRun();
    const first = run.restore('a phrase', null, false);
    await run.join('a certificate', null, false);
    expect(node.of('walletJoin')).toHaveLength(0);
    node.answer('walletRestore', aWallet);
    await first;
    expect(run.step).toBe('limits');
  });

  it('goes on with the limits when a wallet is opened on the way, and not when a made one is', async () => {
    const { node, run } = await aRun(true);
    const opened = run.unlock('secret', true);
    node.answer('walletUnlock', aWallet);
    await opened;
    expect(run.step).toBe('welcome');
    run.go('wallet');
    const again = run.startAgain(null);
    await expect.poll(() => node.of('walletStart').length).toBe(1);
    node.answer('walletStart', aWallet);
    await again;
    expect(run.step).toBe('limits');
  });

  it('waits with a wallet that does not run for as long as it is opened, and not with one that is made', async () => {
    const { node, wallet, run } = await aRun(true);
    const see = (view: Partial<WalletStateView>) => {
      wallet.view = { ...aWallet, running: false, ...view };
    };
    see({ status: 'locked' });
    const opened = run.unlock('secret', false);
    expect(run).toMatchObject({ waits: true, opening: true });
    see({ status: 'unlocked' });
    expect(run).toMatchObject({ waits: true, opening: true });
    node.answer('walletUnlock', aWallet);
    await opened;
    expect(run).toMatchObject({ waits: false, opening: false });

    see({ status: 'unlocked', failure: { code: 'ShardUnavailable', message: '' } });
    const again = run.startAgain(null);
    expect(run).toMatchObject({ waits: true, busy: true });
    await expect.poll(() => node.of('walletStart').length).toBe(1);
    node.answer('walletStart', aWallet);
    await again;

    see({ status: 'none' });
    const made = run.restore('a phrase', null, false);
    see({ status: 'unlocked' });
    expect(run.waits).toBe(false);
    node.answer('walletRestore', aWallet);
    await made;
  });

  it('hands a backup over as base64', async () => {
    const { node, run } = await aRun();
    const restored = run.restoreBackup(new File(['wallet'], 'backup.json'), 'secret', false);
    await expect
      .poll(() => node.inputs('walletRestoreBackup'))
      .toEqual([{ base64: btoa('wallet'), passphrase: 'secret', remember: false }]);
    node.answer('walletRestoreBackup', aWallet);
    await restored;
    expect(run.step).toBe('limits');
  });

  it('has the key of this device, or says why it has none', async () => {
    const { node, run } = await aRun();
    const known = run.deviceKey();
    node.answer('deviceRequest', { device: 'ab' });
    expect(await known).toBe('ab');
    const unknown = run.deviceKey();
    node.refuse('deviceRequest', 'Internal');
    expect(await unknown).toBeNull();
    expect(run.trouble).not.toBeNull();
  });
});

describe('a new passphrase', () => {
  it('may be left out only where none is needed', () => {
    expect(passphraseTrouble('', '', true)).toBeNull();
    // Asked for in words that are right of a wallet, a backup and a new passphrase alike.
    expect(passphraseTrouble('', '', false)).toBe('Choose a passphrase of 8 characters or more.');
  });

  it('is long enough, and the same twice', () => {
    expect(passphraseTrouble('short', 'short', true)).not.toBeNull();
    expect(passphraseTrouble('long enough for it', 'long enough for it!', false)).not.toBeNull();
    expect(passphraseTrouble('long enough for it', 'long enough for it', false)).toBeNull();
  });
});
