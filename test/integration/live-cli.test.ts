import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { expectOneLine, killStarted, run, spawnService, startService } from '../helpers/cli.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

afterAll(killStarted);

describe('ace-node broadcast', () => {
  it('starts a node when none runs, tells where to push, and goes on with the same broadcast next time', {
    tags: 'long',
  }, async () => {
    const dataDir = join(tempDir(), 'data');
    const args = ['broadcast', '--name', 'Harbour', '--data-dir', dataDir];
    const first = await startService(...args);
    expect(first.ready).toMatch(/^bafyrei[a-z2-7]{52}$/);
    const address = await waitFor('the address', () => first.said().stdout[1]);
    expect(address).toMatch(
      new RegExp(`^http://127\\.0\\.0\\.1:\\d+/broadcast/${first.ready}/[\\w-]{32}/live\\.m3u8$`),
    );
    expect((await fetch(address.replace('live.m3u8', 'a.ts'), { method: 'PUT', body: 'x' })).status).toBe(
      201,
    );
    await waitFor('the line to try', () => first.said().stderr.some((line) => line.includes(address)));
    // Through the node that runs it ends at once, with the same answer.
    const again = await run(args);
    expect(again).toMatchObject({ code: 0, stdout: `${first.ready}\n${address}\n` });
    expect(await first.stop()).toBe(0);

    const folder = join(dataDir, 'encoder');
    mkdirSync(folder);
    const second = await startService(...args, '--folder', folder);
    expect(second.ready).toBe(first.ready);
    await waitFor('the folder', () => second.said().stdout[1] === folder);
    expect(await second.stop()).toBe(0);
  });

  it('takes what the encoder pushes to the same address after it was killed and started again', {
    tags: 'long',
  }, async () => {
    const args = ['broadcast', '--name', 'Pier', '--data-dir', join(tempDir(), 'data')];
    const first = await spawnService(...args);
    const address = await waitFor('the address', () => first.said().stdout[1]);
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    const second = await startService(...args);
    expect(await waitFor('the address again', () => second.said().stdout[1])).toBe(address);
    const pushed = await fetch(address.replace('live.m3u8', 'a.ts'), { method: 'PUT', body: 'x' });
    expect(pushed.status).toBe(201);
    await second.stop();
  });

  it('takes another port when somebody else has the last one', { tags: 'long' }, async () => {
    const args = ['broadcast', '--name', 'Pier', '--data-dir', join(tempDir(), 'data')];
    const first = await startService(...args);
    const address = await waitFor('the address', () => first.said().stdout[1]);
    await first.stop();
    const other = createServer().listen(Number(new URL(address).port), '127.0.0.1');
    await once(other, 'listening');
    try {
      const second = await startService(...args);
      const changed = new URL((await waitFor('another address', () => second.said().stdout[1])) ?? '');
      expect(changed.port).not.toBe(new URL(address).port);
      expect(changed.pathname).toBe(new URL(address).pathname);
      await second.stop();
    } finally {
      other.close();
    }
  });

  it('that goes on in a node with another port says where to push to now', { tags: 'long' }, async () => {
    const dataDir = join(tempDir(), 'data');
    const first = await startService('broadcast', '--name', 'Pier', '--data-dir', dataDir);
    const address = await waitFor('the address', () => first.said().stdout[1]);
    await first.stop();
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    const start = ['start', '--headless', '--data-dir', dataDir, '--http-port', String(port)];
    const node = await startService(...start);
    const said = await waitFor('the new address', () => node.said().stderr[0]);
    const now = new URL(address);
    now.port = String(port);
    expect(said).toBe(
      `The port is another one than last time: the encoder of "Pier" must push to ${now.href} now`,
    );
    const pushed = await fetch(now.href.replace('live.m3u8', 'a.ts'), { method: 'PUT', body: 'x' });
    expect(pushed.status).toBe(201);
    // With the same port there is nothing to say.
    await node.stop();
    const again = await startService(...start);
    await run(['status', '--data-dir', dataDir]);
    expect(again.said().stderr).toEqual([]);
    await again.stop();
  });

  it('ends a broadcast once, and says so when there is none', async () => {
    const dataDir = join(tempDir(), 'data');
    const args = ['broadcast', '--name', 'Hall', '--data-dir', dataDir];
    const node = await startService(...args);
    expect(await run([...args, '--end'])).toMatchObject({ code: 0, stdout: `${node.ready}\n` });
    expectOneLine(await run([...args, '--end']), 'There is no broadcast "Hall" that could be ended');
    expectOneLine(await run([...args, '--folder', join(dataDir, 'gone')]), /There is no folder .*gone/);
    expect(await node.stop()).toBe(0);
  });
});
