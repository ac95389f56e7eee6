/**
 * The built main bundle on a double of the `electron` module, at its first start: the window asks for a wallet, nothing
 * runs until there is one, and the system's key store is used where it protects something.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createDevice } from '../../main/wallet/device.ts';
import { peerIdOf } from '../../main/wallet/device-peer-id.ts';
import type { Input, NodeSnapshot, Output, Procedure } from '../../shared/rpc/rpc.ts';
import type { NavigateView, ShellView } from '../../shared/rpc/shell.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import { DoubleApp, endAll, type StartOptions, temporaryHome } from '../helpers/electron-double/app.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { waitFor } from '../helpers/wait.ts';

const LINK = 'acestream://bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const PASSPHRASE = 'correct horse battery';
/** Nobody is there: the port is never given to a program. */
const NOBODY = `/ip4/127.0.0.1/tcp/1/p2p/${peerIdOf(createDevice().publicKey)}`;

afterEach(endAll);

async function start(options: StartOptions = {}): Promise<DoubleApp> {
  const app = await new DoubleApp(options).up();
  if ((await app.windows()) > 0) await waitFor('a page', async () => (await app.told('shell')).length > 0);
  return app;
}

async function call<P extends Procedure>(app: DoubleApp, procedure: P, input: Input<P>): Promise<Output<P>> {
  const reply = await app.call<{ output: Output<P>; error?: { message: string } }>(procedure, input);
  if (reply.error) throw Object.assign(new Error(reply.error.message), reply.error);
  return reply.output;
}

/** Makes a wallet as the pages do: its phrase is shown, and words of it typed back. */
async function makeWallet(
  app: DoubleApp,
  given: Partial<Input<'walletConfirm'>> = {},
): Promise<{ phrase: string; state: WalletStateView }> {
  const { phrase, confirmPositions } = await call(app, 'walletCreate', {});
  const words = confirmPositions.map((position) => ({
    position,
    word: phrase.split(' ')[position - 1] ?? '',
  }));
  return { phrase, state: await call(app, 'walletConfirm', { words, passphrase: null, ...given }) };
}

const walletOf = async (app: DoubleApp) => (await app.told<WalletStateView>('wallet')).at(-1);
const inData = (app: DoubleApp, ...names: string[]) =>
  names.filter((name) => existsSync(join(app.dataDir, name)));
/** Sockets that others can connect to. */
const listening = (app: DoubleApp) =>
  app.run<number>(
    "return process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length",
  );

