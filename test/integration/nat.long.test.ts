/**
 * Homes behind routers, made of network namespaces: a validator on an internet of their own, which is the relay. What
 * is found and what is not is the subject of docs/decisions/0012.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Home, noNamespaces, TestInternet } from '../helpers/namespaces.ts';
import { waitFor } from '../helpers/wait.ts';

const CHILD = fileURLToPath(new URL('../helpers/nat-child.ts', import.meta.url));
const MIB = 1_048_576;
const CONTENT_UNITS = 3;
const FORWARDED_PORT = 4_001;

class NatProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = '';

  constructor(namespace: string, ...args: string[]) {
    const command = ['netns', 'exec', namespace, process.execPath, CHILD, ...args];
    this.#child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#said += data.toString();
    });
  }

  /** Words after `word` in the newest line that begins with it. */
  latest(word: string): string[] {
    const line = this.#said.split('\n').findLast((text) => text.startsWith(`${word} `));
    return line?.split(' ').slice(1) ?? [];
  }

  async said(word: string, timeoutMs = 40_000): Promise<string> {
    await waitFor(`"${word}" said`, () => this.latest(word).length > 0, timeoutMs);
    return this.latest(word).join(' ');
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

const reason = noNamespaces();

describe.skipIf(reason !== null)(`behind NAT${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'ace-nat-'));
  const running: NatProcess[] = [];
  let net: TestInternet;
  let validatorAddress: string;
  let provider: NatProcess;
  let contentId: string;
  let names = 0;

  const start = (namespace: string, role: string, ...args: string[]) => {
    const process = new NatProcess(namespace, role, join(dir, `${role}${++names}`), ...args);
    running.push(process);
    return process;
  };
  const viewerIn = (home: Home, ...announce: string[]) => {
    const viewer = start(
      home.name,
      'viewer',
      validatorAddress,
      contentId,
      String(FORWARDED_PORT),
      ...announce,
    );
    onTestFinished(() => viewer.stop());
    return viewer;
  };

  beforeAll(async () => {
    net = new TestInternet();
    validatorAddress = await start(net.core, 'validator', net.coreAddress).said('ready');
    provider = start(net.home().name, 'provider', validatorAddress, String(CONTENT_UNITS * MIB));
    contentId = await provider.said('content');
    // Its place at the relay.
    await provider.said('relayed');
  });

  afterAll(async () => {
    await Promise.all(running.map((process) => process.stop()));
    net?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('gives a node behind NAT a place at the validator, which tells where it is', async () => {
    expect(validatorAddress).toContain(`/ip4/${net.coreAddress}/tcp/`);
    expect(provider.latest('relayed')[0]).toContain(`${validatorAddress}/p2p-circuit/p2p/`);
  });

  it('streams and pays on a direct connection, met by way of the relay, where one router lets in', async () => {
    const home = net.home(FORWARDED_PORT);
    const viewer = viewerIn(home, `/ip4/${home.publicAddress}/tcp/${FORWARDED_PORT}`);
    const whole = String(CONTENT_UNITS * MIB);
    await waitFor('the content is fetched', () => viewer.latest('have')[0] === whole, 60_000);
    expect(viewer.latest('have').slice(1)).toEqual([String(CONTENT_UNITS), 'done']);
    await expect.poll(() => provider.latest('paid')).toEqual([String(CONTENT_UNITS)]);
    // The validator and the provider, neither of them by a relay.
    expect(viewer.latest('connected')).toEqual(['2', '0']);
  }, 120_000);

  it('sends no piece over the relay where no router lets in, and says that nobody can be reached', async () => {
    const paidBefore = provider.latest('paid')[0];
    const viewer = viewerIn(net.home());
    await viewer.said('failed', 60_000);
    expect(viewer.latest('failed')[1]).toBe('NoProviders');
    expect(viewer.latest('have')).toEqual([]);
    expect(provider.latest('paid')[0]).toBe(paidBefore);
  }, 120_000);
});
