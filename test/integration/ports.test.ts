/** Where a node is reached: the port that was chosen in the settings, and the one that encoders were told. */
import { createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DEFAULT_HTTP_PORT } from '../../main/data-dir/config.ts';
import { useDevnet } from '../helpers/devnet.ts';
import { PASSPHRASE, walletNode } from '../helpers/wallet-node.ts';

const WAITS = { wallet: { mayWait: true } };

describe('the port of the pages', () => {
  it('is the chosen one from the next start on, also while the node waits for its passphrase', async () => {
    const net = await useDevnet();
    const chosen = await freePort();
    // The settings ask for a port where the start gives none.
    const anyStart = { httpPort: undefined as never };
    const first = await walletNode(net, 'node', { ...anyStart, passphrase: PASSPHRASE });
    expect(await first.call('ports', {})).toMatchObject({ http: { chosen: null, given: false } });
    expect(await first.call('setPorts', { http: chosen })).toMatchObject({ http: { chosen, given: false } });
    await first.stop();

    const waiting = await walletNode(net, 'node', { ...anyStart, ...WAITS });
    expect(waiting.node.isRunning).toBe(false);
    expect(waiting.node.http.port).toBe(chosen);
    await waiting.call('walletUnlock', { passphrase: PASSPHRASE });
    expect(await waiting.call('ports', {})).toMatchObject({ http: { now: chosen, chosen, given: false } });
    await waiting.stop();

    const given = await walletNode(net, 'node', WAITS);
    expect(given.node.http.port, 'a port that the start gives comes first').not.toBe(chosen);
  });

  it('is another one where a program has the chosen one, and the usual one where none was chosen', async () => {
    const net = await useDevnet();
    const chosen = await freePort();
    const first = await walletNode(net, 'node', { passphrase: PASSPHRASE });
    await first.call('setPorts', { http: chosen });
    await first.stop();
    const other = await listen(chosen);
    try {
      const waiting = await walletNode(net, 'node', { httpPort: undefined as never, ...WAITS });
      expect(waiting.node.http.port).not.toBe(chosen);
      await waiting.call('walletUnlock', { passphrase: PASSPHRASE });
      await waiting.call('setPorts', { http: null });
      await waiting.stop();
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    const usual = await walletNode(net, 'node', { httpPort: undefined as never, ...WAITS });
    expect(usual.node.http.port).toBeGreaterThanOrEqual(DEFAULT_HTTP_PORT);
    expect(usual.node.http.port).not.toBe(chosen);
  });

  it('stays what an encoder was told, also when the node waited for its wallet in between', async () => {
    const net = await useDevnet();
    const first = await walletNode(net, 'node', { wallet: { firstRun: true, mayWait: true } });
    const { phrase, confirmPositions } = await first.call('walletCreate', {});
    const words = confirmPositions.map((position) => ({
      position,
      word: phrase.split(' ')[position - 1] ?? '',
    }));
    await first.call('walletConfirm', { words, passphrase: PASSPHRASE });
    const { pushUrl } = await first.call('startBroadcast', { name: 'Harbour' });
    const { port } = first.node.http;
    expect(new URL(pushUrl ?? '').port).toBe(String(port));
    await first.stop();

    const waiting = await walletNode(net, 'node', WAITS);
    expect(waiting.node.isRunning).toBe(false);
    expect(waiting.node.http.port).toBe(port);
    await waiting.call('walletUnlock', { passphrase: PASSPHRASE });
    expect((await waiting.call('broadcasts', {}))[0]?.pushUrl).toBe(pushUrl);
    await waiting.stop();
    const again = await walletNode(net, 'node', { passphrase: PASSPHRASE });
    expect(again.node.lastPort).toBe(port);
    expect(again.node.http.port).toBe(port);
  });
});

function listen(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function freePort(): Promise<number> {
  const server = await listen(0);
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
