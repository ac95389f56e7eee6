import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  CLI,
  expectOneLine,
  run,
  runBinary,
  type Service,
  spawnCli,
  spawnNode,
  startNode,
  startService,
} from '../helpers/cli.ts';
import { useCliRoot } from '../helpers/cli-root.ts';
import { waitFor } from '../helpers/wait.ts';

const LAUNCHER_CHILD = new URL('../../main/launcher/child.mjs', import.meta.url).href;
const ADDRESS_LINE = /^http:\/\/127\.0\.0\.1:(\d+)\/#token=\S+$/;

const root = useCliRoot();
/** A fresh folder: the tests run side by side. */
const newDir = () => mkdtempSync(join(root, 'test-'));
let validator: Service;
const dirs = { node: join(root, 'node') };
let node: Service;

beforeAll(async () => {
  validator = await startService('validator', '--data-dir', join(root, 'validator'));
  node = await startNode(dirs.node, '--join', validator.ready);
});

describe.concurrent('ace-node start', () => {
  it('ends with 0 on SIGTERM and finds its account and balance again', async () => {
    const dataDir = join(newDir(), 'data');
    const first = await spawnNode(dataDir);
    expect(first.ready).toMatch(ADDRESS_LINE);
    expect((await run(['topup', '7.5', '--data-dir', dataDir])).code).toBe(0);
    const before = JSON.parse((await run(['status', '--json', '--data-dir', dataDir])).stdout);
    expect(before).toMatchObject({
      running: true,
      devnet: true,
      holdings: { services: { XAT: '7.5000000' } },
    });
    expect(await first.stop()).toBe(0);
    expect(first.said()).toEqual({ stdout: [first.ready], stderr: [] });
    expect(existsSync(join(dataDir, 'control.json'))).toBe(false);

    const second = await startNode(dataDir);
    const after = JSON.parse((await run(['status', '--json', '--data-dir', dataDir])).stdout);
    expect(await second.stop()).toBe(0);
    expect(after.account).toBe(before.account);
    expect(after.holdings).toEqual(before.holdings);
    expect(after.networkId).toBe(before.networkId);
  });

  it.each([
    ['start', ['start', '--headless', '--http-port', '0']],
    ['validator', ['validator']],
  ])('%s ends cleanly when the whole process group gets SIGTERM', async (command, args) => {
    const dataDir = join(newDir(), 'data');
    // The launcher has the signal as well, and passes it on.
    const script = `import { exitLike, runChild } from ${JSON.stringify(LAUNCHER_CHILD)};
      exitLike(await runChild(process.execPath, process.argv.slice(1), { stdio: 'inherit' }));`;
    const all = ['--input-type=module', '-e', script, CLI, ...args, '--data-dir', dataDir];
    if (command === 'start') all.push('--join', validator.ready);
    const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(readdirSync(dataDir).filter((name) => name.endsWith('-wal'))).toEqual([]);
  });

  it('goes on when nobody reads its output, and ends cleanly', { tags: 'long' }, async () => {
    const dataDir = join(newDir(), 'data');
    const args = [
      'start',
      '--headless',
      '--http-port',
      '0',
      '--data-dir',
      dataDir,
      '--join',
      validator.ready,
    ];
    const child = spawnCli(args);
    const closed = once(child, 'exit');
    let stderr = '';
    child.stderr?.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.stdout?.destroy();
    await waitFor('the node', () => existsSync(join(dataDir, 'control.json')));
    await waitFor('its answer', async () =>
      (await run(['status', '--data-dir', dataDir])).stdout.includes('running at'),
    );
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(stderr).toBe('');
    expect(existsSync(join(dataDir, 'node.db-wal'))).toBe(false);
  });

  it('refuses a data directory that another node has, and says where its pages are', async () => {
    const ended = await runBinary(['start', '--headless', '--data-dir', dirs.node, '--http-port', '0']);
    expectOneLine(ended, `The node runs already: open ${node.ready} `);
    expect((await run(['status', '--data-dir', dirs.node])).code).toBe(0);
  });

  it('names a data directory that is a file, in one line', async () => {
    const path = join(newDir(), 'file');
    writeFileSync(path, 'x');
    expectOneLine(await run(['start', '--headless', '--data-dir', path]), path);
  });

  it('refuses a port that it was given and that is taken', async () => {
    const port = String(new URL(node.ready).port);
    const dataDir = join(newDir(), 'data');
    const args = ['start', '--headless', '--data-dir', dataDir, '--join', validator.ready];
    expectOneLine(await run([...args, '--http-port', port]), `Port ${port} is in use`);
  });

  it('takes another port when nobody chose one and the usual one is taken', { tags: 'long' }, async () => {
    const server = createServer().listen(6_878, '127.0.0.1');
    // Whoever has the port already does as well.
    await once(server, 'listening').catch(() => undefined);
    const dataDir = join(newDir(), 'data');
    const args = ['start', '--headless', '--data-dir', dataDir, '--join', validator.ready];
    const other = await startService(...args);
    const port = Number(ADDRESS_LINE.exec(other.ready)?.[1]);
    expect(await other.stop()).toBe(0);
    server.close();
    expect(port).toBeGreaterThan(6_878);
    expect(port).toBeLessThanOrEqual(6_898);
  });

  it.each([
    ['nonsense', 'nonsense', /is not a peer address/],
    ['an address without a peer', '/ip4/127.0.0.1/tcp/4001', /is not a peer address/],
    [
      'an address where nobody listens',
      '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5',
      /cannot be reached/,
    ],
  ])('refuses to --join %s', async (_what, address, says) => {
    const dataDir = join(newDir(), 'data');
    expectOneLine(await run(['start', '--headless', '--data-dir', dataDir, '--join', address]), says);
  });
});

