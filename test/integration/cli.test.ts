/** The command line as a whole, and what it says of a node and its money. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { shownAddress } from '../../shared/typed/address.ts';
import {
  CLI,
  expectOneLine,
  run,
  type Service,
  spawnCli,
  spawnNode,
  startNode,
  startService,
} from '../helpers/cli.ts';
import { useCliRoot } from '../helpers/cli-root.ts';
import { waitFor } from '../helpers/wait.ts';

const UNKNOWN_ID = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';

const root = useCliRoot();
/** A fresh folder: the tests run side by side. */
const newDir = () => mkdtempSync(join(root, 'test-'));

let validator: Service;
/** The node that the tests drive. */
let node: Service;
const dirs = { node: join(root, 'node') };

beforeAll(async () => {
  validator = await startService('validator', '--data-dir', join(root, 'validator'));
  node = await startNode(dirs.node, '--join', validator.ready);
});

describe.each(['cli.js', 'electron.js'])('the built %s', (entry) => {
  it('sets the heap before anything else is loaded', () => {
    const built = join(CLI, '..', entry);
    const first = /^import\s*"(.+)";/.exec(readFileSync(built, 'utf8'))?.[1] ?? '';
    expect(readFileSync(join(built, '..', first), 'utf8')).toContain('--heap-growing-percent');
  });
});

