import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { TOKENS } from '../../shared/economy/money.ts';
import { heldAndOwed, settle } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { crashEntries, crashGenesis, crashSettings } from './chain-kill-load.ts';

const CHILD = fileURLToPath(new URL('./chain-kill-child.ts', import.meta.url));

/** A chain in a process of its own, and what it said so far. */
class ChainProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = '';

  constructor(path: string) {
    this.#child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.#said += data.toString();
    });
  }

  async said(line: string): Promise<void> {
    while (!this.#said.includes(`${line}\n`)) {
      if (this.#child.exitCode !== null) throw new Error(`The child ended before it said "${line}"`);
      await delay(1);
    }
  }

  /** The last batch it answered. */
  get appliedNumber(): number {
    return Math.max(0, ...[...this.#said.matchAll(/applied (\d+)\n/g)].map((match) => Number(match[1])));
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

async function expectWhole(chain: MainChain, batches: number): Promise<void> {
  expect((await chain.lastBatch(0)).number).toBe(batches);
  expect((await chain.head()).height).toBe(batches);
  // Every entry paid 1 unit in every batch, so each payee holds the same.
  const payees = (await chain.accounts()).filter(({ services }) => services.XAC > 0n);
  expect(payees).toHaveLength(batches === 0 ? 0 : crashEntries.length);
  expect(new Set(payees.map(({ services }) => services.XAC)).size).toBe(batches === 0 ? 0 : 1);
  for (const token of TOKENS) {
    const { held, owed } = await heldAndOwed(chain, token);
    expect(held).toBe(owed);
  }
}

describe('embedded chain, killed', () => {
  // From the start of a batch over its middle to after its answer; the exact point differs from run to run.
  itInTiers({ quick: [[60]], long: [[0], [20], [120], [200]] })(
    '%i ms into a batch of 10,000 entries keeps all of it or nothing',
    async (killAfterMs) => {
      const path = join(tempDir(), 'chain.db');
      const child = new ChainProcess(path);
      onTestFinished(() => child.kill());
      await child.said('applying 2');
      await delay(killAfterMs);
      await child.kill();

      const chain = openEmbeddedChain({
        path,
        settings: crashSettings,
        genesis: crashGenesis,
        nowMs: Date.now,
      });
      const { number } = await chain.lastBatch(0);
      // What was answered is there; one batch more may have been committed just before its answer.
      expect(number - child.appliedNumber).toBeGreaterThanOrEqual(0);
      expect(number - child.appliedNumber).toBeLessThanOrEqual(1);
      await expectWhole(chain, number);
      await settle(chain, crashEntries);
      await expectWhole(chain, number + 1);
      await chain.close();
    },
  );
});