describe.concurrent('ace-node validator', () => {
  it.each(['abc', '0', '0.0', '-1', '1e3', '0.0000001', '1000001', '1000000.000001'])(
    'refuses --traffic-rate %s before it makes anything',
    async (rate) => {
      const dataDir = join(newDir(), 'validator');
      expectOneLine(
        await run(['validator', '--data-dir', dataDir, `--traffic-rate=${rate}`]),
        /0\.000001 to 1000000/,
      );
      expect(existsSync(dataDir)).toBe(false);
    },
  );

  it('takes both ends of --traffic-rate', { tags: 'long' }, async () => {
    for (const rate of ['0.000001', '1000000']) {
      const dataDir = join(newDir(), 'validator');
      const running = await startService('validator', '--data-dir', dataDir, '--traffic-rate', rate);
      expect(await running.stop()).toBe(0);
    }
  });

  it('refuses an option that differs from the devnet that is there, and takes the same or none', {
    tags: 'long',
  }, async () => {
    const args = ['validator', '--data-dir', join(newDir(), 'validator')];
    const made = ['--credit-limit', '7', '--traffic-rate', '2.5', '--settlement-interval', '900'];
    expect(await (await startService(...args, ...made)).stop()).toBe(0);
    for (const [flag, other, stored] of [
      ['--credit-limit', '8', '7'],
      ['--traffic-rate', '3.5', '2.5'],
      ['--settlement-interval', '901', '900'],
    ] as const) {
      expectOneLine(await run([...args, flag, other]), `was made with ${flag} ${stored} and keeps it`);
    }
    expect(await (await startService(...args, '--traffic-rate', '2.50')).stop()).toBe(0);
    expect(await (await startService(...args)).stop()).toBe(0);
  });
});

describe.concurrent('the wallet’s passphrase', () => {
  it('opens the wallet, and a wrong or missing one is refused', async () => {
    const dataDir = join(newDir(), 'data');
    const topUp = ['topup', '0.5', '--data-dir', dataDir];
    const right = { ACE_NODE_PASSPHRASE: 'correct horse' };
    expect((await run([...topUp, '--join', validator.ready], right)).code).toBe(0);
    expectOneLine(await run(topUp, { ACE_NODE_PASSPHRASE: 'wrong horse' }), /The passphrase is wrong/);
    expectOneLine(await run(topUp), /needs its passphrase/);
    const status = ['status', '--json', '--data-dir', dataDir];
    const opened = JSON.parse((await run(status, right)).stdout);
    expect(opened.holdings.services.XAT).toBe('0.5000000');
    // Reading takes no passphrase.
    const { account, locked } = JSON.parse((await run(status)).stdout);
    expect({ account, locked }).toEqual({ account: opened.account, locked: true });
  });
});
