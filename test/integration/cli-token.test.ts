/** The token and the address of the pages, from the command line: built commands, real processes. */

import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../../main/rpc/ws-client.ts';
import { killStarted, run, type Service, startService } from '../helpers/cli.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

afterAll(killStarted);

const start = (dataDir: string, ...more: string[]): Promise<Service> =>
  startService('start', '--headless', '--data-dir', dataDir, '--http-port', '0', ...more);
const token = async (dataDir: string, ...more: string[]) =>
  (await run(['token', '--data-dir', dataDir, ...more])).stdout.trim();
const tokenOf = (address: string) => new URL(address).hash.replace('#token=', '');

describe('ace-node token', () => {
  it('makes no node where there is none', async () => {
    const { code, stderr } = await run(['token', '--data-dir', join(tempDir(), 'none')]);
    expect(code).toBe(1);
    expect(stderr).toContain('ace-node start makes one');
  });

  it('prints what the node takes, over restarts, from a file that only the user can read', {
    tags: 'long',
  }, async () => {
    const dir = tempDir();
    const first = await start(dir);
    expect(await token(dir)).toBe(tokenOf(first.ready));
    expect(readFileSync(join(dir, 'api-token'), 'utf8').trim()).toBe(tokenOf(first.ready));
    for (const file of ['api-token', 'control.json'])
      expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600);
    expect(await first.stop()).toBe(0);
    const again = await start(dir);
    expect(tokenOf(again.ready)).toBe(tokenOf(first.ready));
    expect(await again.stop()).toBe(0);
  });

  it('--renew makes the old one worthless at once, while the node runs and while it does not', {
    tags: 'long',
  }, async () => {
    const dir = tempDir();
    const node = await start(dir);
    const old = tokenOf(node.ready);
    const page = await connect(node.ready, old);
    const cutOff = new Promise<void>((resolve) => {
      page.onConnection((connected) => {
        if (!connected) resolve();
      });
    });
    const renewed = await token(dir, '--renew');
    expect(renewed).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(renewed).not.toBe(old);
    await cutOff;
    await expect(connect(node.ready, old)).rejects.toMatchObject({ code: 'NodeNotRunning' });
    await (await connect(node.ready, renewed)).close();
    // The command line still finds the node.
    expect((await run(['status', '--data-dir', dir])).code).toBe(0);
    expect(await node.stop()).toBe(0);

    const third = await token(dir, '--renew');
    expect(third).not.toBe(renewed);
    const again = await start(dir);
    expect(tokenOf(again.ready)).toBe(third);
    expect(await again.stop()).toBe(0);
  });
});

describe('ace-node start --host', () => {
  it.each(['localhost', 'example.org', '', '1.2.3', 'fe80::1%eth0'])('refuses %j', async (host) => {
    const { code, stderr } = await run(['start', '--headless', '--data-dir', tempDir(), '--host', host]);
    expect(code).toBe(1);
    expect(stderr).toContain('IP address');
  });

  it('says what it means to be reached from other machines, and that nobody is without it', async () => {
    const dir = tempDir();
    const alone = await start(dir);
    expect(alone.said().stderr.join('\n')).not.toContain('Warning');
    const own = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    const { port } = new URL(alone.ready);
    if (own !== undefined) await expect(fetch(`http://${own}:${port}/`)).rejects.toThrow('fetch failed');
    expect(await alone.stop()).toBe(0);

    const open = await start(dir, '--host', '0.0.0.0');
    const warning = await waitFor('a warning', () => open.said().stderr.join('\n'));
    expect(warning).toContain('unencrypted');
    expect(warning).toContain('ace-node token --renew');
    expect(open.said().stdout).toHaveLength(1);
    if (own !== undefined) {
      const there = `http://${own}:${new URL(open.ready).port}/`;
      expect(warning).toContain(there);
      expect((await fetch(there)).status).toBe(200);
      // This machine's own players need no token, at whatever address of its they ask.
      const service = await fetch(new URL('/webui/api/service?method=get_version', there));
      expect(service.status).toBe(200);
    }
    expect(await open.stop()).toBe(0);
  });
});