describe.concurrent('ace-node', () => {
  it.each([
    ['start', ['--headless', '--data-dir', '--join', '--http-port']],
    ['validator', ['--port', '--data-dir', '--credit-limit', '--traffic-rate', '--settlement-interval']],
    ['import', ['<files...>', '--name', '--copy', '--data-dir', '--join']],
    ['contents', ['--json', '--data-dir', '--join']],
    ['delete', ['<content-id>', '--force', '--data-dir', '--join']],
    ['pin', ['<content-id>', '--data-dir', '--join']],
    ['settings', ['get', 'set']],
    ['play', ['<content-id>', '--out', '--force', '--wait', '--data-dir', '--join']],
    ['broadcast', ['--name', '--folder', '--end', '--http-port', '--data-dir', '--join']],
    ['topup', ['<amount>', '--data-dir', '--join']],
    ['status', ['--json', '--data-dir', '--join']],
    ['channels', ['--limit', '--json', '--data-dir', '--join']],
    ['quote', ['<MiB>', '--json', '--data-dir', '--join']],
    ['demo', ['[file]', '--json', '--data-dir']],
  ])('%s --help names its options and ends with 0', async (command, options) => {
    const { code, stdout, stderr } = await run([command, '--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const option of options) expect(stdout).toContain(option);
  });

  it.each([
    ['start', 'where wallet, books and pieces are kept (default: "/'],
    ['validator', 'where its key, its books and the main chain are kept (default: "/'],
    ['demo', 'new or empty folder in which everything is kept (default: a temporary folder that is removed)'],
  ])('%s --help says where its data goes', async (command, says) => {
    const { stdout } = await run([command, '--help']);
    expect(stdout.replace(/\s+/g, ' ')).toContain(says);
    // Only one default is told, and none of switches.
    expect(stdout).not.toContain('(default: false)');
    expect(stdout.match(/--data-dir[^-]*/)?.[0].match(/default/g)).toHaveLength(1);
  });

  it.each([
    ['an unknown command', ['nonsense'], "unknown command 'nonsense'"],
    ['an unknown option', ['status', '--nonsense'], "unknown option '--nonsense'"],
    ['a missing argument', ['import'], "missing required argument 'files'"],
    ['a port above 65535', ['start', '--http-port', '65536'], 'Give a whole number from 0 to 65535.'],
    ['an argument that does not fit', ['quote', 'x'], "MiB cannot be 'x'. Give a whole number from 1 to"],
    ['an option that does not fit', ['repayments', '--limit', 'x'], "--limit cannot be 'x'. Give a whole"],
    ['an option without its value', ['status', '--data-dir'], 'argument missing'],
  ])('says %s in a line, with a hint, and ends with 1', async (_what, args, says) => {
    const ended = await run(args);
    expectOneLine(ended, says);
    expect(ended.stderr).toContain('(see --help)');
  });

  it.each([
    [['start', '--headless', '--data-dir', '']],
    [['validator', '--data-dir', ' ']],
    [['start', '--headless', '--join', '']],
    [['import', '']],
    [['import', 'film.mp4', '--name', '']],
    [['play', UNKNOWN_ID, '--out', '']],
    [['broadcast', '--name', '']],
    [['demo', '']],
    [['demo', '--data-dir', '']],
  ])('refuses the empty value in %j', async (args) => {
    expectOneLine(await run(args), 'It is empty.');
  });

  it('ends quietly when nobody reads its answer', async () => {
    const child = spawnCli(['status', '--json', '--data-dir', dirs.node]);
    let stderr = '';
    child.stderr?.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.stdout?.destroy();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(stderr).toBe('');
  });

  it('prints its version', async () => {
    expect(await run(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe.concurrent('ace-node status', () => {
  it('is one JSON object, through the running node and without it, of the same account', async () => {
    const dataDir = join(newDir(), 'data');
    await run(['topup', '0.5', '--data-dir', dataDir, '--join', validator.ready]);
    const alone = await run(['status', '--json', '--data-dir', dataDir]);
    expect(alone).toMatchObject({ code: 0, stderr: '' });
    const running = await startNode(dataDir);
    const through = await run(['status', '--json', '--data-dir', dataDir]);
    await running.stop();
    const after = await run(['status', '--json', '--data-dir', dataDir]);
    const [a, b, c] = [alone, through, after].map(({ stdout }) => JSON.parse(stdout));
    expect([a.running, b.running, c.running]).toEqual([false, true, false]);
    expect(a.account).toMatch(/^0x[0-9a-f]{40}$/);
    expect([b.account, c.account]).toEqual([a.account, a.account]);
    expect([b.peerId, c.peerId]).toEqual([a.peerId, a.peerId]);
    expect(b.pagesUrl).toBe(running.ready.replace(/#.*/, ''));
  });

  it('is told again and again it is stopped, as JSON a line each', async () => {
    const service = await startService('status', '--json', '--watch', '1', '--data-dir', dirs.node);
    await waitFor('a second line', () => service.said().stdout.length > 1);
    for (const line of service.said().stdout) expect(JSON.parse(line)).toMatchObject({ running: true });
    expect(await service.stop()).toBe(0);
    expectOneLine(await run(['status', '--watch', '0']), "--watch cannot be '0'. Give a whole number from 1");
  });

  it('makes no wallet and no network where there are none', async () => {
    const dataDir = join(newDir(), 'data');
    expectOneLine(await run(['status', '--data-dir', dataDir]), /There is no node in .* yet/);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('without --json is a table that names the account', async () => {
    const { account } = JSON.parse((await run(['status', '--json', '--data-dir', dirs.node])).stdout);
    const { code, stdout, stderr } = await run(['status', '--data-dir', dirs.node]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(shownAddress(account));
    expect(stdout).toContain(`running at ${node.ready.replace(/#.*/, '')}`);
  });

  it('takes the control file of a killed node for what it is', async () => {
    const dataDir = join(newDir(), 'data');
    const killed = await spawnNode(dataDir, '--join', validator.ready);
    killed.child.kill('SIGKILL');
    await once(killed.child, 'close');
    expect(existsSync(join(dataDir, 'control.json'))).toBe(true);
    const { code, stdout } = await run(['status', '--json', '--data-dir', dataDir]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).running).toBe(false);
  });
});

describe.concurrent('ace-node quote', () => {
  it('says how traffic would be paid, with funds and without, and changes nothing', async () => {
    const dataDir = join(newDir(), 'data');
    await run(['topup', '1', '--data-dir', dataDir, '--join', validator.ready]);
    const quote = await run(['quote', '11264', '--json', '--data-dir', dataDir]);
    expect(quote).toMatchObject({ code: 0, stderr: '' });
    // 1 XAT is 1 XAC here, and a GB costs 1/3.5 of it: 3,584 MiB, then the credit.
    expect(JSON.parse(quote.stdout)).toMatchObject({
      units: 11_264,
      priceXac: '3.1428572',
      priceXat: '3.1428572',
      paidUnits: 3_584,
      creditUnits: 7_680,
      uncoveredUnits: 0,
      fromXac: '0.0000000',
      fromXat: '1.0000000',
      feeXac: '0.1000000',
      payeeXac: '0.9000000',
    });
    const { stdout } = await run(['quote', '14000', '--data-dir', dataDir]);
    expect(stdout).toContain('3,584 MiB, with 1.0000000 XAT (burned)');
    expect(stdout).toContain('176 MiB: top up to be served them');
    const { holdings } = JSON.parse((await run(['status', '--json', '--data-dir', dataDir])).stdout);
    expect(holdings.services.XAT).toBe('1.0000000');
  });

  it.each(['0', '1.5', '-3', 'GB', '1073741825'])('refuses %s MiB', async (mib) => {
    expectOneLine(await run(['quote', mib]), /whole number from 1|unknown option/);
  });

  it('makes no wallet and no network where there are none', async () => {
    expectOneLine(
      await run(['quote', '1', '--data-dir', join(newDir(), 'data')]),
      /There is no node in .* yet/,
    );
  });
});

describe.concurrent('ace-node topup', () => {
  it('adds exactly the amount', async () => {
    const dataDir = join(newDir(), 'data');
    const first = await run(['topup', '2.0000005', '--data-dir', dataDir, '--join', validator.ready]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('To spend: 0.0000000 XAC, 2.0000005 XAT');
    const second = await run(['topup', '0.0000001', '--data-dir', dataDir]);
    expect(second.stdout).toContain('To spend: 0.0000000 XAC, 2.0000006 XAT');
    expectOneLine(await run(['topup', '1', '--quote', '--data-dir', dataDir]), /has no quote/);
    const third = await run(['topup', '0.0000001', '--json', '--data-dir', dataDir]);
    expect(JSON.parse(third.stdout)).toMatchObject({
      holdings: { services: { XAT: '2.0000007' } },
      repaid: [],
    });
  });

  it.each([
    ['0', 'more than 0'],
    ['-1', 'not an amount'],
    ['abc', 'not an amount'],
    ['0.00000001', 'not an amount'],
  ])('refuses %s', async (amount, says) => {
    expectOneLine(await run(['topup', amount, '--data-dir', dirs.node]), says);
  });
});