describe('the desktop app without a wallet', () => {
  it('shows its pages and waits: no peer, no books, no wallet of its own making', async () => {
    const app = await start();
    expect(await app.windows()).toBe(1);
    const page = await app.run<{ status: number; body: string }>(`
      const r = await electron.protocol.handlers.get('app')(new Request('app://ace-node/'));
      return { status: r.status, body: await r.text() }`);
    expect(page.status).toBe(200);
    expect(page.body).toContain('id="app"');
    const wallet = await waitFor('the page is told what the node waits for', () => walletOf(app));
    expect(wallet).toMatchObject({ status: 'none', running: false, failure: null, address: null });
    expect(await app.told('snapshot')).toEqual([]);
    for (const procedure of ['snapshot', 'contents', 'receive'] as const)
      await expect(call(app, procedure, {})).rejects.toMatchObject({ code: 'WalletMissing' });
    expect(await listening(app), 'its pages alone').toBe(1);
    expect(inData(app, 'wallet.json', 'node.db', 'network.json', 'devnet')).toEqual([]);

    await call(app, 'walletSkip', {});
    expect((await call(app, 'snapshot', {})).account).toMatch(/^0x/);
    expect(await listening(app)).toBeGreaterThan(1);
    expect(inData(app, 'wallet.json', 'node.db', 'network.json', 'devnet')).toHaveLength(4);
    await waitFor('a snapshot', async () => (await app.told<NodeSnapshot>('snapshot')).length > 0);
    expect((await walletOf(app))?.running).toBe(true);
  });

  it('is as tight while it waits', { tags: 'long' }, async () => {
    const app = await start();
    const foreign = "{ origin: 'https://evil.example', parent: null }";
    for (const procedure of ['walletState', 'walletCreate', 'walletSkip', 'chooseNetwork'])
      expect(await app.call(procedure, {}, foreign)).toMatchObject({ error: { code: 'InvalidInput' } });
    const { allowed, let: letOut } = await app.run<{ allowed: boolean; let: boolean }>(`
      const s = electron.session.defaultSession.handlers;
      const answer = {};
      s.get('permissionRequest')({}, 'media', (given) => { answer.allowed = given }, { requestingUrl: 'app://ace-node/' });
      s.get('beforeRequest')({ url: 'https://evil.example/' }, ({ cancel }) => { answer.let = !cancel });
      return answer`);
    expect([allowed, letOut]).toEqual([false, false]);
    expect(inData(app, 'wallet.json')).toEqual([]);
  });

  it('gives a request to act for another account up with a wallet of its own', { tags: 'long' }, async () => {
    const app = await start();
    await call(app, 'deviceRequest', {});
    expect(inData(app, 'device-request.json')).toHaveLength(1);
    await call(app, 'walletSkip', {});
    expect(inData(app, 'device-request.json')).toEqual([]);
  });

  it('shows a link of a cold start once the node runs, and no sooner', { tags: 'long' }, async () => {
    const app = await start({ args: [LINK] });
    // A page that is loaded anew while the node waits loses nothing.
    await app.run("electron.BrowserWindow.all[0].webContents.emit('did-finish-load')");
    await call(app, 'networkChoice', {});
    expect(await app.told('navigate')).toEqual([]);
    await call(app, 'walletSkip', {});
    await waitFor('the page hears of it', async () => (await app.told('navigate')).length > 0);
    expect(await app.told<NavigateView>('navigate')).toEqual([
      { view: 'watch', link: LINK, contentId: null },
    ]);
  });

  it('shows its window at login, as nothing else tells that the node waits', { tags: 'long' }, async () => {
    const app = await start({ args: ['--at-login'], trayHost: false });
    expect((await call(app, 'shell', {})).preferences?.startHidden).toBe(true);
    expect(await app.windows()).toBe(1);
  });

  it('tells of the first import after it as of any other', { tags: 'long' }, async () => {
    const app = await start();
    await call(app, 'walletSkip', {});
    const film = join(temporaryHome(), 'film.mp4');
    writeFileSync(film, Buffer.alloc(100_000, 'film'));
    await app.run('electron.BrowserWindow.all[0].focused = false');
    await call(app, 'importFile', { path: film });
    await waitFor('a notification', () => app.run<boolean>('return electron.Notification.all.length > 0'));
    // What the network offers from the start is no news.
    expect(await app.run('return electron.Notification.all.map(({ options }) => options.body)')).toEqual([
      '“film.mp4” is shared now.',
    ]);
  });

  it('says that a network does not answer, and takes another one', { tags: 'long' }, async () => {
    const home = temporaryHome();
    const first = await start({ home });
    await expect(call(first, 'chooseNetwork', { multiaddr: 'nowhere' })).rejects.toMatchObject({
      code: 'InvalidInput',
    });
    expect(await call(first, 'chooseNetwork', { multiaddr: NOBODY })).toEqual({
      mode: 'joined',
      multiaddr: NOBODY,
      fixed: false,
    });
    await expect(call(first, 'walletSkip', {})).rejects.toMatchObject({ code: 'NotAllowed' });
    await expect(makeWallet(first)).rejects.toMatchObject({ code: 'ShardUnavailable' });
    const { failure, running, status } = await call(first, 'walletState', {});
    expect({ code: failure?.code, running, status }).toEqual({
      code: 'ShardUnavailable',
      running: false,
      status: 'unlocked',
    });
    expect(inData(first, 'network.json')).toEqual([]);
    await first.run('electron.app.quit()').catch(() => {});
    expect(await first.ended).toBe(0);

    // The next start asks the same network: the wallet never ends up on a devnet that nobody asked for.
    const app = await start({ home });
    expect(await call(app, 'walletState', {})).toMatchObject({
      running: false,
      failure: { code: 'ShardUnavailable' },
    });
    expect(await app.windows()).toBe(1);
    expect(await call(app, 'networkChoice', {})).toMatchObject({ multiaddr: NOBODY, fixed: false });
    await call(app, 'chooseNetwork', { multiaddr: null });
    expect(await call(app, 'walletStart', {})).toMatchObject({ running: true, failure: null });
    expect(await call(app, 'networkChoice', {})).toMatchObject({ mode: 'devnet', fixed: true });
  });
});

