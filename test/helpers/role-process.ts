/** Starts `role-child.ts` and kills it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import type { DevnetProfile } from '../../shared/devnet-profile.ts';
import type { RawPayee } from './raw-viewer.ts';
import { waitFor } from './wait.ts';

const CHILD = fileURLToPath(new URL('./role-child.ts', import.meta.url));

/** Settles all the time, so that a kill finds it at work. */
export const CRASH_PROFILE: DevnetProfile = {
  trafficCreditLimitUnits: 10_240,
  trafficRateGbPerHour: '4',
  priorWeightHours: 10_000,
  xacPerXat: '1',
  settlementIntervalMs: 20,
  faucetXat: 1_000_000,
};

export class RoleProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = '';

  constructor(...args: string[]) {
    this.#child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#said += data.toString();
    });
  }

  /** The rest of the newest line that begins with this word; waits for the first. */
  async said(word: string, timeoutMs = 120_000): Promise<string> {
    return waitFor(
      `the child says "${word}"`,
      () => {
        const found = this.latest(word);
        if (found === null && this.#child.exitCode !== null)
          throw new Error(`The child ended with ${this.#child.exitCode} before it said "${word}"`);
        return found === null ? null : { found };
      },
      timeoutMs,
    ).then(({ found }) => found);
  }

  latest(word: string): string | null {
    const lines = this.#said.split('\n').filter((line) => line === word || line.startsWith(`${word} `));
    return lines.at(-1)?.slice(word.length + 1) ?? null;
  }

  /** Waits until the fetch has so many bytes. */
  async has(bytes: number): Promise<void> {
    await waitFor(`${bytes} bytes fetched`, () => Number(this.latest('have') ?? 0) >= bytes, 60_000);
  }

  /** The peer of this process as others see it. */
  async payee(): Promise<RawPayee> {
    const address = multiaddr(await this.said('ready'));
    const peerId = peerIdFromString(address.toString().split('/p2p/')[1] ?? '');
    return {
      account: { address: await this.said('account') },
      host: { peerId, getMultiaddrs: () => [address] },
    };
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  async terminate(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#closed;
  }
}