describe('the desktop app, closed before it has a wallet', () => {
  itInTiers<[string, (app: DoubleApp) => Promise<unknown>]>({
    quick: [['closing the window', (app) => app.run('electron.BrowserWindow.all[0].close()')]],
    long: [
      ['quit', (app) => app.run('electron.app.quit()')],
      ['SIGTERM', async (app) => void app.child.kill('SIGTERM')],
      ['the shutdown procedure', (app) => app.call('shutdown')],
    ],
  })('by %s ends at once, and leaves nothing', async (_how, end) => {
    const app = await start();
    // A phrase that was shown and not confirmed goes with it.
    await call(app, 'walletCreate', {});
    await Promise.race([end(app).catch(() => {}), app.ended]);
    expect(await app.ended, app.stderr).toBe(0);
    expect(app.exit?.calls.some(([name]) => name === 'dialog.showErrorBox')).toBe(false);
    expect(inData(app, 'control.json', 'reports', 'wallet.json', 'node.db')).toEqual([]);
  });

  it('shows that it closes', { tags: 'long' }, async () => {
    const app = await start();
    const { title, told } = await app.run<{ title: string; told: ShellView }>(`
      electron.app.quit();
      const w = electron.BrowserWindow.all[0];
      return { title: w.title, told: w.webContents.sent.filter(([, topic]) => topic === 'shell').at(-1)[2] }`);
    expect(title).toContain('closing');
    expect(told.closing).not.toBeNull();
    expect(await app.ended).toBe(0);
  });

  it('while the node starts waits for it, and the next start has the wallet', { tags: 'long' }, async () => {
    const home = temporaryHome();
    const app = await start({ home });
    // Not awaited: the node is on its way.
    void app.call('walletSkip').catch(() => {});
    await waitFor('the wallet is there', () => existsSync(join(app.dataDir, 'wallet.json')));
    await app.run('electron.app.quit()').catch(() => {});
    expect(await app.ended, app.stderr).toBe(0);
    expect(inData(app, 'control.json', 'reports')).toEqual([]);
    const again = await start({ home });
    expect(await call(again, 'walletState', {})).toMatchObject({ running: true, status: 'plain' });
  });
});

const NO_ANSWER = 'the system’s key store does not answer';
const NO_KEY_STORE = 'this desktop has no key store that is open: GNOME’s keyring or KDE’s wallet';

describe('the desktop app and the system’s key store', () => {
  const sealed = (app: DoubleApp) => join(app.dataDir, 'passphrase.sealed');

  it('keeps a passphrase that nobody has to know, and the next start asks nothing', {
    tags: 'long',
  }, async () => {
    const home = temporaryHome();
    const app = await start({ home });
    expect((await call(app, 'walletState', {})).systemStore).toEqual({ usable: true, why: null });
    const { phrase, state } = await makeWallet(app);
    expect(state).toMatchObject({ protection: 'system', remembered: true, running: true });
    expect(readFileSync(join(app.dataDir, 'wallet.json'), 'utf8')).not.toContain(phrase);
    expect(statSync(sealed(app)).mode & 0o777).toBe(0o600);
    await app.run('electron.app.quit()').catch(() => {});
    expect(await app.ended).toBe(0);

    const again = await start({ home });
    const kept = await call(again, 'walletState', {});
    expect(kept).toMatchObject({ running: true, remembered: true, address: state.address });
  });

  it('remembers the owner’s passphrase where they want so, and not in the clear', {
    tags: 'long',
  }, async () => {
    const home = temporaryHome();
    const app = await start({ home });
    const { state } = await makeWallet(app, { passphrase: PASSPHRASE, remember: true });
    expect(state).toMatchObject({ protection: 'passphrase', remembered: true });
    const kept = readFileSync(sealed(app), 'utf8');
    expect(kept + Buffer.from(kept, 'base64').toString('latin1')).not.toContain(PASSPHRASE);
    await app.run('electron.app.quit()').catch(() => {});
    expect(await app.ended).toBe(0);

    // The same folder under a system that has another key: it waits for its owner.
    writeFileSync(join(home, 'key-store of ace-node'), Buffer.alloc(32, 7));
    const again = await start({ home, args: ['--at-login'] });
    expect(await call(again, 'walletState', {})).toMatchObject({ status: 'locked', running: false });
    expect(await again.windows()).toBe(1);
    expect(await call(again, 'walletUnlock', { passphrase: PASSPHRASE, remember: true })).toMatchObject({
      running: true,
      address: state.address,
    });
  });

  it.each<[string, StartOptions, string]>([
    ['that protects nothing', { keyStore: 'basic_text' }, NO_KEY_STORE],
    // GNOME without a keyring that is open: its name says nothing.
    ['whose key everybody knows', { keyStore: 'gnome_libsecret', keys: 'known' }, NO_KEY_STORE],
    ['that does not answer', { keyStore: null }, NO_ANSWER],
    ['that takes and gives nothing back', { keys: 'lost' }, NO_ANSWER],
  ])('refuses one %s, says why, and makes nothing', { tags: 'long' }, async (_what, store, why) => {
    const home = temporaryHome();
    const app = await start({ home, ...store });
    expect((await call(app, 'walletState', {})).systemStore).toEqual({ usable: false, why });
    await expect(makeWallet(app, { passphrase: PASSPHRASE, remember: true })).rejects.toMatchObject({
      code: 'NotAllowed',
      message: `The passphrase cannot be remembered here: ${why}`,
    });
    expect(inData(app, 'wallet.json', 'passphrase.sealed', 'node.db')).toEqual([]);

    const { state } = await makeWallet(app, { passphrase: PASSPHRASE });
    expect(state).toMatchObject({ protection: 'passphrase', remembered: false, running: true });
    expect(inData(app, 'passphrase.sealed')).toEqual([]);
    await app.run('electron.app.quit()').catch(() => {});
    expect(await app.ended).toBe(0);

    const again = await start({ home, ...store });
    expect(await walletOf(again)).toMatchObject({ status: 'locked', running: false });
    await expect(call(again, 'snapshot', {})).rejects.toMatchObject({ code: 'WalletLocked' });
    await call(again, 'walletUnlock', { passphrase: PASSPHRASE });
    expect((await call(again, 'snapshot', {})).account).toBe(state.address?.toLowerCase());
  });

  // The name of an app names its entries in the key store: "Electron" from a checkout.
  it('opens in the package what was made in a checkout', { tags: 'long' }, async () => {
    const home = temporaryHome();
    const app = await start({ home });
    const { state } = await makeWallet(app);
    await app.run('electron.app.quit()').catch(() => {});
    expect(await app.ended).toBe(0);
    const packaged = await start({ home, packaged: true });
    expect(await call(packaged, 'walletState', {})).toMatchObject({ running: true, address: state.address });
  });

  // There every key has the letters that only the known one has on Linux.
  it('is used on macOS', { tags: 'long' }, async () => {
    const app = await start({ platform: 'darwin' });
    const { state } = await makeWallet(app);
    expect(state).toMatchObject({ protection: 'system', remembered: true });
    expect(Buffer.from(readFileSync(sealed(app), 'utf8'), 'base64').toString('latin1')).toMatch(/^v10/);
  });

  it('that is locked is no other computer: it says to unlock it, and offers to start again', {
    tags: 'long',
  }, async () => {
    const home = temporaryHome();
    const app = await start({ home });
    const { state } = await makeWallet(app);
    await app.run('electron.app.quit()').catch(() => {});
    expect(await app.ended).toBe(0);

    const locked = new DoubleApp({ home, keys: 'away' });
    expect(await locked.ended).toBe(1);
    const told = locked.exit?.calls.find(([name]) => name === 'dialog.showMessageBox')?.[1];
    expect(told).toMatchObject({
      detail: expect.stringContaining('unlock the keyring'),
      buttons: ['Start again', 'Quit'],
    });
    expect(locked.exit?.calls).toContainEqual(['app.relaunch', expect.anything()]);

    const again = await start({ home });
    expect((await call(again, 'walletState', {})).address).toBe(state.address);
  });
});
